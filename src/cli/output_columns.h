/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Results for spreadsheets and scripts, and tables with all there is
 */

#include <jansson.h>

#include "base/buf.h"
#include "cli/output.h"

enum {
    OUTPUT_COLUMNS_MAX = 64,
};

/* Columns of which some may be named by what is there. */
struct output_columns {
    struct output_column
        items[OUTPUT_COLUMNS_MAX + 1]; /* its texts are borrowed from the table, or of texts */
    size_t n;
    char *texts[2 * OUTPUT_COLUMNS_MAX]; /* owned */
    size_t n_texts;
};

void output_columns_fini(struct output_columns *columns);

/**
 * output_gather_columns() - @known, and one for each other member of @rows that fits a cell: texts, numbers, truth values, lists of them
 * @known: borrowed for the life of @ret; NULL: none
 * @ret:   output_columns_fini(); beyond OUTPUT_COLUMNS_MAX members are left out
 *
 * Return: 0 or -ENOMEM.
 */
int output_gather_columns(json_t *rows,
                          const struct output_column *known,
                          struct output_columns *ret);

/**
 * output_put_csv() - a line of the columns' paths, and one for each row (RFC 4180); values as the API has them, several with blanks
 * between them, and what a spreadsheet would take for a formula as text
 * @columns: NULL, or without one: all that output_gather_columns() finds
 *
 * Return: 0 or -ENOMEM.
 */
int output_put_csv(struct buf *dst, json_t *rows, const struct output_column *columns);

/* The same bit by bit, of what may have no end. */
void output_put_csv_head(struct buf *dst, const struct output_column *columns);
void output_put_csv_row(struct buf *dst, const json_t *row, const struct output_column *columns);

/* A line for each row: its id, else its name, else its first column; made fit for a terminal. */
void output_put_names(struct buf *dst, const json_t *rows, const struct output_column *columns);
