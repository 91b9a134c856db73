/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Results as tables (libsmartcols), JSON or YAML
 */

#include <jansson.h>

#include "base/buf.h"
#include "cli/args.h"

enum output_kind {
    OUTPUT_TEXT,  /* strings, numbers, truth values as they are; lists with commas */
    OUTPUT_BYTES, /* "304.1 MB" */
    OUTPUT_TIME,  /* "2026-11-21 09:30:05" */
    OUTPUT_SPAN,  /* milliseconds: "3 m 07 s" */
    OUTPUT_STEP,  /* a step's index, shown from 1 */
    OUTPUT_PLACE, /* a number from 1; nothing for 0, which is unknown */
    OUTPUT_CODE,  /* a return code: "0x80070002" if it is below 0, "3010"; nothing for 0 */
};

struct output_column {
    const char *title; /* NULL ends the list */
    const char *path;  /* members, separated by dots: "counts.total" */
    enum output_kind kind;
};

enum {
    OUTPUT_MAX_BYTES = 64 * 1024 * 1024,
};

/* The value at @path below @value; NULL if there is none. Borrowed. */
json_t *output_at(const json_t *value, const char *path);

/* The text at @path, "" if there is none; the number, 0 if there is none or it is negative. */
const char *output_text(const json_t *value, const char *path);
uint64_t output_u64(const json_t *value, const char *path);

/* The number, from 1, of the step whose index is at @path; of the last one when it is behind them all: then
   the row is about the whole. */
uint64_t output_step(const json_t *row, const char *path);

/* Text from outside, made fit for a terminal: as log_escape(), but quotes and backslashes stay. */
void output_put_safe(struct buf *dst, const char *text, size_t len);

/* One cell, made fit for a terminal; nothing for a value that is null or absent. */
void output_put_cell(struct buf *dst, const json_t *row, const struct output_column *column);

/**
 * output_put_table() - a table with a row per item of @rows
 *
 * Return: 0 or -errno.
 */
int output_put_table(struct buf *dst, const json_t *rows, const struct output_column *columns);

/* "Title: value" per column that has one, aligned. */
void output_put_fields(struct buf *dst, const json_t *value, const struct output_column *columns);

/**
 * output_put_value() - as JSON or YAML
 * @is_terminal: JSON keeps to ASCII then, so that no text can hold a control character of any kind
 *
 * Return: 0 or -ENOMEM.
 */
int output_put_value(struct buf *dst, json_t *value, enum args_format format, bool is_terminal);
