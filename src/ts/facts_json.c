/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/facts_json.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/facts.h"
#include "ts/vars.h"

enum {
    VERSION = 1,
    NAMESPACE_MAX = 256,
    CLASS_NAME_MAX = 1024, /* with its namespace */
};

DEFINE_FREEP(struct ts_table *, ts_table_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static const char *const our_classes[] = {"files", "folders", "registry", "software"};

static int malformed(struct buf *why, const char *what, const char *name)
{
    buf_addf(why, "%s%.128s", what, name);
    return TS_FACTS_E_MALFORMED;
}

/* Return: false if it is no scalar. */
static bool read_scalar(struct ts_table *table,
                        struct ts_instance *instance,
                        const char *name,
                        const json_t *value)
{
    if (json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value))
        ts_instance_add_text(table, instance, name, json_string_value(value));
    else if (json_is_integer(value))
        ts_instance_add_number(table, instance, name, json_integer_value(value));
    else if (json_is_boolean(value))
        ts_instance_add_boolean(table, instance, name, json_is_true(value));
    else if (json_is_null(value))
        ts_instance_add_null(table, instance, name);
    else
        return false;
    return true;
}

static bool read_property(struct ts_table *table,
                          struct ts_instance *instance,
                          const char *name,
                          const json_t *value)
{
    if (ts_instance_find(instance, name)) /* the same in other letters */
        return false;
    if (!json_is_array(value))
        return read_scalar(table, instance, name, value);
    ts_instance_add_array(table, instance, name);
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!read_scalar(table, instance, name, json_array_get(value, i)))
            return false;
    return true;
}

static int read_class(
    struct ts_table *table, const char *space, const char *name, json_t *instances, struct buf *why)
{
    struct ts_class *c;
    const char *property;
    json_t *value;

    if (name[0] == '\0' || !json_is_array(instances))
        return malformed(why, "not an array of instances: ", name);
    if (ts_table_find(table, space, name))
        return malformed(why, "twice the same class: ", name);
    c = ts_table_class(table, space, name);
    for (size_t i = 0; c && i < json_array_size(instances); i++) {
        json_t *object = json_array_get(instances, i);
        struct ts_instance *instance = ts_class_add(table, c);

        if (!json_is_object(object))
            return malformed(why, "an instance that is no object: ", name);
        json_object_foreach(object, property, value)
        {
            if (instance && !read_property(table, instance, property, value))
                return malformed(
                    why, "neither text, number, true, false, null nor an array: ", property);
        }
    }
    return 0;
}

/* "Win32_Bios", or "root\\wmi:MS_X" */
static int
read_named_class(struct ts_table *table, const char *name, json_t *instances, struct buf *why)
{
    const char *colon = strrchr(name, ':');
    OWN(buf_fini) struct buf space = BUF_INIT(NAMESPACE_MAX);

    if (!colon)
        return TRACE(read_class(table, TS_CIMV2, name, instances, why));
    buf_add(&space, (struct bytes){(const uint8_t *)name, (size_t)(colon - name)});
    if (space.failed || strcmp(buf_str(&space), TS_OF_OURS) == 0)
        return malformed(why, "not a namespace: ", name);
    return TRACE(read_class(table, buf_str(&space), colon + 1, instances, why));
}

static int read_table(const json_t *json, struct ts_table *table, struct buf *why)
{
    json_t *classes = json_object_get(json, "classes");
    const char *name;
    json_t *instances;
    int r = 0;

    if (classes && !json_is_object(classes))
        return malformed(why, "not an object: ", "classes");
    json_object_foreach(classes, name, instances)
    {
        r = read_named_class(table, name, instances, why);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    for (size_t i = 0; i < sizeof(our_classes) / sizeof(our_classes[0]) && r == 0; i++) {
        json_t *ours = json_object_get(json, our_classes[i]);

        if (ours)
            r = read_class(table, TS_OF_OURS, our_classes[i], ours, why);
    }
    if (r == 0 && ts_table_failed(table))
        return malformed(why, "there are too many facts", "");
    return r < 0 ? TRACE(r) : r;
}

static int read_variables(const json_t *json, struct ts_vars *vars, struct buf *why)
{
    json_t *variables = json_object_get(json, "variables");
    const char *name;
    json_t *value;

    if (variables && !json_is_object(variables))
        return malformed(why, "not an object: ", "variables");
    json_object_foreach(variables, name, value)
    {
        int r = json_is_string(value)
                    ? ts_vars_set(vars, name, json_string_value(value), TS_BY_ENGINE)
                    : TS_VARS_E_NAME;

        if (r < 0)
            return TRACE(r);
        if (r > 0)
            return malformed(why, "not a variable: ", name);
    }
    return 0;
}

static bool read_environment(const json_t *json, unsigned *ret)
{
    const json_t *value = json_object_get(json, "environment");
    const char *word = json_string_value(value);

    *ret = 0;
    if (word && strcmp(word, "boot-image") == 0)
        *ret = TS_RUN_IN_BOOT_IMAGE;
    else if (word && strcmp(word, "full-os") == 0)
        *ret = TS_RUN_IN_FULL_OS;
    return !value || *ret != 0;
}

int ts_facts_read(const json_t *json, struct ts_facts_file *ret, struct buf *why)
{
    OWN(ts_table_freep) struct ts_table *table = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    unsigned environment;
    int r;

    if (json_integer_value(json_object_get(json, "version")) != VERSION)
        return malformed(why, "\"version\" is not 1", "");
    if (!read_environment(json, &environment))
        return malformed(why, "\"environment\" is neither boot-image nor full-os", "");
    r = ts_table_new(&table);
    if (r == 0)
        r = ts_vars_new(&vars);
    if (r == 0)
        r = read_table(json, table, why);
    if (r == 0)
        r = read_variables(json, vars, why);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    *ret = (struct ts_facts_file){TAKE(table), TAKE(vars), environment};
    return 0;
}

int ts_facts_parse(struct bytes text, struct ts_facts_file *ret, struct buf *why)
{
    OWN(json_decrefp) json_t *json = NULL;
    json_error_t error;

    if (text.len > TS_FACTS_MAX_BYTES)
        return malformed(why, "it is too large", "");
    json = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(json)) {
        buf_addf(why,
                 "it is no JSON object: line %d: %.128s",
                 json ? 1 : error.line,
                 json ? "" : error.text);
        return TS_FACTS_E_MALFORMED;
    }
    return TRACE(ts_facts_read(json, ret, why));
}

