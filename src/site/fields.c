/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/fields.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "site/site.h"

static bool is_choice(const char *text, const char *choices)
{
    size_t len = strlen(text);

    while (*choices) {
        size_t n = strcspn(choices, "|");

        if (n == len && memcmp(choices, text, n) == 0)
            return true;
        choices += n + (choices[n] == '|' ? 1 : 0);
    }
    return false;
}

static bool is_text(const json_t *value, const struct field *field)
{
    size_t len = json_string_length(value);

    return json_is_string(value) && len >= field->min && len <= field->max &&
           strlen(json_string_value(value)) == len;
}

/* jansson has checked that it is UTF-8: what does not continue a character begins one. */
static bool is_line(const json_t *value, const struct field *field)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    uint64_t n = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c == 0x7f)
            return false;
        n += (c & 0xc0) != 0x80;
    }
    return json_is_string(value) && n >= field->min && n <= field->max;
}

/* "SLP", a digit and four digits or letters; or what kind of thing it is, in two letters, and its number. */
static bool is_like_id(const char *name)
{
    static const char digits[] = "0123456789";
    static const char *const prefixes[] = {"AD", "BD", "BG", "DG", "DP", "SR", "SS"};
    size_t len = strlen(name);

    if (len == 8 && strncasecmp(name, SITE_CODE, 3) == 0 && strspn(name + 3, digits) > 0) {
        size_t n = 4;

        while (n < len && isascii((unsigned char)name[n]) && isalnum((unsigned char)name[n]))
            n++;
        return n == len;
    }
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (len >= 7 && strncasecmp(name, prefixes[i], 2) == 0 &&
            strspn(name + 2, digits) == len - 2)
            return true;
    return false;
}

bool is_fit_name(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    return len > 0 && len <= FIELD_NAME_MAX_BYTES && name[0] != ' ' && name[len - 1] != ' ' &&
           !is_like_id(name);
}

static bool is_number(const json_t *value, const struct field *field)
{
    return json_is_integer(value) && json_integer_value(value) >= 0 &&
           (uint64_t)json_integer_value(value) >= field->min &&
           (uint64_t)json_integer_value(value) <= field->max;
}

static bool is_good(const json_t *value, const struct field *field)
{
    uint8_t bytes[UUID_BYTES];

    switch (field->type) {
    case FIELD_TEXT:
        return is_text(value, field);
    case FIELD_LINE:
        return is_line(value, field);
    case FIELD_NAME:
        return is_line(value, field) && is_fit_name(json_string_value(value));
    case FIELD_NUMBER:
        return is_number(value, field);
    case FIELD_BOOL:
        return json_is_boolean(value);
    case FIELD_CHOICE:
        return json_is_string(value) && is_choice(json_string_value(value), field->choices);
    case FIELD_MAC:
        return json_is_string(value) && mac_parse(bytes_of(json_string_value(value)), bytes);
    case FIELD_UUID:
        return json_is_string(value) && uuid_parse(bytes_of(json_string_value(value)), bytes);
    case FIELD_OBJECT:
        return json_is_object(value);
    case FIELD_ARRAY:
        return json_is_array(value) && json_array_size(value) <= field->max;
    }
    return false;
}

static void put_wanted(char *dst, size_t cap, const struct field *field)
{
    switch (field->type) {
    case FIELD_TEXT:
        (void)snprintf(dst,
                       cap,
                       "text of %llu to %llu bytes",
                       (unsigned long long)field->min,
                       (unsigned long long)field->max);
        break;
    case FIELD_LINE:
        (void)snprintf(dst,
                       cap,
                       "a line of %llu to %llu characters",
                       (unsigned long long)field->min,
                       (unsigned long long)field->max);
        break;
    case FIELD_NAME:
        (void)snprintf(
            dst,
            cap,
            "a line of %llu to %llu characters (255 bytes at most) that neither begins nor "
            "ends with a blank and is not like an id, as SLP10004 and BG00001 are",
            (unsigned long long)field->min,
            (unsigned long long)field->max);
        break;
    case FIELD_NUMBER:
        (void)snprintf(dst,
                       cap,
                       "a whole number from %llu to %llu",
                       (unsigned long long)field->min,
                       (unsigned long long)field->max);
        break;
    case FIELD_BOOL:
        (void)snprintf(dst, cap, "true or false");
        break;
    case FIELD_CHOICE:
        (void)snprintf(dst, cap, "one of %s", field->choices);
        break;
    case FIELD_MAC:
        (void)snprintf(dst, cap, "a MAC address");
        break;
    case FIELD_UUID:
        (void)snprintf(dst, cap, "a UUID");
        break;
    case FIELD_OBJECT:
        (void)snprintf(dst, cap, "an object");
        break;
    case FIELD_ARRAY:
        (void)snprintf(dst, cap, "a list of at most %llu", (unsigned long long)field->max);
        break;
    }
}

static int
check_one(struct site *site, const json_t *object, const struct field *field, enum refusal_id id)
{
    const json_t *value = json_object_get(object, field->name);
    char wanted[512];

    if (!value || json_is_null(value)) {
        if (!field->is_required)
            return 0;
        return refuse_member(site, id, field->name, "\"%s\" is required.", field->name);
    }
    if (is_good(value, field))
        return 0;
    put_wanted(wanted, sizeof(wanted), field);
    return refuse_member(site, id, field->name, "\"%s\" must be %s.", field->name, wanted);
}

static bool is_named(const struct field *fields, const char *name)
{
    for (; fields->name; fields++)
        if (strcmp(fields->name, name) == 0)
            return true;
    return false;
}

static size_t count_named(const json_t *object, const struct field *fields)
{
    size_t n = 0;

    for (; fields->name; fields++)
        if (json_object_get(object, fields->name))
            n++;
    return n;
}

/* Iterating wants an object that may be changed, so the bad one is copied to find the name. */
static int
check_names(struct site *site, const json_t *object, const struct field *fields, enum refusal_id id)
{
    OWN(json_freep) json_t *copy = NULL;

    if (count_named(object, fields) == json_object_size(object))
        return 0;
    copy = json_deep_copy(object);
    for (void *at = json_object_iter(copy); at; at = json_object_iter_next(copy, at))
        if (!is_named(fields, json_object_iter_key(at)))
            return refuse_member(site,
                                 id,
                                 json_object_iter_key(at),
                                 "\"%.64s\" is not known here.",
                                 json_object_iter_key(at));
    return refuse(site, id, "A member is not known here.");
}

int fields_check(struct site *site,
                 const json_t *object,
                 const struct field *fields,
                 bool is_open,
                 enum refusal_id id)
{
    if (!is_open) {
        int r = check_names(site, object, fields, id);

        if (r != 0)
            return r;
    }
    for (const struct field *field = fields; field->name; field++) {
        int r = check_one(site, object, field, id);

        if (r != 0)
            return r;
    }
    return 0;
}

const char *field_text(const json_t *object, const char *name, const char *fallback)
{
    const json_t *value = json_object_get(object, name);

    return json_is_string(value) ? json_string_value(value) : fallback;
}

uint64_t field_number(const json_t *object, const char *name, uint64_t fallback)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) && json_integer_value(value) >= 0
               ? (uint64_t)json_integer_value(value)
               : fallback;
}

bool field_bool(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}
