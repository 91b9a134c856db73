/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The log of a process: one line per event on standard error
 *
 *     log_info("tftp: transfer done", "peer=%s bytes=%" PRIu64, peer, bytes);
 *
 * First a sentence fragment in English, then key=value. Under systemd a line starts with its priority
 * ("<6>"); otherwise with the time in UTC and the level. Functions of base, proto, format, ts, plat,
 * image, store, db and site never log: they return, and the caller logs.
 */

#include <stddef.h>

enum log_level {
    LOG_LEVEL_ERROR,   /* a person must act */
    LOG_LEVEL_WARNING, /* a person may have to act */
    LOG_LEVEL_INFO,    /* what an operator wants to read the next morning */
    LOG_LEVEL_DEBUG,
};

/**
 * log_init() - once, from main()
 * @component: "slipwayd", "site", "pxe", ...; borrowed for the life of the process
 * @most:      more detailed lines are dropped
 *
 * Also installs the hook of base/err.h: the trail of an unexpected error is logged at debug level.
 */
void log_init(const char *component, enum log_level most);

#define log_error(what, ...)   log_line(LOG_LEVEL_ERROR, (what), __VA_ARGS__)
#define log_warning(what, ...) log_line(LOG_LEVEL_WARNING, (what), __VA_ARGS__)
#define log_info(what, ...)    log_line(LOG_LEVEL_INFO, (what), __VA_ARGS__)
#define log_debug(what, ...)   log_line(LOG_LEVEL_DEBUG, (what), __VA_ARGS__)

/* @format may be "" when there is nothing to add. */
__attribute__((format(printf, 3, 4))) void
log_line(enum log_level level, const char *what, const char *format, ...);

/**
 * log_escape() - make text from outside fit for a log or a terminal
 * @dst: always ends in NUL; a longer text ends in "..."
 * @cap: at least 8
 *
 * Control characters, quotes, backslashes and bytes that are not UTF-8 become \xNN.
 *
 * Return: @dst
 */
const char *log_escape(char *dst, size_t cap, const char *src, size_t src_len);