static json_t *scalar_json(const struct ts_scalar *value)
{
    switch (value->kind) {
    case TS_SCALAR_NULL:
        break;
    case TS_SCALAR_BOOLEAN:
        return json_boolean(value->number);
    case TS_SCALAR_NUMBER:
        return json_integer(value->number);
    case TS_SCALAR_TEXT: {
        json_t *text = json_string(value->text);

        return text ? text : json_string(""); /* not UTF-8 */
    }
    }
    return json_null();
}

static json_t *property_json(const struct ts_property *property)
{
    json_t *array;

    if (!property->is_array)
        return property->n_values > 0 ? scalar_json(&property->values[0]) : json_null();
    array = json_array();
    for (size_t i = 0; i < property->n_values; i++)
        (void)json_array_append_new(array, scalar_json(&property->values[i]));
    return array;
}

static json_t *class_json(const struct ts_class *c)
{
    json_t *instances = json_array();

    for (size_t i = 0; i < c->n_instances; i++) {
        json_t *object = json_object();

        for (size_t k = 0; k < c->instances[i]->n_properties; k++)
            (void)json_object_set_new(object,
                                      c->instances[i]->properties[k].name,
                                      property_json(&c->instances[i]->properties[k]));
        (void)json_array_append_new(instances, object);
    }
    return instances;
}

static void put_classes(const struct ts_table *table, json_t *json)
{
    json_t *classes = json_object();
    const struct ts_class *c;

    for (size_t i = 0; (c = ts_table_at(table, i)); i++) {
        OWN(buf_fini) struct buf name = BUF_INIT(CLASS_NAME_MAX);

        if (strcmp(c->namespace_name, TS_OF_OURS) == 0) {
            (void)json_object_set_new(json, c->name, class_json(c));
            continue;
        }
        if (strcmp(c->namespace_name, TS_CIMV2) != 0)
            buf_addf(&name, "%s:", c->namespace_name);
        buf_adds(&name, c->name);
        (void)json_object_set_new(classes, buf_str(&name), class_json(c));
    }
    (void)json_object_set_new(json, "classes", classes);
}

int ts_facts_json(const struct ts_facts_file *file, json_t **ret)
{
    OWN(json_decrefp) json_t *json = json_pack("{si}", "version", VERSION);
    json_t *variables = json_object();
    const char *name;
    const char *value;
    bool is_secret;

    if (!json || !variables) {
        json_decref(variables);
        return ERR(-ENOMEM);
    }
    if (file->environment == TS_RUN_IN_BOOT_IMAGE || file->environment == TS_RUN_IN_FULL_OS)
        (void)json_object_set_new(
            json,
            "environment",
            json_string(file->environment == TS_RUN_IN_FULL_OS ? "full-os" : "boot-image"));
    put_classes(file->table, json);
    for (size_t i = 0; file->vars && ts_vars_at(file->vars, i, &name, &value, &is_secret); i++)
        if (value[0] != '\0' && !is_secret)
            (void)json_object_set_new(variables, name, json_string(value));
    (void)json_object_set_new(json, "variables", variables);
    *ret = TAKE(json);
    return 0;
}

/* Bytes of it without spaces; 0 without memory. */
static size_t size_of(const json_t *json)
{
    return json_dumpb(json, NULL, 0, JSON_COMPACT);
}

static const char *find_largest(json_t *classes)
{
    const char *largest = NULL;
    size_t most = 0;
    const char *name;
    json_t *instances;

    json_object_foreach(classes, name, instances)
    {
        size_t size = size_of(instances);

        if (size > most) {
            most = size;
            largest = name;
        }
    }
    return largest;
}

int ts_facts_bound(json_t *json, size_t max_bytes)
{
    json_t *classes = json_object_get(json, "classes");
    size_t size;
    int n = 0;

    while ((size = size_of(json)) > max_bytes) {
        const char *largest = find_largest(classes);

        if (!largest)
            break;
        (void)json_object_del(classes, largest);
        n++;
    }
    return size > 0 ? n : ERR(-ENOMEM);
}

static int add_piece(const char *piece, size_t size, void *ctx)
{
    buf_add(ctx, (struct bytes){(const uint8_t *)piece, size});
    return 0;
}

int ts_facts_put(const struct ts_facts_file *file, struct buf *ret)
{
    OWN(json_decrefp) json_t *json = NULL;
    int r = ts_facts_json(file, &json);

    if (r < 0)
        return TRACE(r);
    if (json_dump_callback(json, add_piece, ret, JSON_INDENT(2)) != 0 || ret->failed)
        return ERR(-ENOMEM);
    return 0;
}
