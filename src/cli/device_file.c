/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <string.h>

#include "base/own.h"
#include "cli/csv_parts.h"
#include "cli/session.h"
#include "plat/file.h"

enum {
    FILE_MAX_BYTES = 64 * 1024 * 1024,
    PART_MAX_BYTES = 4 * 1024 * 1024,
    PART_ROWS = 1000, /* what the site takes at once */
};

/* What was said of the parts so far. */
struct import {
    struct bytes csv;
    const char *collection;
    json_t *errors; /* owned */
    json_int_t n_devices;
    size_t n_parts; /* that were imported */
    size_t from;    /* line behind those */
};

static void import_fini(struct import *import)
{
    json_decref(import->errors);
}

static bool read_csv(struct session *s, const char *file, struct buf *ret)
{
    int r = file_read(strcmp(file, "-") == 0 ? "/dev/stdin" : file, ret);

    if (r == FILE_E_MISSING)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "there is no file \"%s\"", file);
    if (r > 0)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "\"%s\" is larger than 64 MiB", file);
    if (r < 0)
        return session_fail_errno(s, file, r);
    return true;
}

/* Their lines are those of the file. */
static void keep_errors(struct import *import, const struct csv_parts *parts, json_t *errors)
{
    size_t i;
    json_t *error;

    json_array_foreach(errors, i, error)
    {
        json_int_t line = json_integer_value(json_object_get(error, "line"));

        (void)json_object_set_new(
            error, "line", json_integer((json_int_t)csv_parts_line(parts, (size_t)line)));
        (void)json_array_append(import->errors, error);
    }
}

static bool send_part(struct session *s,
                      struct import *import,
                      const struct csv_parts *parts,
                      const struct buf *csv,
                      bool is_check)
{
    OWN(session_json_freep) json_t *answer = NULL;
    json_t *body = json_pack("{s:s%, s:s*, s:b}",
                             "csv",
                             buf_str(csv),
                             csv->len,
                             "collection",
                             import->collection,
                             "validate_only",
                             (int)is_check);

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "the file is not UTF-8");
    if (!session_call(s, "POST", "/devices:import", body, &answer))
        return false;
    keep_errors(import, parts, json_object_get(answer, "errors"));
    if (is_check || json_array_size(import->errors) == 0) /* a part that was refused is not in */
        import->n_devices += json_integer_value(json_object_get(answer, "n_devices"));
    if (!is_check && json_array_size(import->errors) == 0) {
        import->n_parts++;
        import->from = parts->n_behind + 1;
    }
    return true;
}

static bool send_all(struct session *s, struct import *import, bool is_check)
{
    OWN(buf_fini) struct buf csv = BUF_INIT(PART_MAX_BYTES);
    struct csv_parts parts = {.rest = import->csv};

    import->n_devices = 0;
    while ((is_check || json_array_size(import->errors) == 0) &&
           csv_parts_next(&parts, PART_ROWS, &csv)) {
        if (csv.failed)
            return session_fail(s,
                                ARGS_EXIT_USAGE,
                                NULL,
                                "the %d lines from line %zu on are more than 4 MiB",
                                (int)PART_ROWS,
                                parts.n_lines + 1);
        if (!send_part(s, import, &parts, &csv, is_check))
            return false;
    }
    return true;
}

/* What was wrong is the result, and a failure. */
static bool print_result(struct session *s, const struct import *import, bool is_dry)
{
    static const struct output_column result[] = {
        {"Devices", "n_devices", OUTPUT_TEXT},
        {"Imported", "is_imported", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column columns[] = {
        {"LINE", "line", OUTPUT_TEXT},
        {"ERROR", "error_id", OUTPUT_TEXT},
        {"WHAT IS WRONG", "detail", OUTPUT_TEXT},
        {0},
    };
    bool is_wrong = json_array_size(import->errors) > 0;
    OWN(session_json_freep)
    json_t *shown = json_pack("{s:I,s:b,s:O}",
                              "n_devices",
                              import->n_devices,
                              "is_imported",
                              (int)(!is_dry && !is_wrong),
                              "errors",
                              import->errors);

    return session_print_fields(s, shown, result) &&
           session_print_part(s, "Errors", import->errors, columns);
}

/* After some parts are in, what stopped the others has been said, or is in the result. */
static bool say_partial(struct session *s, const struct import *import)
{
    s->exit_code = ARGS_EXIT_PARTIAL;
    return session_fail(
        s,
        ARGS_EXIT_PARTIAL,
        NULL,
        "the lines before line %zu are imported; what is from there on is not: mend it and "
        "import it with the first line before it",
        import->from);
}

static bool import_all(struct session *s, struct import *import, bool is_dry)
{
    bool is_large = false;
    bool is_sent;

    for (size_t i = 0, n = 0; i < import->csv.len && !is_large; i++)
        is_large = (n += import->csv.ptr[i] == '\n') > PART_ROWS;
    /* of one part the site takes all or nothing by itself */
    if ((is_large || is_dry) && !send_all(s, import, true))
        return false;
    is_sent = is_dry || json_array_size(import->errors) > 0 || send_all(s, import, false);
    if (!is_sent)
        return import->n_parts > 0 ? say_partial(s, import) : false;
    if (!print_result(s, import, is_dry))
        return false;
    if (json_array_size(import->errors) == 0)
        return true;
    if (import->n_parts > 0)
        return say_partial(s, import);
    return session_fail(s, ARGS_EXIT_FAILURE, NULL, "nothing is imported: the file has errors");
}

bool device_import_file(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf csv = BUF_INIT(FILE_MAX_BYTES);
    OWN(import_fini)
    struct import import = {.collection = args_get(args, "collection"), .errors = json_array()};

    if (!read_csv(s, args->operands[0], &csv))
        return false;
    import.csv = buf_bytes(&csv);
    return session_open(s) && import_all(s, &import, args->is_dry);
}
