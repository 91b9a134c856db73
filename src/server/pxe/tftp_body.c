/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/tftp_body.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

static size_t least(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

/* -1 with errno, as open() has it. */
static int open_beneath(int folder_fd, const char *name)
{
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, folder_fd, name, &how, sizeof(how));
}

static int read_at(int fd, uint64_t offset, uint8_t *dst, size_t len)
{
    while (len > 0) {
        ssize_t n = pread(fd, dst, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            return ERR(-EIO);
        dst += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

/* Where @find is in @text, if exactly once. */
static bool find_once(struct bytes text, struct bytes find, uint64_t *ret)
{
    const uint8_t *first = memmem(text.ptr, text.len, find.ptr, find.len);

    if (!first)
        return false;

    size_t behind = (size_t)(first - text.ptr) + 1;

    if (memmem(text.ptr + behind, text.len - behind, find.ptr, find.len))
        return false;
    *ret = behind - 1;
    return true;
}

static int place_patch(struct tftp_body *body, const struct tftp_patch *patch)
{
    if (body->size_bytes > TFTP_BODY_PATCHED_MAX_BYTES || patch->find.len == 0 ||
        patch->find.len > TFTP_PATCH_MAX_BYTES || patch->find.len != patch->replace.len)
        return TFTP_BODY_E_PATCH;

    size_t size = (size_t)body->size_bytes;
    OWN(freep) uint8_t *whole = malloc(size + 1);

    if (!whole)
        return ERR(-ENOMEM);

    int r = read_at(body->fd, 0, whole, size);

    if (r < 0)
        return TRACE(r);
    if (!find_once((struct bytes){whole, size}, patch->find, &body->patch_offset))
        return TFTP_BODY_E_PATCH;
    memcpy(body->patch, patch->replace.ptr, patch->replace.len);
    body->patch_len = patch->replace.len;
    return 0;
}

static bool is_regular(int fd, uint64_t *ret_size)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    *ret_size = (uint64_t)st.st_size;
    return true;
}

int tftp_body_open(int folder_fd,
                   const char *name,
                   const struct tftp_patch *patch,
                   struct tftp_body *ret)
{
    OWN(tftp_body_fini) struct tftp_body body = TFTP_BODY_INIT;

    body.fd = open_beneath(folder_fd, name);
    if (body.fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO))
        return ERR(-errno);
    if (body.fd < 0 || !is_regular(body.fd, &body.size_bytes))
        return TFTP_BODY_E_MISSING;

    int r = patch ? place_patch(&body, patch) : 0;

    if (r != 0)
        return r < 0 ? TRACE(r) : TFTP_BODY_E_PATCH;

    body.bytes = malloc(least(body.size_bytes, TFTP_BODY_AHEAD_BYTES) + 1);
    if (!body.bytes)
        return ERR(-ENOMEM);
    *ret = body;
    body = TFTP_BODY_INIT;
    return 0;
}

int tftp_body_copy(struct bytes content, struct tftp_body *ret)
{
    uint8_t *bytes = malloc(content.len + 1);

    if (!bytes)
        return ERR(-ENOMEM);
    if (content.len > 0)
        memcpy(bytes, content.ptr, content.len);
    *ret = (struct tftp_body){
        .fd = -1,
        .size_bytes = content.len,
        .bytes = bytes,
        .ahead_len = content.len,
    };
    return 0;
}

void tftp_body_fini(struct tftp_body *body)
{
    if (body->fd >= 0)
        (void)close(body->fd);
    free(body->bytes);
    *body = TFTP_BODY_INIT;
}

/* Write the patch over that part of @dst, which is @len bytes from @offset, where it belongs. */
static void lay_patch(const struct tftp_body *body, uint64_t offset, size_t len, uint8_t *dst)
{
    for (size_t i = 0; i < body->patch_len; i++) {
        uint64_t at = body->patch_offset + i;

        if (at >= offset && at - offset < len)
            dst[at - offset] = body->patch[i];
    }
}

/* Read ahead from @offset, so that it is there. */
static int read_ahead(struct tftp_body *body, uint64_t offset)
{
    size_t len = least(body->size_bytes - offset, TFTP_BODY_AHEAD_BYTES);

    body->ahead_len = 0;

    int r = read_at(body->fd, offset, body->bytes, len);

    if (r < 0)
        return TRACE(r);
    lay_patch(body, offset, len, body->bytes);
    body->ahead_offset = offset;
    body->ahead_len = len;
    return 0;
}

int tftp_body_put(struct tftp_body *body, uint64_t offset, size_t len, struct sink *dst)
{
    assert(offset <= body->size_bytes && len <= body->size_bytes - offset);

    while (len > 0) {
        if (offset < body->ahead_offset || offset - body->ahead_offset >= body->ahead_len) {
            int r = read_ahead(body, offset);

            if (r < 0)
                return TRACE(r);
        }

        size_t skip = (size_t)(offset - body->ahead_offset);
        size_t n = least(len, body->ahead_len - skip);

        sink_bytes(dst, (struct bytes){body->bytes + skip, n});
        offset += n;
        len -= n;
    }
    return 0;
}
