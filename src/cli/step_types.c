/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_types.h"

#include "base/own.h"
#include "cli/sequence.h"
#include "ts/document.h"

static const char *place_of(const struct ts_step_type *type)
{
    switch (type->run_in) {
    case TS_RUN_IN_BOOT_IMAGE:
        return "boot image";
    case TS_RUN_IN_FULL_OS:
        return "full operating system";
    default:
        return "both";
    }
}

static const char *platform_of(const struct ts_step_type *type)
{
    switch (type->platform) {
    case TS_PLATFORM_LINUX:
        return "Linux";
    case TS_PLATFORM_WINDOWS:
        return "Windows";
    case TS_PLATFORM_BOTH:
        break;
    }
    return "both";
}

static json_t *property_json(const struct ts_property *property)
{
    json_t *value = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s*, s:s*}",
                              "name",
                              property->name,
                              "variable",
                              property->variable,
                              "label",
                              property->label,
                              "kind",
                              ts_kind_name(property->kind),
                              "is_required",
                              (int)property->is_required,
                              "is_secret",
                              (int)ts_property_is_secret(property),
                              "default",
                              property->default_text,
                              "choices",
                              property->choices);

    if (property->min != 0 || property->max != 0) {
        (void)json_object_set_new(value, "min", json_integer(property->min));
        (void)json_object_set_new(value, "max", json_integer(property->max));
    }
    return value;
}

static json_t *type_json(const struct ts_step_type *type)
{
    json_t *properties = json_array();

    for (size_t i = 0; i < type->n_properties; i++)
        (void)json_array_append_new(properties, property_json(&type->properties[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o}",
                     "type",
                     type->type,
                     "name",
                     type->display_name,
                     "category",
                     ts_category_name(type->category),
                     "runs_in",
                     place_of(type),
                     "platform",
                     platform_of(type),
                     "is_legacy",
                     (int)type->is_legacy,
                     "properties",
                     properties);
}

static bool print_one(struct session *s, const struct ts_step_type *type)
{
    static const struct output_column fields[] = {
        {"Name", "name", OUTPUT_TEXT},
        {"Type", "type", OUTPUT_TEXT},
        {"Category", "category", OUTPUT_TEXT},
        {"Runs in", "runs_in", OUTPUT_TEXT},
        {"Platform", "platform", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column properties[] = {
        {"PROPERTY", "name", OUTPUT_TEXT},
        {"VARIABLE", "variable", OUTPUT_TEXT},
        {"KIND", "kind", OUTPUT_TEXT},
        {"REQUIRED", "is_required", OUTPUT_TEXT},
        {"DEFAULT", "default", OUTPUT_TEXT},
        {"CHOICES", "choices", OUTPUT_TEXT},
        {"LEAST", "min", OUTPUT_TEXT},
        {"MOST", "max", OUTPUT_TEXT},
        {"WHAT IT IS", "label", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *value = type_json(type);

    return session_print_fields(s, value, fields) &&
           session_print_part(s, "Properties", output_at(value, "properties"), properties);
}

bool sequence_step_types(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"NAME", "name", OUTPUT_TEXT},
        {"CATEGORY", "category", OUTPUT_TEXT},
        {"RUNS IN", "runs_in", OUTPUT_TEXT},
        {"PLATFORM", "platform", OUTPUT_TEXT},
        {"TYPE", "type", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *list = json_array();
    const struct ts_step_type *type = NULL;

    if (args->n_operands > 2)
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "types wants one type at most; put its name in quotes");
    if (args->n_operands == 2) {
        type = ts_step_type_find(args->operands[1]);
        return type ? print_one(s, type)
                    : session_fail(
                          s,
                          ARGS_EXIT_NOT_FOUND,
                          NULL,
                          "there is no type of step \"%s\"; slipway ts step types lists them",
                          args->operands[1]);
    }
    for (size_t i = 0; (type = ts_step_type_at(i)); i++)
        (void)json_array_append_new(list, type_json(type));
    return session_print_list(s, list, columns);
}
