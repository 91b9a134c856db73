/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How much of smsts.log is written and kept: the section [Logging] of SMSTS.ini
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "format/cmtrace/cmtrace.h"

enum {
    LOG_SETTINGS_BYTES_MIN = 10000, /* of a file */
    LOG_SETTINGS_BYTES_MAX = 16 * 1024 * 1024,
    LOG_SETTINGS_BYTES_DEFAULT = 4 * 1024 * 1024,
    LOG_SETTINGS_OLD_MAX = 9,
    LOG_SETTINGS_OLD_DEFAULT = 1,
    LOG_SETTINGS_LEVEL_MAX = 3,
    LOG_SETTINGS_FILE_MAX = 64 * 1024, /* bytes of SMSTS.ini that are looked at */
};

struct log_settings {
    size_t max_bytes; /* LOGMAXSIZE: a file that has grown to this becomes an old one, */
    unsigned n_old;   /* LOGMAXHISTORY: of which so many are kept */
    enum cmtrace_type
        least; /* LOGLEVEL 2 (warnings and errors) and 3 (errors only); otherwise all lines are written */
};

void log_settings_init(struct log_settings *ret);

/**
 * log_settings_set() - one of them
 * @name:  LOGLEVEL, LOGMAXSIZE, LOGMAXHISTORY, DEBUGLOGGING, in letters of any case
 * @value: a number; DEBUGLOGGING as 1 or true is LOGLEVEL 0
 *
 * Return: false, with nothing changed, if there is no such setting, or the value is none that it can have.
 */
bool log_settings_set(struct log_settings *s, struct bytes name, struct bytes value);

/**
 * log_settings_parse() - those of the section [Logging]
 * @ini: UTF-8 with or without byte order mark, CR LF or LF. Other sections, comments (;) and what makes no sense are passed over
 * @ret: keeps what the text does not say
 */
void log_settings_parse(struct bytes ini, struct log_settings *ret);
