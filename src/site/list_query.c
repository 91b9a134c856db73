/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/list_query.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "site/site.h"

#define DESCENDING "desc"
#define ASCENDING  "asc"

static const struct filter_property *find_property(const struct permission_list *list,
                                                   struct bytes name)
{
    for (const struct filter_property *p = list->items; p->name; p++)
        if (bytes_eq(bytes_of(p->name), name))
            return p;
    return NULL;
}

/* Up to one of @ends, without blanks around it; @at moves behind it. */
static struct bytes take_word(const char **at, const char *ends)
{
    struct bytes word;

    *at += strspn(*at, " ");
    word = (struct bytes){(const uint8_t *)*at, strcspn(*at, ends)};
    *at += word.len;
    *at += strspn(*at, " ");
    return word;
}

static int refuse_name(struct site *site, const char *parameter, struct bytes name)
{
    return refuse_parameter(site,
                            parameter,
                            "\"%s\": the items have no \"%.*s\" to go by.",
                            parameter,
                            name.len > 64 ? 64 : (int)name.len,
                            (const char *)name.ptr);
}

/* One of the keys, with the word behind it. */
static int parse_key(struct site *site, const char **at, struct list_order *ret)
{
    struct bytes name = take_word(at, " ,");
    struct bytes word = take_word(at, " ,");
    const struct filter_property *property = find_property(ret->list, name);
    bool is_descending = bytes_eq(word, bytes_of(DESCENDING));

    if (!property || property->is_many)
        return refuse_name(site, "order_by", name);
    if (word.len > 0 && !is_descending && !bytes_eq(word, bytes_of(ASCENDING)))
        return refuse_parameter(
            site, "order_by", "\"order_by\": behind a name may be \"desc\" or \"asc\".");
    if (**at != ',' && **at != '\0')
        return refuse_parameter(site, "order_by", "\"order_by\": names are separated by commas.");
    if (ret->n_keys == LIST_KEYS_MAX)
        return refuse_parameter(
            site, "order_by", "\"order_by\" has more than %d names.", LIST_KEYS_MAX);
    ret->keys[ret->n_keys].name = property->name;
    ret->keys[ret->n_keys++].is_descending = is_descending;
    return 0;
}

int list_order_parse(struct site *site,
                     const char *text,
                     const struct permission_list *list,
                     struct list_order *ret)
{
    const char *at = text;
    int r;

    *ret = (struct list_order){.list = list};
    if (strlen(text) > LIST_NAMES_MAX_BYTES)
        return refuse_parameter(
            site, "order_by", "\"order_by\" has more than %d characters.", LIST_NAMES_MAX_BYTES);
    r = parse_key(site, &at, ret);
    while (r == 0 && *at == ',') {
        at++;
        r = parse_key(site, &at, ret);
    }
    return r;
}

static char fold(char c)
{
    if (c < 'A' || c > 'Z')
        return c;
    return "abcdefghijklmnopqrstuvwxyz"[c - 'A'];
}

/* The beginning of a text in lower case, not cut within a character. */
static json_t *text_key(const char *text, size_t len)
{
    char key[LIST_KEY_TEXT_MAX];
    size_t n = len < sizeof(key) ? len : sizeof(key);

    while (n < len && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++)
        key[i] = fold(text[i]);
    return json_stringn(key, n);
}

static json_t *value_key(const json_t *value)
{
    if (json_is_string(value))
        return text_key(json_string_value(value), json_string_length(value));
    if (json_is_boolean(value))
        return json_integer(json_is_true(value) ? 1 : 0);
    if (json_is_integer(value))
        return json_integer(json_integer_value(value));
    if (json_is_real(value))
        return json_real(json_real_value(value));
    return json_null();
}

json_t *list_order_key(const struct list_order *order, const json_t *item)
{
    OWN(json_freep) json_t *key = json_array();
    const char *id = order->list->id;

    for (size_t i = 0; i < order->n_keys; i++)
        if (json_array_append_new(key, value_key(json_object_get(item, order->keys[i].name))) < 0)
            return NULL;
    if (json_array_append_new(key, value_key(id ? json_object_get(item, id) : NULL)) < 0)
        return NULL;
    return TAKE(key);
}

/* What is nothing comes first, numbers before texts. */
static int rank(const json_t *value)
{
    if (json_is_string(value))
        return 2;
    return json_is_number(value) ? 1 : 0;
}

static int compare_bytes(const json_t *a, const json_t *b)
{
    size_t a_len = json_string_length(a);
    size_t b_len = json_string_length(b);
    int r = memcmp(json_string_value(a), json_string_value(b), a_len < b_len ? a_len : b_len);

    if (r != 0 || a_len == b_len)
        return r;
    return a_len < b_len ? -1 : 1;
}

