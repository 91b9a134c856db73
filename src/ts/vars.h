/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Task sequence variables
 *
 * Names ignore the case of ASCII letters; the spelling that came first is kept. A variable set to ""
 * does not exist. Names that begin with '_' belong to the engine: the sequence and the site's
 * administrator can read them only.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct ts_vars;

enum {
    TS_VAR_NAME_MAX = 256,              /* bytes */
    TS_VAR_VALUE_MAX = 16 * 1024,       /* bytes; 4,000 characters of UTF-8 always fit */
    TS_VAR_SEQUENCE_VALUE_MAX = 4000,   /* characters, of a value that the sequence sets */
    TS_VARS_MAX = 2000,                 /* variables */
    TS_VARS_TOTAL_MAX = 1024 * 1024,    /* bytes, names and values */
    TS_VARS_ENVIRONMENT_MAX = 8 * 1024, /* bytes, names and values of those without '_' in front */
};

enum ts_who {
    TS_BY_SEQUENCE, /* a step: '_' names are refused, and what is longer than documented */
    TS_BY_SITE,     /* an administrator, before the run: '_' names are refused */
    TS_BY_ENGINE,
};

/* Outcomes of ts_vars_set() beside 0 */
enum {
    TS_VARS_E_NAME =
        1, /* not a name: letters, digits, '_', '-' ('.' by the engine); begins with a letter or '_' */
    TS_VARS_E_READ_ONLY = 2, /* begins with '_', and this is not the engine */
    TS_VARS_E_LIMIT = 3,     /* value too long, too many variables, or too much in all */
};

int ts_vars_new(struct ts_vars **ret);
void ts_vars_free(struct ts_vars *vars);

/* @ret: another one with the same variables; owned by the caller. Return: 0 or -ENOMEM. */
int ts_vars_copy(const struct ts_vars *vars, struct ts_vars **ret);

/* Whether @who may call a variable so; one with '_' in front is the engine's all the same. */
bool ts_vars_is_name(const char *name, enum ts_who who);

/**
 * ts_vars_set() - set, replace or (with "") delete
 * @name, @value: copied
 *
 * A secret variable stays secret when it gets a new value.
 *
 * Return: 0, an outcome, or -ENOMEM.
 */
int ts_vars_set(struct ts_vars *vars, const char *name, const char *value, enum ts_who who);

/**
 * ts_vars_set_heard() - ts_vars_set() as a step does, of a value that a program printed or a person typed
 *
 * A value in which that of a secret variable stands is a secret itself, as what an assignment makes of one is.
 */
int ts_vars_set_heard(struct ts_vars *vars, const char *name, const char *value);

/* Never show the value of @name, which may be set later. A name that ts_name_is_secret() knows is secret without being
   told. */
int ts_vars_set_secret(struct ts_vars *vars, const char *name);
bool ts_vars_is_secret(const struct ts_vars *vars, const char *name);

/* The value, "" if it does not exist; borrowed until that variable changes. */
const char *ts_vars_get(const struct ts_vars *vars, const char *name);

/**
 * ts_vars_list() - element @i of a list: the value of "Base01", "Base02", ...
 * @digits: 2 or 3, as the step type documents
 * @i:      from 0
 *
 * Return: "" behind the last: a list ends at the first variable that does not exist.
 */
const char *ts_vars_list(const struct ts_vars *vars, const char *base, unsigned digits, size_t i);

/* The value of "<Base><index><Property>", "OSDAdapter0EnableDHCP"; "" if it does not exist. */
const char *
ts_vars_array(const struct ts_vars *vars, const char *base, size_t i, const char *property);

/* Whether the value is "true", "yes" or "1", in any case. */
bool ts_vars_is_true(const struct ts_vars *vars, const char *name);

/**
 * ts_vars_at() - the variables one after the other, in the order they were first set
 * @i: 0, 1, ...
 * @ret_is_secret: may be NULL
 *
 * Return: false behind the last. A name that was deleted comes with the value "".
 */
bool ts_vars_at(const struct ts_vars *vars,
                size_t i,
                const char **ret_name,
                const char **ret_value,
                bool *ret_is_secret);

/**
 * ts_vars_expand() - append @text with each %NAME% of an existing variable replaced by its value
 *
 * Once: what a value holds is not expanded again. %NAME% of a variable that does not exist stays as it
 * is, as does a lone %.
 *
 * Return: whether the value of a secret variable went in.
 */
bool ts_vars_expand(const struct ts_vars *vars, const char *text, struct buf *ret);

/* The same for people: of a secret variable "***". */
void ts_vars_expand_shown(const struct ts_vars *vars, const char *text, struct buf *ret);

/* Whether there is a %NAME% in @text, so that what it says is not known before it is expanded. */
bool ts_vars_has_reference(const char *text);

/**
 * ts_vars_mask() - append @text with every value of a secret variable replaced by "***", for logs
 *
 * A value of less than four bytes is only replaced where no letter or digit stands beside it. Of a value with several lines
 * also each line of at least eight bytes is: logs have lines.
 */
void ts_vars_mask(const struct ts_vars *vars, const char *text, struct buf *ret);

/**
 * ts_vars_mask_part() - ts_vars_mask() of text that goes on, or that was cut
 *
 * Return: bytes of @text that are done. The rest may be the beginning of a secret: less than TS_VAR_VALUE_MAX.
 */
size_t ts_vars_mask_part(const struct ts_vars *vars, const char *text, struct buf *ret);
