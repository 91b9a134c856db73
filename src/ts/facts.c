/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/classes.h"
#include "ts/compare.h"

struct ts_table {
    struct ts_class **classes; /* owned */
    size_t n_classes;
    size_t n_values;
    bool failed;
};

int ts_table_new(struct ts_table **ret)
{
    struct ts_table *table = calloc(1, sizeof(*table));

    if (!table)
        return ERR(-ENOMEM);
    *ret = table;
    return 0;
}

static void free_instance(struct ts_instance *instance)
{
    for (size_t i = 0; i < instance->n_properties; i++) {
        struct ts_property *p = &instance->properties[i];

        for (size_t k = 0; k < p->n_values; k++)
            free(p->values[k].text);
        free(p->values);
        free(p->name);
    }
    free(instance->properties);
    free(instance);
}

static void free_class(struct ts_class *c)
{
    for (size_t i = 0; i < c->n_instances; i++)
        free_instance(c->instances[i]);
    free(c->instances);
    free(c->namespace_name);
    free(c->name);
    free(c);
}

void ts_table_free(struct ts_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->n_classes; i++)
        free_class(table->classes[i]);
    free(table->classes);
    free(table);
}

bool ts_table_failed(const struct ts_table *table)
{
    return table->failed;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

/* One more value may be added. */
static bool has_room(struct ts_table *table)
{
    if (table->n_values == TS_TABLE_MAX)
        table->failed = true;
    else
        table->n_values++;
    return !table->failed;
}

/* An array of @n elements gets room for one more. It doubles, so a table of many values is not copied for each of
   them: its room ends where @n is a power of two. Return: NULL if memory ran out; the array is as it was then. */
static void *with_room(void *array, size_t n, size_t size)
{
    return array && (n & (n - 1)) != 0 ? array : realloc(array, (n == 0 ? 1 : 2 * n) * size);
}

const struct ts_class *
ts_table_find(const struct ts_table *table, const char *namespace_name, const char *name)
{
    if (namespace_name[0] == '\0')
        namespace_name = TS_CIMV2;
    for (size_t i = 0; i < table->n_classes; i++)
        if (ts_compare_text(table->classes[i]->name, name) == 0 &&
            ts_is_same_namespace(table->classes[i]->namespace_name, namespace_name))
            return table->classes[i];
    return NULL;
}

const struct ts_class *ts_table_at(const struct ts_table *table, size_t i)
{
    return i < table->n_classes ? table->classes[i] : NULL;
}

struct ts_class *
ts_table_class(struct ts_table *table, const char *namespace_name, const char *name)
{
    const struct ts_class *found = ts_table_find(table, namespace_name, name);

    for (size_t i = 0; found && i < table->n_classes; i++)
        if (table->classes[i] == found)
            return table->classes[i];
    if (!has_room(table))
        return NULL;

    struct ts_class **grown =
        with_room(table->classes, table->n_classes, sizeof(struct ts_class *));
    struct ts_class *c = calloc(1, sizeof(*c));

    if (grown)
        table->classes = grown;
    if (c) {
        c->namespace_name = copy_text(namespace_name[0] != '\0' ? namespace_name : TS_CIMV2);
        c->name = copy_text(name);
    }
    if (!grown || !c || !c->name || !c->namespace_name) {
        if (c)
            free_class(c);
        table->failed = true;
        return NULL;
    }
    grown[table->n_classes++] = c;
    return c;
}

struct ts_instance *ts_class_add(struct ts_table *table, struct ts_class *c)
{
    if (!c || !has_room(table))
        return NULL;

    struct ts_instance **grown =
        with_room(c->instances, c->n_instances, sizeof(struct ts_instance *));
    struct ts_instance *instance = calloc(1, sizeof(*instance));

    if (grown)
        c->instances = grown;
    if (!grown || !instance) {
        free(instance);
        table->failed = true;
        return NULL;
    }
    grown[c->n_instances++] = instance;
    return instance;
}

static struct ts_property *find_property(const struct ts_instance *instance, const char *name)
{
    for (size_t i = 0; i < instance->n_properties; i++)
        if (ts_compare_text(instance->properties[i].name, name) == 0)
            return &instance->properties[i];
    return NULL;
}

static struct ts_property *
obtain_property(struct ts_table *table, struct ts_instance *instance, const char *name)
{
    struct ts_property *property = instance ? find_property(instance, name) : NULL;

    if (property || !instance || !has_room(table))
        return property;

    struct ts_property *grown =
        with_room(instance->properties, instance->n_properties, sizeof(*grown));
    char *copy = copy_text(name);

    if (grown)
        instance->properties = grown;
    if (!grown || !copy) {
        free(copy);
        table->failed = true;
        return NULL;
    }
    property = &grown[instance->n_properties++];
    *property = (struct ts_property){.name = copy};
    return property;
}

/* Takes over the text of @value. */
static void
add(struct ts_table *table, struct ts_instance *instance, const char *name, struct ts_scalar value)
{
    OWN(freep) char *text = value.text;
    struct ts_property *property = obtain_property(table, instance, name);

    if (!property || !has_room(table))
        return;

    struct ts_scalar *grown = with_room(property->values, property->n_values, sizeof(*grown));

    if (!grown) {
        table->failed = true;
        return;
    }
    property->values = grown;
    property->is_array |= property->n_values > 0;
    value.text = TAKE(text);
    grown[property->n_values++] = value;
}

void ts_instance_add_text(struct ts_table *table,
                          struct ts_instance *instance,
                          const char *name,
                          const char *text)
{
    char *copy = copy_text(text);

    if (!copy)
        table->failed = true;
    else
        add(table, instance, name, (struct ts_scalar){.kind = TS_SCALAR_TEXT, .text = copy});
}

void ts_instance_add_number(struct ts_table *table,
                            struct ts_instance *instance,
                            const char *name,
                            int64_t number)
{
    add(table, instance, name, (struct ts_scalar){.kind = TS_SCALAR_NUMBER, .number = number});
}

void ts_instance_add_boolean(struct ts_table *table,
                             struct ts_instance *instance,
                             const char *name,
                             bool value)
{
    add(table, instance, name, (struct ts_scalar){.kind = TS_SCALAR_BOOLEAN, .number = value});
}

void ts_instance_add_null(struct ts_table *table, struct ts_instance *instance, const char *name)
{
    add(table, instance, name, (struct ts_scalar){.kind = TS_SCALAR_NULL});
}

void ts_instance_add_array(struct ts_table *table, struct ts_instance *instance, const char *name)
{
    struct ts_property *property = obtain_property(table, instance, name);

    if (property)
        property->is_array = true;
}

const struct ts_property *ts_instance_find(const struct ts_instance *instance, const char *name)
{
    return find_property(instance, name);
}

const char *ts_instance_text(const struct ts_instance *instance, const char *name)
{
    const struct ts_property *property = find_property(instance, name);

    return property && property->n_values > 0 && property->values[0].text ? property->values[0].text
                                                                          : "";
}

static const struct ts_class *table_class(void *ctx, const char *namespace_name, const char *name)
{
    return ts_table_find(ctx, namespace_name, name);
}

static enum ts_known
table_path(void *ctx, const char *path, bool is_folder, struct ts_path_fact *ret)
{
    const struct ts_class *c = ts_table_find(ctx, TS_OF_OURS, is_folder ? "folders" : "files");

    if (!c)
        return TS_NOT_TOLD;
    for (size_t i = 0; i < c->n_instances; i++) {
        if (ts_compare_text(ts_instance_text(c->instances[i], "path"), path) != 0)
            continue;
        ret->version = ts_instance_text(c->instances[i], "version");
        ret->has_modified =
            ts_parse_date(ts_instance_text(c->instances[i], "modified"), &ret->modified_us);
        return TS_KNOWN;
    }
    return TS_MISSING;
}

static enum ts_known
table_registry(void *ctx, const char *key, const char *value, struct ts_registry_fact *ret)
{
    const struct ts_class *c = ts_table_find(ctx, TS_OF_OURS, "registry");

    if (!c)
        return TS_NOT_TOLD;
    for (size_t i = 0; i < c->n_instances; i++) {
        if (ts_compare_text(ts_instance_text(c->instances[i], "key"), key) != 0 ||
            (value[0] != '\0' &&
             ts_compare_text(ts_instance_text(c->instances[i], "value"), value) != 0))
            continue;
        ret->type = ts_instance_text(c->instances[i], "type");
        ret->data = ts_instance_text(c->instances[i], "data");
        return TS_KNOWN;
    }
    return TS_MISSING;
}

static enum ts_known table_software(void *ctx,
                                    const char *product_code,
                                    const char *upgrade_code,
                                    struct ts_software_fact *ret)
{
    const struct ts_class *c = ts_table_find(ctx, TS_OF_OURS, "software");
    bool is_product = product_code[0] != '\0';
    const char *wanted = is_product ? product_code : upgrade_code;

    if (!c || wanted[0] == '\0')
        return TS_NOT_TOLD;
    for (size_t i = 0; i < c->n_instances; i++) {
        const char *code =
            ts_instance_text(c->instances[i], is_product ? "product_code" : "upgrade_code");

        if (ts_compare_text(code, wanted) != 0)
            continue;
        ret->version = ts_instance_text(c->instances[i], "version");
        return TS_KNOWN;
    }
    return TS_MISSING;
}

static enum ts_known table_package(void *ctx, const char *name, struct ts_software_fact *ret)
{
    const struct ts_class *c = ts_table_find(ctx, TS_OF_OURS, "software");

    for (size_t i = 0; c && i < c->n_instances; i++) {
        if (ts_compare_text(ts_instance_text(c->instances[i], "name"), name) != 0)
            continue;
        ret->version = ts_instance_text(c->instances[i], "version");
        return TS_KNOWN;
    }
    return c ? TS_MISSING : TS_NOT_TOLD;
}

struct ts_facts ts_table_facts(struct ts_table *table)
{
    return (struct ts_facts){
        .find_class = table_class,
        .find_path = table_path,
        .find_registry = table_registry,
        .find_software = table_software,
        .find_package = table_package,
        .ctx = table, /* the functions above only read */
    };
}

bool ts_facts_have_volume(const struct ts_facts *facts)
{
    enum {
        DRIVE_FIXED = 3, /* DriveType */
    };
    static const char *const classes[] = {"Win32_Volume", "Win32_LogicalDisk"};

    for (size_t i = 0; facts && facts->find_class && i < sizeof(classes) / sizeof(classes[0]);
         i++) {
        const struct ts_class *c = facts->find_class(facts->ctx, TS_CIMV2, classes[i]);

        for (size_t k = 0; c && k < c->n_instances; k++) {
            const struct ts_property *type = ts_instance_find(c->instances[k], "DriveType");

            if (type && type->n_values > 0 && type->values[0].number == DRIVE_FIXED)
                return true;
        }
    }
    return false;
}
