/* SPDX-License-Identifier: GPL-3.0-or-later */

#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_d_forceIgnoreChecksum */

#include "plat/frame.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/err.h"
#include "base/own.h"

enum {
    FRAME_LEVEL = 5, /* of zstd: what is stored is made once and read often */
    FRAME_LEVEL_HURRY = 4,
};

struct frame_packer {
    ZSTD_CCtx *zstd; /* owned */
    uint8_t *frame;  /* owned; frame_cap bytes */
    size_t frame_cap;
    size_t max_bytes;
};

struct frame_unpacker {
    ZSTD_DCtx *zstd; /* owned */
};

void frame_packer_free(struct frame_packer *packer)
{
    if (!packer)
        return;
    (void)ZSTD_freeCCtx(packer->zstd);
    free(packer->frame);
    free(packer);
}

static bool is_set(ZSTD_CCtx *zstd, ZSTD_cParameter name, int value)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, name, value));
}

int frame_packer_new(size_t max_bytes, struct frame_packer **ret)
{
    OWN(frame_packer_freep) struct frame_packer *packer = calloc(1, sizeof(*packer));

    if (!packer)
        return ERR(-ENOMEM);
    packer->max_bytes = max_bytes;
    packer->frame_cap = ZSTD_compressBound(max_bytes);
    packer->frame = malloc(packer->frame_cap);
    packer->zstd = ZSTD_createCCtx();
    if (!packer->frame || !packer->zstd)
        return ERR(-ENOMEM);
    if (!is_set(packer->zstd, ZSTD_c_compressionLevel, FRAME_LEVEL) ||
        !is_set(packer->zstd, ZSTD_c_checksumFlag, 1) ||
        !is_set(packer->zstd, ZSTD_c_contentSizeFlag, 1))
        return ERR(-ENOTSUP);
    *ret = TAKE(packer);
    return 0;
}

int frame_packer_hurry(struct frame_packer *packer)
{
    return is_set(packer->zstd, ZSTD_c_compressionLevel, FRAME_LEVEL_HURRY) ? 0 : ERR(-ENOTSUP);
}

int frame_pack(struct frame_packer *packer, struct bytes plain, struct bytes *ret)
{
    assert(plain.len <= packer->max_bytes);

    size_t len =
        ZSTD_compress2(packer->zstd, packer->frame, packer->frame_cap, plain.ptr, plain.len);

    if (ZSTD_isError(len))
        return ERR(-ENOMEM);
    *ret = (struct bytes){packer->frame, len};
    return 0;
}

size_t frame_max_bytes(size_t size)
{
    return ZSTD_compressBound(size);
}

int frame_size(struct bytes frame, size_t max, size_t *ret)
{
    /* the two failures of this call are numbers beyond any size of ours */
    unsigned long long size = ZSTD_getFrameContentSize(frame.ptr, frame.len);

    if (size > max || ZSTD_findFrameCompressedSize(frame.ptr, frame.len) != frame.len)
        return FRAME_E_CORRUPT;
    *ret = (size_t)size;
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): zstd writes to it */
size_t frame_peek(struct bytes begin, uint8_t *ret, size_t cap)
{
    ZSTD_DStream *zstd = ZSTD_createDStream();
    ZSTD_inBuffer in = {.src = begin.ptr, .size = begin.len};
    ZSTD_outBuffer out = {.dst = ret, .size = cap};
    size_t before = SIZE_MAX;

    while (zstd && out.pos < cap && out.pos != before) {
        before = in.pos < in.size ? SIZE_MAX : out.pos;
        if (ZSTD_isError(ZSTD_decompressStream(zstd, &out, &in)))
            break;
    }
    (void)ZSTD_freeDStream(zstd);
    return out.pos;
}

int frame_unpack(struct bytes frame, size_t size, uint8_t *ret)
{
    size_t declared;

    if (frame_size(frame, size, &declared) != 0 || declared != size)
        return FRAME_E_CORRUPT;
    return ZSTD_decompress(ret, size, frame.ptr, frame.len) == size ? 0 : FRAME_E_CORRUPT;
}

void frame_unpacker_free(struct frame_unpacker *unpacker)
{
    if (!unpacker)
        return;
    (void)ZSTD_freeDCtx(unpacker->zstd);
    free(unpacker);
}

int frame_unpacker_new(struct frame_unpacker **ret)
{
    OWN(frame_unpacker_freep) struct frame_unpacker *unpacker = calloc(1, sizeof(*unpacker));

    if (!unpacker)
        return ERR(-ENOMEM);
    unpacker->zstd = ZSTD_createDCtx();
    if (!unpacker->zstd)
        return ERR(-ENOMEM);
    /* a library that cannot leave it out may look at it */
    (void)ZSTD_DCtx_setParameter(unpacker->zstd, ZSTD_d_forceIgnoreChecksum, ZSTD_d_ignoreChecksum);
    *ret = TAKE(unpacker);
    return 0;
}

int frame_unpacker_run(struct frame_unpacker *unpacker,
                       struct bytes frame,
                       size_t size,
                       uint8_t *ret)
{
    size_t declared;

    if (frame_size(frame, size, &declared) != 0 || declared != size)
        return FRAME_E_CORRUPT;
    return ZSTD_decompressDCtx(unpacker->zstd, ret, size, frame.ptr, frame.len) == size
               ? 0
               : FRAME_E_CORRUPT;
}
