/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/http_values.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"

void http_values_fini(struct http_values *values)
{
    for (size_t i = 0; i < values->n; i++) {
        free(values->names[i]);
        free(values->values[i]);
    }
    values->n = 0;
}

const char *http_values_find(const struct http_values *values, const char *name)
{
    for (size_t i = 0; i < values->n; i++)
        if (strcmp(values->names[i], name) == 0)
            return values->values[i];
    return NULL;
}

/* @src without its percent signs. Return: 0, 1 if it is ill-encoded or no UTF-8, or -ENOMEM. */
static int decode(struct bytes src, char **ret)
{
    OWN(freep) char *text = malloc(src.len + 1);
    size_t len = 0;

    if (!text)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < src.len; i++) {
        uint8_t byte = src.ptr[i];

        if (byte == '%') {
            if (src.len - i < 3 || !hex_parse((struct bytes){src.ptr + i + 1, 2}, 1, &byte))
                return 1;
            i += 2;
        }
        if (byte == '\0')
            return 1;
        text[len++] = (char)byte;
    }
    text[len] = '\0';
    if (!text_is_utf8((struct bytes){(const uint8_t *)text, len}))
        return 1;
    *ret = TAKE(text);
    return 0;
}

static int add_decoded(struct http_values *values, struct bytes name, struct bytes value)
{
    OWN(freep) char *own_name = NULL;
    OWN(freep) char *own_value = NULL;
    int r;

    if (values->n == HTTP_VALUES_MAX)
        return 1;
    r = decode(name, &own_name);
    if (r == 0)
        r = decode(value, &own_value);
    if (r != 0)
        return TRACE(r);
    values->names[values->n] = TAKE(own_name);
    values->values[values->n] = TAKE(own_value);
    values->n++;
    return 0;
}

int http_values_add(struct http_values *values, const char *name, const char *value)
{
    OWN(freep) char *own_name = strdup(name);
    OWN(freep) char *own_value = strdup(value);

    if (!own_name || !own_value)
        return ERR(-ENOMEM);
    if (values->n == HTTP_VALUES_MAX)
        return 1;
    values->names[values->n] = TAKE(own_name);
    values->values[values->n] = TAKE(own_value);
    values->n++;
    return 0;
}

int http_values_add_encoded(struct http_values *values,
                            const char *name,
                            const char *value,
                            size_t len)
{
    return TRACE(add_decoded(values, bytes_of(name), (struct bytes){(const uint8_t *)value, len}));
}

/* Up to the next slash; behind it, or at the end, is where @at goes on. */
static struct bytes take_segment(const char **at)
{
    size_t len = strcspn(*at, "/");
    struct bytes segment = {(const uint8_t *)*at, len};

    *at += len;
    return segment;
}

static bool is_variable(struct bytes segment)
{
    return segment.len > 2 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}';
}

int http_values_match(const char *pattern, const char *path, struct http_values *values)
{
    while (*pattern == '/' && *path == '/') {
        pattern++;
        path++;

        struct bytes wanted = take_segment(&pattern);
        struct bytes got = take_segment(&path);
        int r;

        if (!is_variable(wanted)) {
            if (!bytes_eq(wanted, got))
                return 1;
            continue;
        }
        if (got.len == 0)
            return 1;
        r = add_decoded(values, (struct bytes){wanted.ptr + 1, wanted.len - 2}, got);
        if (r != 0)
            return TRACE(r);
    }
    return *pattern == '\0' && *path == '\0' ? 0 : 1;
}
