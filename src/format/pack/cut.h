/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Where content is cut into chunks: FastCDC with normalised chunking, decided by the content alone
 *
 * A cut depends on the 64 bytes before it and on the distance to the cut before, so equal content
 * gives equal chunks, and after a change the old cuts are soon found again. The numbers here, and the
 * seed of the gear table, are part of the format: changing one makes every chunk a new one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    CUT_MIN_BYTES = 16 * 1024,
    CUT_NORMAL_BYTES = 64 * 1024, /* cuts get 16 times as likely from here on */
    CUT_MAX_BYTES = 256 * 1024,
    CUT_GEAR_COUNT = 256,
};

struct cut {
    uint64_t gear[CUT_GEAR_COUNT]; /* a random number per byte value */
};

/**
 * cut_init() - compute the gear table
 *
 * The numbers are the first 256 of SplitMix64, started with the bytes "slipway1" as a big-endian number.
 */
void cut_init(struct cut *cut);

/**
 * cut_next() - length of the chunk at the start of @src
 * @is_end: nothing comes after @src
 *
 * Return: 0 if more must be known (@src is empty, or shorter than CUT_MAX_BYTES and not the end);
 *         otherwise CUT_MIN_BYTES..CUT_MAX_BYTES, or all of @src at the end.
 */
size_t cut_next(const struct cut *cut, struct bytes src, bool is_end);
