/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a condition may ask about this machine: the table of facts, and who answers
 *
 * The table is data, as WMI would show it: classes, their instances, and the properties of these. Whoever
 * fills it looks at the machine; ts only reads. Files, folders, registry values and software are classes too,
 * in a namespace of our own, so that a table can stand for a whole machine in a simulation.
 *
 *     r = ts_table_new(&table);
 *     class = ts_table_class(table, TS_CIMV2, "Win32_Battery");
 *     instance = ts_class_add(table, class);
 *     ts_instance_add_text(table, instance, "Name", "BAT0");
 *     if (ts_table_failed(table))
 *
 * Like a sink, a table remembers that memory ran out or a limit was hit, and is asked once, at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ts/classes.h"

#define TS_OF_OURS "slipway" /* classes "files", "folders", "registry", "software" */

enum {
    TS_TABLE_MAX = 200000, /* values */
};

enum ts_scalar_kind {
    TS_SCALAR_NULL,
    TS_SCALAR_BOOLEAN,
    TS_SCALAR_NUMBER,
    TS_SCALAR_TEXT, /* dates too: "20240102030405.000000+000" */
};

struct ts_scalar {
    enum ts_scalar_kind kind;
    int64_t number; /* of a boolean: 0 or 1 */
    char *text;     /* owned; NULL unless it is text */
};

struct ts_property {
    char *name;               /* owned */
    struct ts_scalar *values; /* owned */
    size_t n_values;
    bool is_array;
};

struct ts_instance {
    struct ts_property *properties; /* owned */
    size_t n_properties;
};

struct ts_class {
    char *namespace_name; /* owned */
    char *name;           /* owned */
    struct ts_instance **instances;
    size_t n_instances;
};

struct ts_table;

int ts_table_new(struct ts_table **ret);
void ts_table_free(struct ts_table *table);
bool ts_table_failed(const struct ts_table *table);

/* The class of that name, made if there is none. NULL: the table has failed; the functions below take that. */
struct ts_class *
ts_table_class(struct ts_table *table, const char *namespace_name, const char *name);
struct ts_instance *ts_class_add(struct ts_table *table, struct ts_class *c);

/* A property; added again, the same name becomes an array. */
void ts_instance_add_text(struct ts_table *table,
                          struct ts_instance *instance,
                          const char *name,
                          const char *text);
void ts_instance_add_number(struct ts_table *table,
                            struct ts_instance *instance,
                            const char *name,
                            int64_t number);
void ts_instance_add_boolean(struct ts_table *table,
                             struct ts_instance *instance,
                             const char *name,
                             bool value);
void ts_instance_add_null(struct ts_table *table, struct ts_instance *instance, const char *name);

/* An array even with one element or none; the elements are then added. */
void ts_instance_add_array(struct ts_table *table, struct ts_instance *instance, const char *name);

/**
 * ts_table_find() - a class
 * @namespace_name: case and the kind of slash do not matter, nor a "\\.\" in front; "" is root\cimv2
 *
 * Return: NULL if nobody filled it in.
 */
const struct ts_class *
ts_table_find(const struct ts_table *table, const char *namespace_name, const char *name);

/* The @i-th class in the order of their first mention; NULL behind the last. */
const struct ts_class *ts_table_at(const struct ts_table *table, size_t i);

/* NULL if it has none of that name. Letters' case does not matter. */
const struct ts_property *ts_instance_find(const struct ts_instance *instance, const char *name);

/* The text of a property that is text, "" otherwise. */
const char *ts_instance_text(const struct ts_instance *instance, const char *name);

/* The table's answers to what is not WMI. */

enum ts_known {
    TS_KNOWN,
    TS_MISSING,  /* it is known that there is none */
    TS_NOT_TOLD, /* nobody here can tell */
};

struct ts_path_fact {
    const char *version; /* "" unknown; borrowed until the next question */
    int64_t modified_us; /* of UTC since 1970 */
    bool has_modified;
};

struct ts_registry_fact {
    const char *type; /* "REG_SZ"; borrowed until the next question */
    const char *data; /* numbers in decimal */
};

struct ts_software_fact {
    const char *version; /* borrowed until the next question */
};

/* Who answers. Any function may be NULL: it cannot be told. */
struct ts_facts {
    /* The class, or NULL if it cannot be told; borrowed until the next call. */
    const struct ts_class *(*find_class)(void *ctx, const char *namespace_name, const char *name);
    enum ts_known (*find_path)(void *ctx,
                               const char *path,
                               bool is_folder,
                               struct ts_path_fact *ret);
    enum ts_known (*find_registry)(void *ctx,
                                   const char *key,
                                   const char *value,
                                   struct ts_registry_fact *ret);
    /* By product code, or if that is "", by upgrade code. */
    enum ts_known (*find_software)(void *ctx,
                                   const char *product_code,
                                   const char *upgrade_code,
                                   struct ts_software_fact *ret);
    /* By its name, as the distribution calls the package. */
    enum ts_known (*find_package)(void *ctx, const char *name, struct ts_software_fact *ret);
    /* The value of an environment variable; NULL: there is none of that name. */
    const char *(*find_environment)(void *ctx, const char *name);
    void *ctx;
};

/* Whether a class has a fixed volume: an instance of Win32_Volume or Win32_LogicalDisk with DriveType 3. */
bool ts_facts_have_volume(const struct ts_facts *facts);

/* All answers from a table, for a simulation. */
struct ts_facts ts_table_facts(struct ts_table *table);
