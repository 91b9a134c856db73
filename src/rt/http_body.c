/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/http_server.h"

#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"

enum {
    JSON_DEPTH_MAX = 32,
    SHOWN_MAX = 256,
};

static bool is_deeper(json_t *value, unsigned levels);

static bool is_object_deeper(json_t *object, unsigned levels)
{
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
        if (is_deeper(json_object_iter_value(at), levels))
            return true;
    return false;
}

static bool is_deeper(json_t *value, unsigned levels)
{
    if (!json_is_object(value) && !json_is_array(value))
        return false;
    if (levels == 0)
        return true;
    if (json_is_object(value))
        return is_object_deeper(value, levels - 1);
    for (size_t i = 0; i < json_array_size(value); i++)
        if (is_deeper(json_array_get(value, i), levels - 1))
            return true;
    return false;
}

/* What the parser says, which repeats what stood there. */
static const char *put_safe(char dst[static SHOWN_MAX], const char *text)
{
    bool is_utf8 = text_is_utf8(bytes_of(text)); /* it may end in the middle of a character */
    size_t n = 0;

    for (; *text && n + 1 < SHOWN_MAX; text++) {
        unsigned char c = (unsigned char)*text;

        dst[n] = *text;
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !is_utf8))
            dst[n] = '?';
        n++;
    }
    dst[n] = '\0';
    return dst;
}

int http_body_json(struct http_exchange *x, json_t **ret)
{
    struct bytes body = http_body(x);
    json_error_t error = {.line = 0};
    OWN(json_decrefp)
    json_t *value = json_loadb(
        body.len > 0 ? (const char *)body.ptr : "", body.len, JSON_REJECT_DUPLICATES, &error);
    char shown[SHOWN_MAX];
    int r;

    if (json_is_object(value) && !is_deeper(value, JSON_DEPTH_MAX)) {
        *ret = TAKE(value);
        return 0;
    }
    if (value)
        r = http_reply_problem(x,
                               400,
                               "SLW-0002",
                               "Not a JSON object",
                               "The body must be one JSON object, at most %d levels deep.",
                               JSON_DEPTH_MAX);
    else
        r = http_reply_problem(x,
                               400,
                               "SLW-0002",
                               "Not a JSON object",
                               "Line %d, column %d: %s",
                               error.line,
                               error.column,
                               put_safe(shown, error.text));
    return r < 0 ? TRACE(r) : 1;
}
