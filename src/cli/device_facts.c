/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a device said of itself to conditions of task sequences. */

#include "base/own.h"
#include "cli/commands.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 1024,
};

static void add_rows(json_t *rows, const char *class_name, size_t n, json_t *instance)
{
    const char *property;
    json_t *value;

    json_object_foreach(instance, property, value)
    {
        (void)json_array_append_new(rows,
                                    json_pack("{ss sI ss sO}",
                                              "class",
                                              class_name,
                                              "instance",
                                              (json_int_t)n,
                                              "property",
                                              property,
                                              "value",
                                              value));
    }
}

/* A row per property. */
static json_t *rows_of(const json_t *facts)
{
    json_t *rows = json_array();
    json_t *classes = output_at(facts, "classes");
    const char *name;
    json_t *instances;

    json_object_foreach(classes, name, instances)
    {
        for (size_t i = 0; i < json_array_size(instances); i++)
            add_rows(rows, name, i + 1, json_array_get(instances, i));
    }
    return rows;
}

static json_t *variables_of(const json_t *facts)
{
    json_t *rows = json_array();
    const char *name;
    json_t *value;

    json_object_foreach(output_at(facts, "variables"), name, value)
    {
        (void)json_array_append_new(rows, json_pack("{ss sO}", "name", name, "value", value));
    }
    return rows;
}

bool device_facts(struct session *s, const struct args *args)
{
    static const struct output_column fields[] = {
        {"From", "source", OUTPUT_TEXT},
        {"Registered (UTC)", "registered_at", OUTPUT_TIME},
        {"Running", "environment", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column properties[] = {
        {"CLASS", "class", OUTPUT_TEXT},
        {"OF THESE", "instance", OUTPUT_TEXT},
        {"PROPERTY", "property", OUTPUT_TEXT},
        {"VALUE", "value", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column variables[] = {
        {"VARIABLE", "name", OUTPUT_TEXT},
        {"VALUE", "value", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *facts = NULL;
    OWN(session_json_freep) json_t *rows = NULL;
    OWN(session_json_freep) json_t *names = NULL;
    OWN(buf_fini) struct buf id = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&id, args->operands[0]);
    if (!session_open(s) || !session_get(s, &facts, "/devices/%s/facts", buf_str(&id)))
        return false;
    rows = rows_of(facts);
    names = variables_of(facts);
    return session_print_fields(s, facts, fields) &&
           session_print_part(s, "Classes", rows, properties) &&
           session_print_part(s, "Variables", names, variables);
}
