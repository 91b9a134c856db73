/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/object.h"

#include <string.h>

#include "base/own.h"
#include "cli/output.h"

enum {
    KEY_MAX_BYTES = 16 * 1024,
};

/* Nothing, "", [] and {} are one and the same: what is not said. */
static bool is_empty(const json_t *value)
{
    return !value || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

/* Whether @is has all that @wanted says. */
static bool has_all(const json_t *is, json_t *wanted)
{
    const char *key;
    json_t *value;

    if (is_empty(wanted))
        return is_empty(is) || json_is_false(is);
    if (json_is_false(wanted) && is_empty(is))
        return true;
    if (json_is_array(wanted)) {
        if (json_array_size(is) != json_array_size(wanted))
            return false;
        for (size_t i = 0; i < json_array_size(wanted); i++)
            if (!has_all(json_array_get(is, i), json_array_get(wanted, i)))
                return false;
        return true;
    }
    if (!json_is_object(wanted))
        return is && json_equal(is, wanted);
    json_object_foreach(wanted, key, value)
    {
        if (!has_all(json_object_get(is, key), value))
            return false;
    }
    return true;
}

/* The member of "a|b|c" that @item has; "" if none. */
static const char *one_of(const json_t *item, const char *names, size_t len)
{
    while (len > 0) {
        const char *bar = memchr(names, '|', len);
        size_t n = bar ? (size_t)(bar - names) : len;
        const json_t *value = json_object_getn(item, names, n);

        if (json_is_string(value) && json_string_length(value) > 0)
            return json_string_value(value);
        names += n + (bar ? 1 : 0);
        len -= n + (bar ? 1 : 0);
    }
    return "";
}

void object_put_key(struct buf *dst, const struct object_part *part, const json_t *item)
{
    if (!part->key) {
        buf_adds(dst, "/");
        session_escape(dst, json_string_value(item) ? json_string_value(item) : "");
        return;
    }
    for (const char *at = part->key; *at;) {
        size_t len = strcspn(at, "/");

        buf_adds(dst, "/");
        session_escape(dst, one_of(item, at, len));
        at += len + (at[len] == '/');
    }
}

static const json_t *
find_item(const struct object_part *part, const json_t *list, const json_t *item)
{
    OWN(buf_fini) struct buf key = BUF_INIT(KEY_MAX_BYTES);

    object_put_key(&key, part, item);
    for (size_t i = 0; i < json_array_size(list); i++) {
        OWN(buf_fini) struct buf other = BUF_INIT(KEY_MAX_BYTES);

        object_put_key(&other, part, json_array_get(list, i));
        if (strcmp(buf_str(&key), buf_str(&other)) == 0)
            return json_array_get(list, i);
    }
    return NULL;
}

static int add_change(json_t *changes,
                      const struct object_part *part,
                      const char *operation,
                      const json_t *is,
                      const json_t *item)
{
    return json_array_append_new(changes,
                                 json_pack("{s:s, s:s, s:O?, s:O}",
                                           "member",
                                           part->name,
                                           "operation",
                                           operation,
                                           "is",
                                           is,
                                           "item",
                                           item));
}

static bool is_secret(const json_t *item)
{
    return item && json_is_true(json_object_get(item, "is_secret"));
}

/* A secret's value is never read: one that is there counts as the one that is wanted. */
static int
compare_item(json_t *changes, const struct object_part *part, const json_t *is, json_t *wanted)
{
    if (is && (has_all(is, wanted) || (is_secret(is) && is_secret(wanted))))
        return 0;
    if (is_secret(wanted) && !json_object_get(wanted, "value"))
        return add_change(changes, part, "missing-secret", NULL, wanted);
    return add_change(changes, part, is ? "change" : "add", is, wanted);
}

static int compare_part(json_t *changes,
                        const struct object_part *part,
                        const json_t *is,
                        const json_t *wanted)
{
    int failed = 0;

    for (size_t i = 0; i < json_array_size(is); i++) {
        const json_t *item = json_array_get(is, i);

        if (!find_item(part, wanted, item))
            failed |= add_change(changes, part, "remove", NULL, item);
    }
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        json_t *item = json_array_get(wanted, i);

        failed |= compare_item(changes, part, find_item(part, is, item), item);
    }
    return failed;
}

static int
compare_field(json_t *changes, const struct object_field *field, const json_t *is, json_t *wanted)
{
    json_t *change;

    if (field->is_exact ? json_equal(is ? is : json_null(), wanted) : has_all(is, wanted))
        return 0;
    change = json_pack("{s:s, s:O?, s:O}", "member", field->name, "is", is, "wanted", wanted);
    if (field->is_fixed)
        (void)json_object_set_new(change, "is_fixed", json_true());
    return json_array_append_new(changes, change);
}

json_t *object_compare(const struct object_kind *kind, const json_t *is, const json_t *wanted)
{
    OWN(session_json_freep) json_t *changes = json_array();
    int failed = changes ? 0 : -1;

    for (const struct object_field *f = kind->fields; f->name; f++) {
        json_t *value = json_object_get(wanted, f->name);

        if (value)
            failed |= compare_field(changes, f, json_object_get(is, f->name), value);
    }
    for (const struct object_part *p = kind->parts; p && p->name; p++) {
        const json_t *list = json_object_get(wanted, p->name);

        if (list)
            failed |= compare_part(changes, p, json_object_get(is, p->name), list);
    }
    return failed ? NULL : TAKE(changes);
}
