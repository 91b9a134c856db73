/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How far a WIM file is that wim_create() has not finished (docs/protocol/capture.md, What an interruption leaves)
 *
 * wimlib only appends to what is in a file: behind what it had. With the header and the length that the file had then, it is again what it
 * was, whatever was written since.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/text.h"

enum {
    WIM_PART_HEADER_BYTES = 208,
    WIM_PART_TEXT_MAX = 600, /* with the NUL */
};

struct wim_part {
    uint64_t file_bytes; /* 0: there is nothing yet */
    uint64_t done_bytes; /* of the volume behind those that are whole, about; 0: none of it */
    uint32_t n_volumes;  /* that are whole */
    uint8_t header[WIM_PART_HEADER_BYTES];
    uint8_t tail_sha256[SHA256_BYTES]; /* of all behind the files: the table of blobs and the XML */
};

/* Outcome beside 0; @why is a sentence */
enum {
    WIM_PART_E_CHANGED = 1, /* it is not what it was, or not there */
    WIM_PART_E_TARGET = 2,  /* it cannot be read or written */
};

/* As text, for a variable. */
void wim_part_put(const struct wim_part *part, char ret[static WIM_PART_TEXT_MAX]);
bool wim_part_parse(struct bytes src, struct wim_part *ret);

/**
 * wim_part_take() - keep what the file is, after each time that wimlib has written it durably
 * @part: file_bytes, header and tail_sha256 are set
 *
 * Return: 0, WIM_PART_E_TARGET, or -errno.
 */
int wim_part_take(const char *path, struct wim_part *part, struct buf *why);

/**
 * wim_part_restore() - make the file what it was, durably, and compare its tail
 *
 * What wimlib reads of it without a hash of its own is right then; the files in it are not looked at.
 *
 * Return: 0, an outcome, or -errno.
 */
int wim_part_restore(const char *path, const struct wim_part *part, struct buf *why);
