/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * UTF-16, as WIM and NTFS have their names, and the UTF-8 that we have inside
 *
 * Windows does not look at whether a name is valid: a lone surrogate is three bytes, as UTF-8 would have it,
 * and is read back as it was.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"

/**
 * utf16_to_utf8() - little-endian, to a C string
 * @src: of an even length, without a NUL
 * @cap: three bytes for each unit and one for the NUL are enough
 *
 * Return: false if @src is none of that or @dst is too small; @dst is "" then.
 */
bool utf16_to_utf8(struct bytes src, char *dst, size_t cap);

/**
 * utf16_put() - the reverse, without a NUL
 * @dst: appended
 *
 * Return: false if @src is not such UTF-8, an overlong form or a pair of surrogates for instance; then nothing is
 *         appended.
 */
bool utf16_put(struct buf *dst, struct bytes src);
