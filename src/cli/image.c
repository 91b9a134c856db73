/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>

#include "base/own.h"
#include "cli/content.h"
#include "cli/operation.h"

bool image_os_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"VERSION", "version", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"CONTENT", "current_version", OUTPUT_TEXT},
        {"SIZE", "size_bytes", OUTPUT_BYTES},
        {"CREATED (UTC)", "created_at", OUTPUT_TIME},
        {0},
    };

    (void)args;
    return session_show_list(s, "/os-images", columns);
}

bool image_boot_build(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *image = NULL;
    json_t *body = json_pack("{s:s, s:s*, s:s*, s:s*, s:b}",
                             "arch",
                             args_get(args, "arch"),
                             "flavour",
                             args_get(args, "flavour"),
                             "name",
                             args_get(args, "name"),
                             "prestart_command",
                             args_get(args, "prestart-command"),
                             "is_custom",
                             (int)(args_get(args, "custom") != NULL));

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, "SLW-0704", "the name or the command is not UTF-8");
    if (!session_open(s)) {
        json_decref(body);
        return false;
    }
    return session_call(s, "POST", "/boot-images", body, &image) &&
           operation_follow(s, output_text(image, "operation_id")) &&
           content_print(s, "/boot-images", output_text(image, "id"));
}

/* Those that the site would make by itself, and why it does not. */
static bool list_absent(struct session *s, const json_t *status, json_t **ret)
{
    const json_t *all = output_at(status, "boot_images");
    json_t *absent = json_array();

    for (size_t i = 0; i < json_array_size(all); i++)
        if (output_text(json_array_get(all, i), "text")[0])
            (void)json_array_append(absent, json_array_get(all, i));
    *ret = absent;
    return absent || session_fail_errno(s, "the result", -ENOMEM);
}

bool image_boot_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"ARCH", "arch", OUTPUT_TEXT},
        {"FLAVOUR", "flavour", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"CONTENT", "current_version", OUTPUT_TEXT},
        {"KERNEL", "kernel_version", OUTPUT_TEXT},
        {"CREATED (UTC)", "created_at", OUTPUT_TIME},
        {0},
    };
    static const struct output_column missing[] = {
        {"ARCH", "arch", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"WHAT TO DO", "text", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *rows = NULL;
    OWN(session_json_freep) json_t *status = NULL;
    OWN(session_json_freep) json_t *absent = NULL;

    (void)args;
    if (!session_open(s) || !session_list(s, "/boot-images", &rows) ||
        !session_print_list(s, rows, columns))
        return false;
    if (s->format != ARGS_FORMAT_TABLE)
        return true;
    return session_get(s, &status, "/status") && list_absent(s, status, &absent) &&
           session_print_part(s, "Not there", absent, missing);
}
