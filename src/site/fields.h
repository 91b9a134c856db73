/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Members of a JSON object from outside, checked by a table before anybody reads them
 */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "site/refusal.h"

struct site;

enum field_type {
    FIELD_TEXT,   /* UTF-8 of min..max bytes without NUL */
    FIELD_LINE,   /* of min..max characters, without control characters */
    FIELD_NAME,   /* such a line that is_fit_name() lets be one, of at most FIELD_NAME_MAX_BYTES */
    FIELD_NUMBER, /* whole, min..max; null counts as absent */
    FIELD_BOOL,
    FIELD_CHOICE, /* one of the words of choices, separated by '|' */
    FIELD_MAC,    /* any spelling of base/text.h */
    FIELD_UUID,
    FIELD_OBJECT,
    FIELD_ARRAY, /* of at most max items */
};

enum {
    FIELD_NAME_MAX_BYTES = 255,
};

struct field {
    const char *name;
    enum field_type type;
    bool is_required; /* one that is not may also be null */
    uint64_t min;
    uint64_t max;
    const char *choices;
};

/**
 * fields_check() - is @object what @fields say, which end with .name == NULL
 * @is_open: members that are not in the table are let be; otherwise they are refused
 * @id:      how to refuse
 *
 * Return: 0 or SITE_E_REFUSED, with the name of the member.
 */
int fields_check(struct site *site,
                 const json_t *object,
                 const struct field *fields,
                 bool is_open,
                 enum refusal_id id);

/*
 * May a thing be called so: no control character, no blank at the ends, and not of the form of an id of the site (SLP10004, BG00001),
 * which would take the place of what has that id.
 */
bool is_fit_name(const char *name);

/* Values of checked members. Text is borrowed; what is absent or null is the fallback. */
const char *field_text(const json_t *object, const char *name, const char *fallback);
uint64_t field_number(const json_t *object, const char *name, uint64_t fallback);
bool field_bool(const json_t *object, const char *name);
