/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The borders in an uncompressed pipable WIM (docs/protocol/content.md, An OS image)
 *
 * Such a file is read from front to back: the header of a WIM; resources, each behind a header of its own that
 * says how long it is; the header once more. A unit is one of these: a header of the WIM, or a resource with
 * its header. A blob's header is made from its size and SHA-1 alone, so the same blob is the same unit in every
 * image.
 *
 *     pwm_init(&splitter);
 *     while (there is something in src)
 *         r = pwm_next(&splitter, &src, &piece);
 *
 * Nothing is kept but the header that is being read: bytes come out as they go in.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
    PWM_WIM_HEADER_BYTES = 208,
    PWM_RESOURCE_HEADER_BYTES = 40,
};

/* Outcome beside 0 */
enum {
    PWM_E_MALFORMED = 1, /* not such a stream, or compressed, or more follows its end */
};

/* What a unit is. */
enum pwm_part {
    PWM_OTHER,    /* a header of the WIM, the table of blobs, XML */
    PWM_METADATA, /* the image's metadata */
    PWM_BLOB,
};

struct pwm_splitter {
    uint8_t head[PWM_RESOURCE_HEADER_BYTES]; /* the first bytes of the unit */
    size_t n_head;
    uint64_t left;  /* bytes of the unit behind them */
    size_t n_units; /* that are complete */
    enum pwm_part part;
    uint64_t size_bytes; /* of the resource, as its header says */
    uint8_t sha1[SHA1_BYTES];
    bool is_last;     /* the unit is the header at the end */
    bool is_complete; /* that was complete too */
    bool is_bad;
};

struct pwm_piece {
    struct bytes bytes; /* of one unit; borrows from the source */
    bool is_head;       /* of the unit's header, not of the resource */
    bool
        is_head_end; /* the last such: the splitter's part, size_bytes and sha1 are those of the unit, until the next */
    bool ends_unit;
};

void pwm_init(struct pwm_splitter *splitter);

/**
 * pwm_next() - split off what belongs to the unit that is being read
 * @src: not empty; on success the piece, at least one byte, is taken from it
 *
 * Return: 0, or PWM_E_MALFORMED, also from then on.
 */
int pwm_next(struct pwm_splitter *splitter, struct bytes *src, struct pwm_piece *ret);

/* Whether all of a stream was read: to the end of its last header. */
bool pwm_is_complete(const struct pwm_splitter *splitter);
