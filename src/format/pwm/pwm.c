/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pwm/pwm.h"

#include <assert.h>
#include <string.h>

#define MAGIC_WIM      UINT64_C(0x4d57504c57) /* "WLPWM" and three zeros */
#define MAGIC_RESOURCE UINT64_C(0x2b9b9ba2443db9d8)

enum {
    WIM_FLAG_COMPRESSED = 0x02,
    RESOURCE_FLAG_METADATA = 0x02, /* also of XML and of the table of blobs */
    RESOURCE_FLAG_COMPRESSED = 0x04,
    RESOURCE_FLAG_SOLID = 0x10,
    METADATA_UNIT = 2, /* behind the header and the XML */
};

void pwm_init(struct pwm_splitter *splitter)
{
    *splitter = (struct pwm_splitter){0};
}

bool pwm_is_complete(const struct pwm_splitter *splitter)
{
    return splitter->is_complete && !splitter->is_bad;
}

/* Behind the magic: how long the header is, the version, flags. */
static bool read_wim_header(struct pwm_splitter *splitter, struct bytes rest)
{
    uint32_t size;
    uint32_t version;
    uint32_t flags;

    if (!bytes_take_u32le(&rest, &size) || !bytes_take_u32le(&rest, &version) ||
        !bytes_take_u32le(&rest, &flags))
        return false;
    splitter->left = PWM_WIM_HEADER_BYTES - PWM_RESOURCE_HEADER_BYTES;
    splitter->is_last = splitter->n_units > 0;
    splitter->part = PWM_OTHER;
    return size == PWM_WIM_HEADER_BYTES && (flags & WIM_FLAG_COMPRESSED) == 0;
}

/* Behind the magic: the size, the SHA-1, flags. */
static bool read_resource_header(struct pwm_splitter *splitter, struct bytes rest)
{
    struct bytes sha1;
    uint32_t flags;

    if (!bytes_take_u64le(&rest, &splitter->left) || !bytes_take(&rest, SHA1_BYTES, &sha1) ||
        !bytes_take_u32le(&rest, &flags))
        return false;
    splitter->size_bytes = splitter->left;
    memcpy(splitter->sha1, sha1.ptr, SHA1_BYTES);
    splitter->part = (flags & RESOURCE_FLAG_METADATA) == 0 ? PWM_BLOB
                     : splitter->n_units == METADATA_UNIT  ? PWM_METADATA
                                                           : PWM_OTHER;
    return splitter->n_units > 0 && (flags & (RESOURCE_FLAG_COMPRESSED | RESOURCE_FLAG_SOLID)) == 0;
}

static bool read_head(struct pwm_splitter *splitter)
{
    struct bytes rest = {splitter->head, sizeof(splitter->head)};
    uint64_t magic;

    if (!bytes_take_u64le(&rest, &magic))
        return false;
    if (magic == MAGIC_WIM)
        return read_wim_header(splitter, rest);
    return magic == MAGIC_RESOURCE && read_resource_header(splitter, rest);
}

static int fail(struct pwm_splitter *splitter)
{
    splitter->is_bad = true;
    return PWM_E_MALFORMED;
}

static void end_unit(struct pwm_splitter *splitter)
{
    splitter->n_units++;
    splitter->n_head = 0;
    splitter->is_complete = splitter->is_last;
}

int pwm_next(struct pwm_splitter *splitter, struct bytes *src, struct pwm_piece *ret)
{
    size_t room = sizeof(splitter->head) - splitter->n_head;
    bool is_head = room > 0;
    uint64_t wanted = is_head ? room : splitter->left;
    size_t n = wanted < src->len ? (size_t)wanted : src->len;
    struct pwm_piece piece = {0};

    assert(src->len > 0);
    if (splitter->is_bad || splitter->is_complete)
        return fail(splitter);
    if (is_head) {
        memcpy(splitter->head + splitter->n_head, src->ptr, n);
        splitter->n_head += n;
        if (splitter->n_head == sizeof(splitter->head) && !read_head(splitter))
            return fail(splitter);
    } else {
        splitter->left -= n;
    }
    (void)bytes_take(src, n, &piece.bytes);
    piece.is_head = is_head;
    piece.is_head_end = is_head && splitter->n_head == sizeof(splitter->head);
    piece.ends_unit = splitter->n_head == sizeof(splitter->head) && splitter->left == 0;
    if (piece.ends_unit)
        end_unit(splitter);
    *ret = piece;
    return 0;
}
