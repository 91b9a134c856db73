/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Compressed bytes: one zstd frame with content size and checksum, by libzstd
 */

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

struct frame_packer; /* keeps the compressor's memory from frame to frame */

/* @max_bytes: of plain content in one frame */
int frame_packer_new(size_t max_bytes, struct frame_packer **ret);
void frame_packer_free(struct frame_packer *packer);
DEFINE_FREEP(struct frame_packer *, frame_packer_free);

/* For who waits for it: from now on frames are 3 % larger, and take two thirds of the time. */
int frame_packer_hurry(struct frame_packer *packer);

/**
 * frame_pack() - compress
 * @ret: borrowed until the next call
 */
int frame_pack(struct frame_packer *packer, struct bytes plain, struct bytes *ret);

/* Most bytes that a frame of @size plain bytes can have. */
size_t frame_max_bytes(size_t size);

/* Outcome of the functions below, beside 0 */
enum {
    FRAME_E_CORRUPT = 1,
};

/**
 * frame_size() - plain bytes that exactly one frame declares
 * @max: more than that is corrupt
 */
int frame_size(struct bytes frame, size_t max, size_t *ret);

/**
 * frame_peek() - the first plain bytes of a frame, of which only the beginning may be there
 *
 * Return: how many are in @ret, up to @cap; fewer if @begin has no more, or is damaged.
 */
size_t frame_peek(struct bytes begin, uint8_t *ret, size_t cap);

/**
 * frame_unpack() - decompress exactly one frame
 * @frame: from outside; must declare @size plain bytes and end with the frame
 * @ret:   room for @size bytes
 */
int frame_unpack(struct bytes frame, size_t size, uint8_t *ret);

struct
    frame_unpacker; /* keeps the decompressor's memory from frame to frame; for one thread at a time */

int frame_unpacker_new(struct frame_unpacker **ret);
void frame_unpacker_free(struct frame_unpacker *unpacker);
DEFINE_FREEP(struct frame_unpacker *, frame_unpacker_free);

/* frame_unpack(), for who has many of them, and checks a hash of what comes out: the checksum of the frame itself is
   not looked at. */
int frame_unpacker_run(struct frame_unpacker *unpacker,
                       struct bytes frame,
                       size_t size,
                       uint8_t *ret);
