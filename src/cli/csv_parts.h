/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A CSV file in parts, each with the first line before it
 *
 * The site takes so many lines at once; what they say is its to judge. Only quotes are looked at, between which a line end is text.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"

/* A zeroed one with a .rest is before the first part. */
struct csv_parts {
    struct bytes rest; /* borrowed */
    struct bytes head; /* the first line, with its end */
    size_t n_lines;    /* line ends before the part in hand */
    size_t n_behind;   /* line ends before what follows it */
};

/**
 * csv_parts_next() - the next part
 * @n_rows: at most so many
 * @ret:    head and rows; emptied before; it fails if it is too small
 *
 * Return: whether there is one. A file without any row is one part.
 */
bool csv_parts_next(struct csv_parts *parts, size_t n_rows, struct buf *ret);

/* The line of the file that is line @line of the part. */
size_t csv_parts_line(const struct csv_parts *parts, size_t line);
