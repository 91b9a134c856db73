/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/checksum.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "plat/frame.h"
#include "store/layout.h"

int check_name(struct bytes content, const uint8_t sha256[static SHA256_BYTES])
{
    uint8_t is[SHA256_BYTES];
    int r = digest_sha256(content, is);

    if (r < 0)
        return TRACE(r);
    return memcmp(is, sha256, SHA256_BYTES) == 0 ? 0 : STORE_E_CORRUPT;
}

int check_frame(const struct manifest_pack *pack, struct bytes frame, struct buf *ret_plain)
{
    OWN(freep) uint8_t *plain = NULL;
    struct bytes content;
    int r;

    buf_clear(ret_plain);
    if (frame.len != pack->stored_bytes || pack->plain_bytes > PACK_MAX_BYTES)
        return STORE_E_CORRUPT;
    plain = malloc(pack->plain_bytes);
    if (!plain)
        return ERR(-ENOMEM);
    if (frame_unpack(frame, pack->plain_bytes, plain) != 0)
        return STORE_E_CORRUPT;
    content = (struct bytes){plain, pack->plain_bytes};
    r = check_name(content, pack->sha256);
    if (r != 0)
        return r < 0 ? TRACE(r) : STORE_E_CORRUPT;
    buf_add(ret_plain, content);
    return ret_plain->failed ? ERR(-ENOMEM) : 0;
}

int check_chunks(struct bytes plain, struct pack *ret)
{
    OWN(pack_fini) struct pack pack = {0};
    int r = pack_parse(plain, &pack);

    if (r < 0)
        return TRACE(r);
    if (r != 0)
        return STORE_E_CORRUPT;
    for (size_t i = 0; i < pack.n_chunks; i++) {
        const struct pack_chunk *chunk = &pack.chunks[i];

        r = check_name((struct bytes){plain.ptr + chunk->offset, chunk->size_bytes}, chunk->sha256);
        if (r != 0)
            return r < 0 ? TRACE(r) : STORE_E_CORRUPT;
    }
    *ret = pack;
    pack = (struct pack){0}; /* now in @ret */
    return 0;
}

/* Read @size bytes. Return: how many there were, or -1. */
static ssize_t read_all(int fd, uint8_t *dst, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = read(fd, dst + len, size - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

/* Read a file that is named by its content. What the disk cannot read is as bad as what is wrong. */
static int read_file(const char *path, struct buf *ret)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    OWN(freep) uint8_t *content = NULL;
    struct stat st;
    ssize_t n;

    buf_clear(ret);
    if (fd < 0)
        return errno == ENOENT ? STORE_E_MISSING : ERR(-errno);
    if (fstat(fd, &st) != 0)
        return ERR(-errno);
    if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size > ret->max)
        return STORE_E_CORRUPT;
    content = malloc((size_t)st.st_size);
    if (!content)
        return ERR(-ENOMEM);
    n = read_all(fd, content, (size_t)st.st_size);
    if (n < 0)
        return errno == EIO ? STORE_E_CORRUPT : ERR(-errno);
    buf_add(ret, (struct bytes){content, (size_t)n});
    return ret->failed ? ERR(-ENOMEM) : 0;
}

int check_pack_file(const char *root,
                    const struct manifest_pack *pack,
                    struct buf *frame,
                    struct buf *ret_plain)
{
    char path[STORE_PATH_MAX];
    int r;

    buf_clear(ret_plain);
    layout_pack(root, pack->sha256, path);
    r = read_file(path, frame);
    if (r == 0)
        r = check_frame(pack, buf_bytes(frame), ret_plain);
    return r < 0 ? TRACE(r) : r;
}

int check_any_pack_file(const char *root,
                        const uint8_t sha256[static SHA256_BYTES],
                        struct manifest_pack *ret_pack,
                        struct pack *ret)
{
    OWN(buf_fini) struct buf frame = BUF_INIT(PACK_STORED_MAX_BYTES);
    OWN(buf_fini) struct buf plain = BUF_INIT(PACK_MAX_BYTES);
    struct manifest_pack pack = {0};
    char path[STORE_PATH_MAX];
    size_t plain_bytes;
    int r;

    layout_pack(root, sha256, path);
    r = read_file(path, &frame);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    if (frame_size(buf_bytes(&frame), PACK_MAX_BYTES, &plain_bytes) != 0)
        return STORE_E_CORRUPT;
    memcpy(pack.sha256, sha256, SHA256_BYTES);
    pack.plain_bytes = (uint32_t)plain_bytes;
    pack.stored_bytes = (uint32_t)frame.len;
    checksum_of(buf_bytes(&frame), pack.check);
    r = check_frame(&pack, buf_bytes(&frame), &plain);
    if (r == 0)
        r = check_chunks(buf_bytes(&plain), ret);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    *ret_pack = pack;
    return 0;
}

int check_manifest_file(const char *root,
                        const uint8_t id[static SHA256_BYTES],
                        struct manifest *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(MANIFEST_TEXT_MAX);
    char path[STORE_PATH_MAX];
    int r;

    layout_manifest(root, id, path);
    r = read_file(path, &text);
    if (r == 0)
        r = check_name(buf_bytes(&text), id);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    r = manifest_parse(buf_bytes(&text), ret);
    if (r < 0)
        return TRACE(r);
    return r == 0 ? 0 : STORE_E_CORRUPT;
}
