/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/deployment_terms.h"

#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/commands.h"
#include "cli/due.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 1024,
    WHY_MAX_BYTES = 512,
};

static bool put_due(struct session *s, const struct args *args, json_t *dst)
{
    OWN(session_json_freep) json_t *list = json_array();

    for (size_t i = 0; i < args->n_repeated; i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
        json_t *due = NULL;

        if (!due_parse(args->repeated[i], &due, &why))
            return session_fail(s, ARGS_EXIT_USAGE, NULL, "--due: %s", buf_str(&why));
        if (json_array_append_new(list, due) < 0)
            return session_fail(s, ARGS_EXIT_USAGE, NULL, "--due is not UTF-8");
    }
    if (args->n_repeated > 0)
        (void)json_object_set(dst, "assignments", list);
    return true;
}

static bool put_numbers(struct session *s, const struct args *args, json_t *dst)
{
    static const char *const names[][2] = {
        {"lost-contact", "lost_contact_s"},
        {"alert-success", "alert_success_percent"},
        {"alert-after", "alert_after_s"},
        {"max-run", "max_run_min"},
        {"available-over", "available_over_days"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text = args_get(args, names[i][0]);
        uint64_t n = 0;

        if (!text)
            continue;
        if (!bytes_parse_u64(bytes_of(text), 0, UINT32_MAX, &n))
            return session_fail(s, ARGS_EXIT_USAGE, NULL, "--%s must be a number", names[i][0]);
        if (json_object_set_new(dst, names[i][1], json_integer((json_int_t)n)) < 0)
            return false;
    }
    return true;
}

static void put_switches(const struct args *args, json_t *dst)
{
    static const char *const names[][2] = {
        {"run-outside", "is_run_outside_windows"},
        {"restart-outside", "is_restart_outside_windows"},
        {"wake-on-lan", "is_wake_on_lan"},
        {"show-progress", "is_progress_shown"},
        {"use-neighbours", "is_neighbour_allowed"},
        {"use-default-group", "is_default_group_allowed"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text = args_get(args, names[i][0]);

        if (text)
            (void)json_object_set_new(dst, names[i][1], json_boolean(strcmp(text, "yes") == 0));
    }
}

bool deployment_terms_put(struct session *s, const struct args *args, json_t *dst)
{
    static const char *const names[][2] = {
        {"available-from", "available_from"},
        {"expires", "expires"},
        {"rerun", "rerun"},
        {"make-available-to", "make_available_to"},
        {"priority", "priority"},
        {"comment", "comment"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = args_get(args, names[i][0]);

        if (value && json_object_set_new(dst, names[i][1], json_string(value)) < 0)
            return session_fail(s, ARGS_EXIT_USAGE, NULL, "--%s is not UTF-8", names[i][0]);
    }
    put_switches(args, dst);
    return put_numbers(s, args, dst) && put_due(s, args, dst);
}

static const struct output_column fields[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"Task sequence", "task_sequence_name", OUTPUT_TEXT},
    {"Collection", "collection_name", OUTPUT_TEXT},
    {"Purpose", "purpose", OUTPUT_TEXT},
    {"Made available to", "make_available_to", OUTPUT_TEXT},
    {"Available from", "available_from", OUTPUT_TEXT},
    {"Expires", "expires", OUTPUT_TEXT},
    {"Rerun", "rerun", OUTPUT_TEXT},
    {"Priority", "priority", OUTPUT_TEXT},
    {"Lost contact after (s)", "lost_contact_s", OUTPUT_TEXT},
    {"Runs outside windows", "is_run_outside_windows", OUTPUT_TEXT},
    {"Restarts outside windows", "is_restart_outside_windows", OUTPUT_TEXT},
    {"May take (min)", "max_run_min", OUTPUT_TEXT},
    {"Wakes devices", "is_wake_on_lan", OUTPUT_TEXT},
    {"Shows progress", "is_progress_shown", OUTPUT_TEXT},
    {"Uses neighbour groups", "is_neighbour_allowed", OUTPUT_TEXT},
    {"Uses the default group", "is_default_group_allowed", OUTPUT_TEXT},
    {"Available over (days)", "available_over_days", OUTPUT_TEXT},
    {"Disabled", "is_disabled", OUTPUT_TEXT},
    {"Comment", "comment", OUTPUT_TEXT},
    {0},
};

bool deployment_put_confirmation(struct session *s, const struct args *args, json_t *body)
{
    const char *text = args_get(args, "confirm");
    uint64_t n = 0;

    if (!text)
        return true;
    if (!bytes_parse_u64(bytes_of(text), 0, UINT32_MAX, &n))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "--confirm must be a number of devices");
    return json_object_set_new(body, "confirm_devices", json_integer((json_int_t)n)) == 0;
}

/* @body: taken over. */
static bool change(struct session *s, const struct args *args, json_t *body)
{
    OWN(session_json_freep) json_t *owned = body;
    OWN(session_json_freep) json_t *deployment = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_adds(&path, "/deployments/");
    session_escape(&path, args->operands[0]);
    return session_open(s) && session_call(s, "PATCH", buf_str(&path), TAKE(owned), &deployment) &&
           session_print_fields(s, deployment, fields);
}

bool deployment_set(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *body = json_object();

    return deployment_terms_put(s, args, body) && change(s, args, TAKE(body));
}

bool deployment_enable(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *body = json_pack("{s:b}", "is_disabled", 0);

    return deployment_put_confirmation(s, args, body) && change(s, args, TAKE(body));
}

bool deployment_disable(struct session *s, const struct args *args)
{
    return change(s, args, json_pack("{s:b}", "is_disabled", 1));
}

bool deployment_delete(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_adds(&path, "/deployments/");
    session_escape(&path, args->operands[0]);
    return session_open(s) && session_delete(s, buf_str(&path), "");
}

static bool clear(struct session *s, const struct args *args, const char *place)
{
    static const struct output_column cleared[] = {{"Runs forgotten", "cleared", OUTPUT_TEXT}, {0}};
    OWN(session_json_freep) json_t *answer = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_addf(&path, "/%s/", place);
    session_escape(&path, args->operands[0]);
    buf_adds(&path, "/pxe-clearance");
    return session_open(s) && session_call(s, "POST", buf_str(&path), NULL, &answer) &&
           session_print_fields(s, answer, cleared);
}

bool device_clear_pxe(struct session *s, const struct args *args)
{
    return clear(s, args, "devices");
}

bool collection_clear_pxe(struct session *s, const struct args *args)
{
    return clear(s, args, "collections");
}
