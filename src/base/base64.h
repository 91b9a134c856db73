/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Base64 (RFC 4648, section 4) with padding
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"

void base64_put(struct buf *dst, struct bytes src);

/**
 * base64_parse() - the reverse
 * @src: white space is passed over
 * @ret: appended to; whatever is in it after a failure
 *
 * Return: whether it is Base64.
 */
bool base64_parse(struct bytes src, struct buf *ret);
