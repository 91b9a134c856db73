/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the writer and the reader of the YAML spelling agree on
 */

#include <stdbool.h>
#include <stddef.h>

#include "ts/step_types.h"

enum {
    TS_YAML_NAME_MAX = 320,
};

/* An expression that has a short form: its fields in the order in which they are written. */
struct ts_yaml_form {
    const char *type;
    const char *key; /* of main_field's text */
    size_t n_fields;
    const char *main_field;
    size_t main_at;
    const char *second_field; /* NULL: there is none */
    size_t second_at;
    const char *second_key; /* NULL: the operator, which is field 0, is the key */
    bool has_operator;
};

extern const struct ts_yaml_form ts_yaml_forms[];
extern const size_t ts_yaml_n_forms;

/* Attributes of a variable that need not be written. */
struct ts_yaml_usual {
    char property[TS_YAML_NAME_MAX];
    bool is_hidden;
};
void ts_yaml_usual(const struct ts_step_type *type, const char *name, struct ts_yaml_usual *ret);

/* "any" for "or", and the reverse; NULL if it is none. */
const char *ts_yaml_word(const char *type);
const char *ts_yaml_type(const char *word);

bool ts_yaml_is_operator(const char *name);

/* Whether an attribute with this name could be taken for something else. */
bool ts_yaml_is_key(const char *name);
