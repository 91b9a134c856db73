/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Items as CSV (RFC 4180); what a spreadsheet would take for a formula is text
 */

#include <jansson.h>

#include "base/buf.h"

/* The first line. @columns: an array of names */
void csv_put_names(struct buf *dst, const json_t *columns);

/* The line of one item: what its members of these names are; several values are separated by blanks. */
void csv_put_item(struct buf *dst, const json_t *columns, const json_t *item);
