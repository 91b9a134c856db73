/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/session.h"
#include "plat/file.h"

enum {
    XML_MAX_BYTES = 4 * 1024 * 1024,
    PATH_MAX_BYTES = 1024,
};

static const struct output_column diagnostic_columns[] = {
    {"SEVERITY", "severity", OUTPUT_TEXT},
    {"LINE", "line", OUTPUT_PLACE},
    {"COLUMN", "column", OUTPUT_PLACE},
    {"STEP", "step", OUTPUT_TEXT},
    {"MESSAGE", "message", OUTPUT_TEXT},
    {0},
};

static const struct output_column fields[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"Name", "name", OUTPUT_TEXT},
    {"Boot image", "boot_image_id", OUTPUT_TEXT},
    {"Steps", "n_steps", OUTPUT_TEXT},
    {"Created (UTC)", "created_at", OUTPUT_TIME},
    {0},
};

static bool read_xml(struct session *s, const char *file, struct buf *ret)
{
    int r = file_read(strcmp(file, "-") == 0 ? "/dev/stdin" : file, ret);

    if (r < 0)
        return session_fail_errno(s, file, r);
    if (r == FILE_E_TOO_LARGE)
        return session_fail(s,
                            ARGS_EXIT_FAILURE,
                            "SLW-0704",
                            "%s is larger than a task sequence may be (%d bytes)",
                            file,
                            XML_MAX_BYTES);
    if (r != 0)
        return session_fail(s, ARGS_EXIT_FAILURE, "SLW-0704", "%s is not there", file);
    return true;
}

/* The members may be NULL: they are left out then. */
static bool
pack_request(struct session *s, const struct buf *xml, const struct args *args, json_t **ret)
{
    const bool is_import = args->command->run == sequence_import;

    *ret = json_pack("{s:s%, s:s*, s:s*}",
                     "xml",
                     buf_str(xml),
                     xml->len,
                     "name",
                     is_import ? args_get(args, "name") : NULL,
                     "boot_image_id",
                     is_import ? args_get(args, "boot-image") : NULL);
    return *ret || session_fail(s,
                                ARGS_EXIT_FAILURE,
                                "SLW-0704",
                                "%s is not UTF-8; convert it first, as with iconv(1)",
                                args->operands[0]);
}

static bool post(struct session *s, const struct args *args, const char *path, json_t **ret)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(XML_MAX_BYTES);
    json_t *body = NULL;

    return read_xml(s, args->operands[0], &xml) && session_open(s) &&
           pack_request(s, &xml, args, &body) && session_call(s, "POST", path, body, ret);
}

bool sequence_import(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *sequence = NULL;

    return post(s, args, "/task-sequences", &sequence) &&
           session_print_fields(s, sequence, fields) &&
           session_print_part(
               s, "Diagnostics", output_at(sequence, "diagnostics"), diagnostic_columns);
}

bool sequence_validate(struct session *s, const struct args *args)
{
    static const struct output_column verdict[] = {{"Valid", "is_valid", OUTPUT_TEXT}, {0}};
    OWN(session_json_freep) json_t *validation = NULL;

    if (!post(s, args, "/task-sequences:validate", &validation))
        return false;
    if (!session_print_fields(s, validation, verdict) ||
        !session_print_part(
            s, "Diagnostics", output_at(validation, "diagnostics"), diagnostic_columns))
        return false;
    if (!json_is_true(output_at(validation, "is_valid")))
        s->exit_code = ARGS_EXIT_FAILURE;
    return true;
}

bool sequence_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"BOOT IMAGE", "boot_image_id", OUTPUT_TEXT},
        {"STEPS", "n_steps", OUTPUT_TEXT},
        {"CREATED (UTC)", "created_at", OUTPUT_TIME},
        {0},
    };
    OWN(session_json_freep) json_t *rows = NULL;

    (void)args;
    return session_open(s) && session_list(s, "/task-sequences", &rows) &&
           session_print_list(s, rows, columns);
}

static bool print_xml(struct session *s, const char *escaped_id)
{
    OWN(http_answer_fini) struct http_answer answer = {0};
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *problem = NULL;
    int r;

    buf_addf(&path, "/task-sequences/%s/xml", escaped_id);
    r = session_try(s, "GET", buf_str(&path), NULL, &answer);
    if (r != 0)
        return session_no_answer(s, r);
    if (answer.status == 200)
        return session_write(s, &answer.body);
    problem = json_loadb(buf_str(&answer.body), answer.body.len, 0, NULL);
    return session_problem(s, answer.status, problem);
}

bool sequence_show(struct session *s, const struct args *args)
{
    static const struct output_column steps[] = {
        {"STEP", "index", OUTPUT_STEP},
        {"NAME", "name", OUTPUT_TEXT},
        {"TYPE", "type", OUTPUT_TEXT},
        {"ENABLED", "is_enabled", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *sequence = NULL;
    OWN(buf_fini) struct buf id = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&id, args->operands[0]);
    if (!session_open(s))
        return false;
    if (args_get(args, "xml"))
        return print_xml(s, buf_str(&id));
    return session_get(s, &sequence, "/task-sequences/%s", buf_str(&id)) &&
           session_print_fields(s, sequence, fields) &&
           session_print_part(s, "Steps", output_at(sequence, "steps"), steps);
}
