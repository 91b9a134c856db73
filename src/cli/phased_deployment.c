/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Phased deployments (docs/phased-deployments.md)
 */

#include "cli/commands.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/deployment_terms.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 1024,
};

static bool print(struct session *s, json_t *phased)
{
    static const struct output_column fields[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"Name", "name", OUTPUT_TEXT},
        {"Task sequence", "task_sequence_name", OUTPUT_TEXT},
        {"State", "state", OUTPUT_TEXT},
        {"Phases", "n_phases", OUTPUT_TEXT},
        {"Begun", "n_begun", OUTPUT_TEXT},
        {"Comment", "comment", OUTPUT_TEXT},
        {"Created (UTC)", "created_at", OUTPUT_TIME},
        {0},
    };
    static const struct output_column phases[] = {
        {"PHASE", "number", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"COLLECTION", "collection_name", OUTPUT_TEXT},
        {"PURPOSE", "purpose", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"DEPLOYMENT", "deployment_id", OUTPUT_TEXT},
        {"DEVICES", "n_devices", OUTPUT_TEXT},
        {"SUCCEEDED", "counts.succeeded", OUTPUT_TEXT},
        {"FAILED", "counts.failed", OUTPUT_TEXT},
        {"%", "succeeded_percent", OUTPUT_TEXT},
        {"BEGUN (UTC)", "begun_at", OUTPUT_TIME},
        {"BEGINS (UTC)", "begins_at", OUTPUT_TIME},
        {"WHY", "reason", OUTPUT_TEXT},
        {0},
    };

    return session_print_fields(s, phased, fields) &&
           session_print_part(s, "Phases", output_at(phased, "phases"), phases);
}

/* What all phases have in common. */
static bool put_common(struct session *s, const struct args *args, json_t *phase)
{
    static const char *const texts[][2] = {
        {"purpose", "purpose"},
        {"content-option", "content_option"},
        {"priority", "priority"},
    };
    static const char *const numbers[][2] = {
        {"success", "begin_after_percent"},
        {"success-devices", "begin_after_devices"},
        {"defer", "defer_days"},
        {"deadline", "deadline_days"},
        {"available-over", "available_over_days"},
    };

    if (args_get(args, "success") && args_get(args, "success-devices"))
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "--success and --success-devices exclude one another");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = args_get(args, texts[i][0]);

        if (text)
            (void)json_object_set_new(phase, texts[i][1], json_string(text));
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const char *text = args_get(args, numbers[i][0]);
        uint64_t n = 0;

        if (text && !bytes_parse_u64(bytes_of(text), 0, UINT32_MAX, &n))
            return session_fail(s, ARGS_EXIT_USAGE, NULL, "--%s must be a number", numbers[i][0]);
        if (text)
            (void)json_object_set_new(phase, numbers[i][1], json_integer((json_int_t)n));
    }
    if (args_get(args, "by-hand"))
        (void)json_object_set_new(phase, "begins", json_string("by-hand"));
    return true;
}

/* A phase is called as its collection is. */
static bool put_phases(struct session *s, const struct args *args, json_t *body)
{
    json_t *phases = json_array();

    (void)json_object_set_new(body, "phases", phases);
    for (size_t i = 0; i < args->n_repeated; i++) {
        OWN(session_json_freep)
        json_t *phase =
            json_pack("{s:s, s:s}", "name", args->repeated[i], "collection", args->repeated[i]);

        if (!phase)
            return session_fail(s, ARGS_EXIT_USAGE, NULL, "--phase is not UTF-8");
        if (!put_common(s, args, phase) || json_array_append(phases, phase) < 0)
            return false;
    }
    return true;
}

bool phased_deployment_create(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *phased = NULL;
    OWN(session_json_freep)
    json_t *body = json_pack("{s:s, s:s, s:s*}",
                             "name",
                             args->operands[0],
                             "task_sequence_id",
                             args_get(args, "task-sequence"),
                             "comment",
                             args_get(args, "comment"));

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "a name is not UTF-8");
    return put_phases(s, args, body) && deployment_put_confirmation(s, args, body) &&
           session_open(s) && session_call(s, "POST", "/phased-deployments", TAKE(body), &phased) &&
           print(s, phased);
}

bool phased_deployment_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"TASK SEQUENCE", "task_sequence_name", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"PHASES", "n_phases", OUTPUT_TEXT},
        {"BEGUN", "n_begun", OUTPUT_TEXT},
        {0},
    };

    (void)args;
    return session_show_list(s, "/phased-deployments", columns);
}

static void put_path(struct buf *dst, const struct args *args, const char *behind)
{
    buf_adds(dst, "/phased-deployments/");
    session_escape(dst, args->operands[0]);
    buf_adds(dst, behind);
}

bool phased_deployment_show(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *phased = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, "");
    return session_open(s) && session_get(s, &phased, "%s", buf_str(&path)) && print(s, phased);
}

/* @body: taken over; may be NULL */
static bool change(struct session *s, const struct args *args, const char *behind, json_t *body)
{
    OWN(session_json_freep) json_t *owned = body;
    OWN(session_json_freep) json_t *phased = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, behind);
    return session_open(s) && session_call(s, "POST", buf_str(&path), TAKE(owned), &phased) &&
           print(s, phased);
}

bool phased_deployment_pause(struct session *s, const struct args *args)
{
    return change(s, args, "/pause", NULL);
}

bool phased_deployment_resume(struct session *s, const struct args *args)
{
    return change(s, args, "/resumption", NULL);
}

/* The phase that is the next one now: the site begins no other, whatever happens until it is asked. */
static bool put_next(struct session *s, const struct args *args, json_t *body)
{
    OWN(session_json_freep) json_t *phased = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const json_t *phases;
    const char *name = "";

    put_path(&path, args, "");
    if (!session_open(s) || !session_get(s, &phased, "%s", buf_str(&path)))
        return false;
    phases = output_at(phased, "phases");
    for (size_t i = 0; i < json_array_size(phases); i++) {
        const json_t *phase = json_array_get(phases, i);

        name = output_text(phase, "name");
        if (!output_text(phase, "deployment_id")[0])
            break;
    }
    return json_object_set_new(body, "phase", json_string(name)) == 0 ||
           session_fail_errno(s, "the phase", -ENOMEM);
}

bool phased_deployment_next(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *body = json_object();
    const char *phase = args->n_operands > 1 ? args->operands[1] : NULL;

    if (phase ? json_object_set_new(body, "phase", json_string(phase)) < 0
              : !put_next(s, args, body))
        return phase ? session_fail_errno(s, "the phase", -ENOMEM) : false;
    return deployment_put_confirmation(s, args, body) && change(s, args, "/next-phase", TAKE(body));
}

bool phased_deployment_delete(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, "");
    return session_open(s) && session_delete(s, buf_str(&path), "");
}