static int compare_values(const json_t *a, const json_t *b)
{
    int a_rank = rank(a);
    int b_rank = rank(b);

    if (a_rank != b_rank || a_rank == 0)
        return a_rank - b_rank;
    if (a_rank == 2)
        return compare_bytes(a, b);
    if (json_is_integer(a) && json_is_integer(b))
        return (json_integer_value(a) > json_integer_value(b)) -
               (json_integer_value(a) < json_integer_value(b));
    return (json_number_value(a) > json_number_value(b)) -
           (json_number_value(a) < json_number_value(b));
}

int list_order_compare(const struct list_order *order, const json_t *a, const json_t *b)
{
    for (size_t i = 0; i < order->n_keys; i++) {
        int r = compare_values(json_array_get(a, i), json_array_get(b, i));

        if (r != 0)
            return order->keys[i].is_descending ? -r : r;
    }
    return compare_values(json_array_get(a, order->n_keys), json_array_get(b, order->n_keys));
}

int list_filter_parse(struct site *site,
                      const char *text,
                      const struct permission_list *list,
                      struct filter **ret)
{
    struct filter_error error;
    int r = filter_parse(bytes_of(text), list->items, ret, &error);

    if (r == FILTER_E_SYNTAX)
        return refuse(site, REFUSAL_FILTER, "Column %zu: %s.", error.column, error.what);
    return TRACE(r);
}

struct looked_at {
    const struct filter *filter;
    const json_t *item;
};

static bool text_value(const json_t *value, enum filter_type type, struct filter_value *ret)
{
    struct bytes text = {(const uint8_t *)json_string_value(value), json_string_length(value)};

    if (type == FILTER_TEXT) {
        *ret = (struct filter_value){.type = type, .text = text};
        return true;
    }
    ret->type = FILTER_TIME;
    return type == FILTER_TIME && filter_parse_time(text, &ret->n);
}

static bool get_value(const void *ctx, unsigned property, size_t n, struct filter_value *ret)
{
    const struct looked_at *at = ctx;
    const struct filter_property *p = &at->filter->properties[property];
    const json_t *value = json_object_get(at->item, p->name);

    if (p->is_many)
        value = json_array_get(value, n);
    else if (n > 0)
        return false;
    if (json_is_string(value))
        return text_value(value, p->type, ret);
    if (json_is_boolean(value) && p->type == FILTER_TRUTH) {
        *ret = (struct filter_value){.type = FILTER_TRUTH, .n = json_is_true(value) ? 1 : 0};
        return true;
    }
    if (!json_is_integer(value) || p->type != FILTER_NUMBER || json_integer_value(value) < 0)
        return false;
    *ret = (struct filter_value){.type = FILTER_NUMBER, .n = (uint64_t)json_integer_value(value)};
    return true;
}

bool list_filter_match(const struct filter *filter, const json_t *item)
{
    return filter_match(filter, get_value, &(struct looked_at){filter, item});
}

static bool has_member(const struct permission_list *list, struct bytes name)
{
    for (const char *const *one = list->names; *one; one++)
        if (bytes_eq(bytes_of(*one), name))
            return true;
    return false;
}

int list_fields_check(struct site *site, const char *fields, const struct permission_list *list)
{
    const char *at = fields;
    bool is_more;

    if (strlen(fields) > LIST_NAMES_MAX_BYTES)
        return refuse_parameter(
            site, "fields", "\"fields\" has more than %d characters.", LIST_NAMES_MAX_BYTES);
    do {
        struct bytes name = take_word(&at, " ,");

        if (!has_member(list, name))
            return refuse_name(site, "fields", name);
        is_more = *at == ',';
        at += is_more ? 1 : 0;
    } while (is_more);
    return *at == '\0'
               ? 0
               : refuse_parameter(site, "fields", "\"fields\": names are separated by commas.");
}

static bool is_named(const char *list, const char *name)
{
    do {
        list += *list == ',';
        if (bytes_eq(take_word(&list, " ,"), bytes_of(name)))
            return true;
    } while (*list == ',');
    return false;
}

void list_fields_keep(json_t *item, const char *fields, const struct permission_list *list)
{
    const char *name;
    json_t *value;
    void *next;

    /* clang-format 14 does not know this loop */
    json_object_foreach_safe(item, next, name, value)
    {
        if ((!list->id || strcmp(name, list->id) != 0) && !is_named(fields, name))
            (void)json_object_del(item, name);
    }
}
