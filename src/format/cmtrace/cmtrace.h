/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Lines of smsts.log, in the format that log viewers of the reference product know:
 *
 *     <![LOG[text]LOG]!><time="09:30:05.123+000" date="11-21-2026" component="TSManager" context=""
 *     type="1" thread="412" file="run.c:80">
 *
 * (one line). Times are local ones, and the bias in minutes makes them UTC: UTC = local + bias.
 */

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct bytes;

enum cmtrace_type {
    CMTRACE_INFORMATION = 1,
    CMTRACE_WARNING = 2,
    CMTRACE_ERROR = 3,
};

enum {
    CMTRACE_TEXT_MAX = 8 * 1024, /* bytes of text in a line; longer ones are cut */
    CMTRACE_NAME_MAX = 64,       /* component and file, with NUL */
};

struct cmtrace_line {
    uint64_t wall_us; /* since 1970 UTC */
    int bias_min;     /* what is to be added to local time for UTC; more than a day is as 0 */
    enum cmtrace_type type;
    const char *component; /* "TSManager"; letters, digits and the like */
    const char *file;      /* "run.c:80" */
    uint32_t thread;
};

/**
 * cmtrace_put() - append one line, with its "\n"
 * @text: any bytes. Control characters become '?', so that a line stays a line, and so does the first
 *        character of what would end the text
 */
void cmtrace_put(struct buf *dst, const struct cmtrace_line *line, struct bytes text);

/* A line that was read. */
struct cmtrace_parsed {
    uint64_t wall_us; /* UTC, with the bias taken off */
    enum cmtrace_type type;
    char component[CMTRACE_NAME_MAX];
    char file[CMTRACE_NAME_MAX];
    uint32_t thread;
};

/**
 * cmtrace_take() - split off the first line
 * @src: on success it starts behind the line
 * @ret_text: borrows from @src
 *
 * Unknown fields and any order of fields are accepted, a missing bias is +0.
 *
 * Return: false if @src does not begin with a whole line of this format; then nothing is changed.
 */
bool cmtrace_take(struct bytes *src, struct cmtrace_parsed *ret, struct bytes *ret_text);
