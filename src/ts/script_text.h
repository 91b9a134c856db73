/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Scripts that a step holds itself (Run PowerShell Script), as text
 */

#include <stdbool.h>

#include "base/buf.h"

enum {
    TS_SCRIPT_LINES_MAX =
        500, /* of either side that differ, beyond which lines are not matched any more */
};

/**
 * ts_script_text() - the text of a script
 * @source: Base64 of UTF-16 or UTF-8, with or without byte order mark
 * @ret:    UTF-8, appended
 *
 * Return: whether it is that, without a NUL, and not empty; @ret is untouched if not.
 */
bool ts_script_text(const char *source, struct buf *ret);

/**
 * ts_script_source() - the reverse: Base64 of UTF-16LE with a byte order mark, as the editor stores it
 * @text: UTF-8
 *
 * Return: whether it is UTF-8 and fits @ret.
 */
bool ts_script_source(const char *text, struct buf *ret);

/**
 * ts_script_put_diff() - what is different between two texts, line by line
 * @ret: a line for each that is gone ("- text\n") or new ("+ text\n"), where they are; one that stayed before and after ("  text\n");
 *       "...\n" where lines that stayed are left out
 */
void ts_script_put_diff(const char *before, const char *after, struct buf *ret);
