/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Times and amounts as people read them
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

/**
 * when_parse() - "2026-11-21T09:30:05Z", also with a fraction of a second, which is dropped
 * @ret: microseconds since 1970; untouched unless true is returned
 */
bool when_parse(struct bytes src, uint64_t *ret);

/* "42 s", "3 m 07 s", "1 h 02 m". */
void when_put_span(struct buf *dst, uint64_t us);

/* "512 B", "304.1 MB": powers of 1000. */
void when_put_bytes(struct buf *dst, uint64_t n);
