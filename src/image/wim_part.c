/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/digest.h"
#include "plat/file.h"

enum {
    VERSION = 1,
    PLAIN_BYTES = 1 + 8 + 8 + 4 + WIM_PART_HEADER_BYTES + SHA256_BYTES,
    TABLE_PLACE_OFFSET = 48, /* in the header: of the table of blobs, behind which is the XML */
    PIECE_BYTES = 256 * 1024,
};

_Static_assert(2 * PLAIN_BYTES < WIM_PART_TEXT_MAX, "the text and its NUL");

void wim_part_put(const struct wim_part *part, char ret[static WIM_PART_TEXT_MAX])
{
    uint8_t plain[PLAIN_BYTES];
    struct sink sink = {.ptr = plain, .cap = sizeof(plain)};

    sink_u8(&sink, VERSION);
    sink_u64le(&sink, part->file_bytes);
    sink_u64le(&sink, part->done_bytes);
    sink_u32le(&sink, part->n_volumes);
    sink_bytes(&sink, (struct bytes){part->header, sizeof(part->header)});
    sink_bytes(&sink, (struct bytes){part->tail_sha256, sizeof(part->tail_sha256)});
    hex_put(ret, (struct bytes){plain, sizeof(plain)});
}

DEFINE_FREEP(struct digest *, digest_free);

/* Where the tail begins; false: not in a file that is so long. */
static bool find_tail(const struct wim_part *part, uint64_t *ret)
{
    struct bytes place = {part->header + TABLE_PLACE_OFFSET, 2 * sizeof(uint64_t)};
    uint64_t size;

    return bytes_take_u64le(&place, &size) && bytes_take_u64le(&place, ret) &&
           *ret >= WIM_PART_HEADER_BYTES && *ret < part->file_bytes &&
           part->file_bytes <= INT64_MAX;
}

bool wim_part_parse(struct bytes src, struct wim_part *ret)
{
    uint8_t plain[PLAIN_BYTES];
    struct bytes rest = {plain, sizeof(plain)};
    struct wim_part part;
    struct bytes header;
    struct bytes tail;
    uint64_t offset;
    uint8_t version;

    if (!hex_parse(src, sizeof(plain), plain) || !bytes_take_u8(&rest, &version) ||
        !bytes_take_u64le(&rest, &part.file_bytes) || !bytes_take_u64le(&rest, &part.done_bytes) ||
        !bytes_take_u32le(&rest, &part.n_volumes) ||
        !bytes_take(&rest, WIM_PART_HEADER_BYTES, &header) ||
        !bytes_take(&rest, SHA256_BYTES, &tail) || version != VERSION)
        return false;
    memcpy(part.header, header.ptr, sizeof(part.header));
    memcpy(part.tail_sha256, tail.ptr, sizeof(part.tail_sha256));
    if (!find_tail(&part, &offset))
        return false;
    *ret = part;
    return true;
}

static int fail(int error, struct buf *why)
{
    buf_adds(why, strerrordesc_np(error));
    return WIM_PART_E_TARGET;
}

/* Of what lies from @offset to @end. Return: 0, an outcome, or -errno. */
static int
hash_range(int fd, uint64_t offset, uint64_t end, uint8_t ret[static SHA256_BYTES], struct buf *why)
{
    OWN(digest_freep) struct digest *digest = NULL;
    OWN(freep) uint8_t *piece = malloc(PIECE_BYTES);
    int r = digest_new(&digest);

    if (r < 0 || !piece)
        return r < 0 ? TRACE(r) : ERR(-ENOMEM);
    while (offset < end) {
        size_t wanted = end - offset < PIECE_BYTES ? (size_t)(end - offset) : PIECE_BYTES;
        ssize_t n = pread(fd, piece, wanted, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(errno, why);
        if (n == 0) {
            buf_adds(why, "it is shorter than it was");
            return WIM_PART_E_CHANGED;
        }
        r = digest_add(digest, (struct bytes){piece, (size_t)n});
        if (r < 0)
            return TRACE(r);
        offset += (uint64_t)n;
    }
    return TRACE(digest_end(digest, ret));
}

int wim_part_take(const char *path, struct wim_part *part, struct buf *why)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    uint64_t tail;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(errno, why);
    part->file_bytes = (uint64_t)st.st_size;
    if (pread(fd, part->header, sizeof(part->header), 0) != (ssize_t)sizeof(part->header) ||
        !find_tail(part, &tail)) {
        buf_adds(why, "it cannot be read back");
        return WIM_PART_E_TARGET;
    }
    r = hash_range(fd, tail, part->file_bytes, part->tail_sha256, why);
    return r == WIM_PART_E_CHANGED ? WIM_PART_E_TARGET : TRACE(r);
}

static bool has_header(int fd, const struct wim_part *part)
{
    uint8_t header[WIM_PART_HEADER_BYTES];

    return pread(fd, header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
           memcmp(header, part->header, sizeof(header)) == 0;
}

static bool put_back(int fd, const struct wim_part *part)
{
    return pwrite(fd, part->header, sizeof(part->header), 0) == (ssize_t)sizeof(part->header) &&
           ftruncate(fd, (off_t)part->file_bytes) == 0 && fsync(fd) == 0;
}

int wim_part_restore(const char *path, const struct wim_part *part, struct buf *why)
{
    OWN(fd_closep) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    uint8_t sha256[SHA256_BYTES];
    struct stat st;
    uint64_t tail;
    int r;

    if (fd < 0 && errno == ENOENT) {
        buf_adds(why, "it is not there any more");
        return WIM_PART_E_CHANGED;
    }
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(errno, why);
    if (!S_ISREG(st.st_mode) || !find_tail(part, &tail) ||
        (uint64_t)st.st_size < part->file_bytes) {
        buf_adds(why, "it is shorter than it was");
        return WIM_PART_E_CHANGED;
    }
    r = hash_range(fd, tail, part->file_bytes, sha256, why);
    if (r != 0)
        return TRACE(r);
    if (memcmp(sha256, part->tail_sha256, sizeof(sha256)) != 0) {
        buf_adds(why, "somebody has changed it");
        return WIM_PART_E_CHANGED;
    }
    if (has_header(fd, part) && (uint64_t)st.st_size == part->file_bytes)
        return 0;
    return put_back(fd, part) ? 0 : fail(errno, why);
}
