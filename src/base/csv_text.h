/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Text for fields of comma-separated values (RFC 4180)
 */

#include <stdbool.h>

#include "base/buf.h"

/**
 * csv_put_inside() - append @text as what stands between the quotes of a field
 * @is_first: it begins the field: what a spreadsheet would take for a formula gets a ' in front
 */
void csv_put_inside(struct buf *dst, const char *text, bool is_first);
