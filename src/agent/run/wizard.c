/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/wizard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"

#define TYPED_BACK  "<"
#define TYPED_EMPTY "-"

struct field {
    const char *name; /* of the question */
    char *value;      /* owned; NULL: none was typed */
    bool is_secret;
};

struct wizard {
    json_t *waiting; /* owned: what the site said */
    struct field *fields;
    size_t n;
    size_t at;
};

DEFINE_FREEP(struct wizard *, wizard_free);

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void forget(struct field *field)
{
    if (field->value)
        explicit_bzero(field->value, strlen(field->value));
    free(field->value);
    field->value = NULL;
}

void wizard_free(struct wizard *wizard)
{
    if (!wizard)
        return;
    for (size_t i = 0; i < wizard->n; i++)
        forget(&wizard->fields[i]);
    free(wizard->fields);
    json_decref(wizard->waiting);
    free(wizard);
}

int wizard_new(const json_t *waiting, struct wizard **ret)
{
    OWN(wizard_freep) struct wizard *wizard = calloc(1, sizeof(*wizard));
    const json_t *list;
    size_t n;

    if (!wizard)
        return ERR(-ENOMEM);
    wizard->waiting = json_deep_copy(waiting);
    list = json_object_get(wizard->waiting, "variables");
    n = json_array_size(list);
    wizard->fields = calloc(n + 1, sizeof(*wizard->fields));
    if (!wizard->waiting || !wizard->fields)
        return ERR(-ENOMEM);
    wizard->n = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);

        wizard->fields[i].name = text_of(item, "name");
        wizard->fields[i].is_secret = json_is_true(json_object_get(item, "is_secret"));
    }
    *ret = TAKE(wizard);
    return 0;
}

bool wizard_fits(const struct wizard *wizard, const json_t *waiting)
{
    return json_equal(wizard->waiting, waiting);
}

static bool is_utf8(const char *text)
{
    json_t *value = json_string(text);
    bool is_text = value != NULL;

    json_decref(value);
    return is_text;
}

static int keep(struct field *field, const char *typed)
{
    char *copy = strdup(typed);

    if (!copy)
        return ERR(-ENOMEM);
    forget(field);
    field->value = copy;
    return 0;
}

int wizard_take(struct wizard *wizard, const char *typed)
{
    int r = 0;

    if (strcmp(typed, TYPED_BACK) == 0) {
        if (wizard->at == 0)
            return WIZARD_BACK;
        wizard->at--;
        return WIZARD_GOES_ON;
    }
    if (wizard->at == wizard->n)
        return typed[0] == '\0' ? WIZARD_DONE : WIZARD_GOES_ON;
    if (!is_utf8(typed))
        return WIZARD_NO_TEXT;
    if (strcmp(typed, TYPED_EMPTY) == 0)
        forget(&wizard->fields[wizard->at]);
    else if (typed[0] != '\0')
        r = keep(&wizard->fields[wizard->at], typed);
    if (r < 0)
        return TRACE(r);
    wizard->at++;
    return WIZARD_GOES_ON;
}

void wizard_reopen(struct wizard *wizard)
{
    if (wizard->at == wizard->n && wizard->n > 0)
        wizard->at--;
}

bool wizard_is_secret(const struct wizard *wizard)
{
    return wizard->at < wizard->n && wizard->fields[wizard->at].is_secret;
}

size_t wizard_n_lines(const struct wizard *wizard)
{
    return wizard->n;
}

void wizard_put_line(const struct wizard *wizard, size_t i, char *dst, size_t cap)
{
    const struct field *field = &wizard->fields[i];

    (void)snprintf(dst,
                   cap,
                   "%.80s = %.100s",
                   field->name,
                   !field->value      ? ""
                   : field->is_secret ? "***"
                                      : field->value);
}

size_t wizard_at(const struct wizard *wizard)
{
    return wizard->at;
}

void wizard_put_question(const struct wizard *wizard, char *dst, size_t cap)
{
    const struct field *field = &wizard->fields[wizard->at];

    if (wizard->at == wizard->n)
        (void)snprintf(dst, cap, "Enter to begin with these, < to go back");
    else
        (void)snprintf(dst,
                       cap,
                       "%.80s, %zu of %zu%s; Enter: %s; <: back",
                       field->name,
                       wizard->at + 1,
                       wizard->n,
                       field->is_secret ? " (it is not shown)" : "",
                       field->value ? "as it is, -: empty" : "leave it empty");
}

json_t *wizard_answer(const struct wizard *wizard)
{
    json_t *variables = json_object();

    for (size_t i = 0; i < wizard->n; i++) {
        const struct field *field = &wizard->fields[i];

        if (json_object_set_new(
                variables, field->name, json_string(field->value ? field->value : "")) < 0) {
            json_decref(variables);
            return NULL;
        }
    }
    return json_pack("{s:s,s:o}",
                     "deployment_id",
                     text_of(wizard->waiting, "deployment_id"),
                     "variables",
                     variables);
}
