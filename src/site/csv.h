/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Comma-separated values (RFC 4180)
 *
 * Fields may stand in double quotes, where "" is one and line ends and commas are text. Lines end with LF or CR LF.
 * U+FEFF before the first line is passed over (RFC 3629, 6).
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    CSV_FIELDS_MAX = 64,
    CSV_ROW_MAX_BYTES = 64 * 1024,
};

/* Outcomes of csv_next() beside 0 */
enum {
    CSV_ROW = 1,
    CSV_E_WRONG = 2, /* a quote where none may be, one that is missing, too many fields, too long */
};

/* A zeroed one with a .rest is at the beginning. */
struct csv {
    struct bytes rest; /* borrowed */
    size_t line;       /* of the row in hand, from 1 */
    size_t next_line;  /* of what comes behind it, from 0 */
    struct buf text;   /* owned: the fields of the row, each with its NUL */
    size_t at[CSV_FIELDS_MAX];
    size_t n_fields;
};

/* Empty lines are passed over. Return: CSV_ROW, 0 at the end, or CSV_E_WRONG: then it is at its end. */
int csv_next(struct csv *csv);

/* Of the row in hand; "" for one that it does not have. Borrowed until the next row. */
const char *csv_field(const struct csv *csv, size_t n);

void csv_fini(struct csv *csv);
