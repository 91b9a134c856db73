/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Keys and texts of YAML, as the writer of task sequences lays them out
 *
 * A text stands plain, as a block of lines, or between quotation marks, whatever is the first in which it is read back the same.
 */

#include <stdbool.h>

#include "base/buf.h"

enum {
    YAML_TEXT_SPACES = 2, /* a level of indentation */
};

/* "- " of an item of a list that is at @indent. */
void yaml_text_dash(struct buf *dst, unsigned indent);

/* "key:" at @indent; the first of a list's item (@is_first, which becomes false) stands behind its dash. */
void yaml_text_key(struct buf *dst, const char *key, unsigned indent, bool *is_first);

/* "key: text" and the end of the line, or of the last of its lines. */
void yaml_text_pair(
    struct buf *dst, const char *key, const char *text, unsigned indent, bool *is_first);

/* "- key: text" */
void yaml_text_item(struct buf *dst, const char *key, const char *text, unsigned indent);
