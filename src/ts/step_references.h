/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * By which of its variables a step refers to content, applications and other task sequences
 */

#include <stdbool.h>

#include "base/bytes.h"

struct ts_step_type;

enum ts_referring {
    TS_REFERS_NOT,
    TS_REFERS_MAYBE, /* nobody knows what the variable is: it does if its text is in <referenceList> */
    TS_REFERS_TO_PACKAGE,
    TS_REFERS_TO_APPLICATION,
    TS_REFERS_TO_SEQUENCE,
};

/* @type: NULL if it is none of ours. @property: "" if the variable has none. */
enum ts_referring
ts_refers_by(const struct ts_step_type *type, const char *name, const char *property);

/* Whether a variable of this name holds ids with commas between them. A '/' is a part of an id. */
bool ts_name_is_list(const char *name);

/**
 * ts_list_next() - an item of such a list
 * @name: of the variable; in a list of packages spaces separate, too
 * @at:   where to begin; moved on behind it
 * @ret:  borrowed from the list; never empty
 *
 * Return: false if there are no more.
 */
bool ts_list_next(const char *name, const char **at, struct bytes *ret);

/* Where @id begins as a whole item of the list that the variable @name holds; NULL if it is not in it. */
const char *ts_list_find(const char *name, const char *list, const char *id);
