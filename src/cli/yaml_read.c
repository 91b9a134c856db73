/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/yaml_read.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/err.h"
#include "base/own.h"

enum {
    NUMBER_MAX_BYTES = 64,
};

/* One open sequence or mapping. */
struct level {
    json_t *value; /* owned by the one above, the outermost by the reader */
    char *key;     /* of a mapping: it waits for its value; owned */
};

struct reader {
    yaml_parser_t parser;
    struct level levels[YAML_READ_DEPTH_MAX];
    size_t depth;
    size_t n_values;
    json_t *documents; /* owned */
    json_t *document;  /* owned; NULL: none yet */
    struct buf *why;
};

static void reader_fini(struct reader *r)
{
    for (size_t i = 0; i < r->depth; i++)
        free(r->levels[i].key);
    json_decref(r->document);
    json_decref(r->documents);
    yaml_parser_delete(&r->parser);
}

static int refuse(struct reader *r, const yaml_mark_t *at, const char *what)
{
    buf_addf(r->why, "line %zu: %s", at->line + 1, what);
    return 1;
}

static bool equals(struct bytes text, const char *const words[])
{
    for (; *words; words++)
        if (bytes_eq(text, bytes_of(*words)))
            return true;
    return false;
}

/* Digits with a sign, a point, an exponent, and nothing else: what YAML's core schema takes for a number. */
static json_t *number_of(struct bytes text)
{
    char digits[NUMBER_MAX_BYTES];
    json_error_t error;
    json_t *value;

    if (text.len == 0 || text.len >= sizeof(digits))
        return NULL;
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("0123456789+-.eE", text.ptr[i]) || text.ptr[i] == 0)
            return NULL;
    (void)snprintf(digits, sizeof(digits), "%.*s", (int)text.len, (const char *)text.ptr);
    /* JSON's numbers are the ones that need no thought: no "010", no "+1", no "1.". */
    value = json_loads(digits, JSON_DECODE_ANY, &error);
    return value;
}

static json_t *plain_of(struct bytes text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    json_t *number;

    if (equals(text, nulls))
        return json_null();
    if (equals(text, trues))
        return json_true();
    if (equals(text, falses))
        return json_false();
    number = number_of(text);
    return number ? number : json_stringn((const char *)text.ptr, text.len);
}

/* @value: taken over */
static int put(struct reader *r, const yaml_mark_t *at, json_t *value)
{
    struct level *level = r->depth > 0 ? &r->levels[r->depth - 1] : NULL;
    int failed;

    if (!value)
        return ERR(-ENOMEM);
    if (++r->n_values > YAML_READ_VALUES_MAX) {
        json_decref(value);
        return refuse(r, at, "there are too many values");
    }
    if (!level) {
        r->document = value;
        return 0;
    }
    if (json_is_array(level->value))
        return json_array_append_new(level->value, value) == 0 ? 0 : ERR(-ENOMEM);
    failed = json_object_set_new(level->value, level->key, value);
    free(level->key);
    level->key = NULL;
    return failed ? ERR(-ENOMEM) : 0;
}

static bool wants_key(const struct reader *r)
{
    const struct level *level = r->depth > 0 ? &r->levels[r->depth - 1] : NULL;

    return level && json_is_object(level->value) && !level->key;
}

static int take_key(struct reader *r, const yaml_event_t *event)
{
    struct level *level = &r->levels[r->depth - 1];
    const char *key = (const char *)event->data.scalar.value;

    if (strlen(key) != event->data.scalar.length)
        return refuse(r, &event->start_mark, "a key has a null character");
    if (json_object_get(level->value, key))
        return refuse(r, &event->start_mark, "a key stands twice");
    level->key = strdup(key);
    return level->key ? 0 : ERR(-ENOMEM);
}

static int take_scalar(struct reader *r, const yaml_event_t *event)
{
    const struct bytes text = {event->data.scalar.value, event->data.scalar.length};

    if (event->data.scalar.anchor || event->data.scalar.tag)
        return refuse(r, &event->start_mark, "anchors and tags are not understood");
    if (wants_key(r))
        return take_key(r, event);
    return put(r,
               &event->start_mark,
               event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE
                   ? plain_of(text)
                   : json_stringn((const char *)text.ptr, text.len));
}

/* @value: taken over */
static int open_level(struct reader *r, const yaml_event_t *event, json_t *value, bool is_marked)
{
    int e;

    if (is_marked || wants_key(r) || r->depth == YAML_READ_DEPTH_MAX) {
        json_decref(value);
        return refuse(r,
                      &event->start_mark,
                      is_marked      ? "anchors and tags are not understood"
                      : wants_key(r) ? "a key is no text"
                                     : "it is nested too deep");
    }
    e = put(r, &event->start_mark, value);
    if (e == 0)
        r->levels[r->depth++] = (struct level){.value = value};
    return e;
}

static int end_document(struct reader *r)
{
    json_t *document = r->document;

    r->document = NULL;
    if (json_is_null(document)) {
        json_decref(document);
        return 0;
    }
    return json_array_append_new(r->documents, document) == 0 ? 0 : ERR(-ENOMEM);
}

static int take(struct reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_level(r,
                          event,
                          json_array(),
                          event->data.sequence_start.anchor || event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return open_level(r,
                          event,
                          json_object(),
                          event->data.mapping_start.anchor || event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        r->depth--;
        return 0;
    case YAML_ALIAS_EVENT:
        return refuse(r, &event->start_mark, "aliases are not understood");
    case YAML_DOCUMENT_END_EVENT:
        return end_document(r);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
        return 0;
    }
    return 0;
}

static int read_all(struct reader *r)
{
    for (bool is_over = false; !is_over;) {
        yaml_event_t event;
        int e;

        if (!yaml_parser_parse(&r->parser, &event)) {
            const yaml_mark_t mark = r->parser.problem_mark;

            if (r->parser.error == YAML_MEMORY_ERROR)
                return ERR(-ENOMEM);
            return refuse(r, &mark, r->parser.problem ? r->parser.problem : "it is no YAML");
        }
        is_over = event.type == YAML_STREAM_END_EVENT;
        e = take(r, &event);
        yaml_event_delete(&event);
        if (e != 0)
            return e < 0 ? TRACE(e) : e;
    }
    return 0;
}

int yaml_read(struct bytes text, json_t **ret, struct buf *why)
{
    OWN(reader_fini) struct reader r = {.why = why};
    int e;

    if (!yaml_parser_initialize(&r.parser))
        return ERR(-ENOMEM);
    if (text.len > YAML_READ_MAX_BYTES) {
        buf_addf(why, "it is larger than %d MiB", YAML_READ_MAX_BYTES / 1024 / 1024);
        return 1;
    }
    r.documents = json_array();
    if (!r.documents)
        return ERR(-ENOMEM);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &r.parser, text.len > 0 ? text.ptr : (const unsigned char *)"", text.len);
    e = read_all(&r);
    if (e == 0)
        *ret = TAKE(r.documents);
    return e < 0 ? TRACE(e) : e;
}
