/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Text in the encodings that exports come in, as UTF-8
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"

/**
 * ts_is_utf16() - UTF-16, by its byte order mark or by the zeros around the first character
 * @ret_is_big: its byte order
 */
bool ts_is_utf16(struct bytes src, bool *ret_is_big);

/**
 * ts_to_utf8() - append @src as UTF-8 without a byte order mark
 *
 * Bytes that are not UTF-16 are appended as they are. A lone surrogate stays one, which no UTF-8 has, so that a reader refuses it
 * where it stands; a last odd byte is left out. @ret says in failed if it did not fit.
 */
void ts_to_utf8(struct bytes src, struct buf *ret);
