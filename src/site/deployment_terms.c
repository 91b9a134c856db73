/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/deployment_terms.h"

#include <string.h>

#include "site/site.h"
#include "site/zone.h"

#define AT_ONCE "as-soon-as-possible"

static const char *const audiences[] = {
    [DEPLOYMENT_FOR_CLIENTS] = "clients",
    [DEPLOYMENT_FOR_CLIENTS_MEDIA_PXE] = "clients-media-and-pxe",
    [DEPLOYMENT_FOR_MEDIA_PXE] = "media-and-pxe",
    [DEPLOYMENT_FOR_MEDIA_PXE_HIDDEN] = "media-and-pxe-hidden",
};
static const char *const reruns[] = {
    [DEPLOYMENT_RERUN_NEVER] = "never",
    [DEPLOYMENT_RERUN_ALWAYS] = "always",
    [DEPLOYMENT_RERUN_IF_FAILED] = "if-failed",
    [DEPLOYMENT_RERUN_IF_SUCCEEDED] = "if-succeeded",
};
static const char *const priorities[] = {"high", "normal", "low"};

/* @words: one of the @n is @word; what is not counts as the last. */
static unsigned find(const char *const *words, unsigned n, const char *word)
{
    unsigned i = 0;

    while (i + 1 < n && strcmp(words[i], word) != 0)
        i++;
    return i;
}

#define FIND(words, word) find((words), sizeof(words) / sizeof((words)[0]), (word))

static int
parse_time(struct site *site, const json_t *src, const char *name, struct deployment_time *ret)
{
    const char *text = field_text(src, name, "");

    *ret = (struct deployment_time){0};
    if (!text[0])
        return 0;
    if (!schedule_parse_time(text, &ret->at_s, &ret->is_utc))
        return refuse(
            site,
            REFUSAL_INVALID,
            "\"%s\": \"%s\" is no time; write \"2026-11-22T22:00\" for the site's own time "
            "or \"2026-11-22T22:00Z\" for UTC.",
            name,
            text);
    ret->is_set = true;
    return 0;
}

static int parse_assignments(struct site *site, const json_t *list, struct deployment_terms *ret)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        int r;

        if (json_is_string(one) && strcmp(json_string_value(one), AT_ONCE) == 0) {
            ret->is_due_at_once = true;
            continue;
        }
        r = schedule_parse(site, one, "assignments", false, &ret->assignments[ret->n_assignments]);
        if (r != 0)
            return r;
        ret->n_assignments++;
    }
    return 0;
}

json_t *deployment_terms_assignments(const json_t *src)
{
    json_t *list = json_object_get(src, "assignments");

    if (json_array_size(list) > 0)
        return json_incref(list);
    return strcmp(field_text(src, "purpose", ""), "required") == 0 ? json_pack("[s]", AT_ONCE)
                                                                   : json_array();
}

int deployment_terms_check(struct site *site, const json_t *body, bool is_required)
{
    const json_t *list = json_object_get(body, "assignments");
    int r = 0;

    if (is_required && list && json_array_size(list) == 0)
        return refuse(
            site,
            REFUSAL_INVALID,
            "\"assignments\": a required deployment is due at some time; disable it, or say "
            "\"" AT_ONCE "\".");
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
        if (json_is_object(json_array_get(list, i)))
            r = schedule_check(site, json_array_get(list, i), "assignments");
    return r;
}

int deployment_terms_parse(struct site *site, const json_t *src, struct deployment_terms *ret)
{
    json_t *assignments = deployment_terms_assignments(src);
    int r;

    *ret = (struct deployment_terms){
        .is_required = strcmp(field_text(src, "purpose", ""), "required") == 0,
        .is_disabled = field_bool(src, "is_disabled"),
        .audience = (enum deployment_audience)FIND(
            audiences, field_text(src, "make_available_to", "clients-media-and-pxe")),
        .rerun = (enum deployment_rerun)FIND(reruns, field_text(src, "rerun", "always")),
        .may_run_outside_windows = field_bool(src, "is_run_outside_windows"),
        .may_restart_outside_windows = field_bool(src, "is_restart_outside_windows"),
        .max_run_min = field_number(src, "max_run_min", 0),
        .is_wake_on_lan = field_bool(src, "is_wake_on_lan"),
        .is_progress_shown = !json_is_false(json_object_get(src, "is_progress_shown")),
        .available_over_days = field_number(src, "available_over_days", 0),
        .may_use_neighbours = !json_is_false(json_object_get(src, "is_neighbour_allowed")),
        .may_use_default_group = !json_is_false(json_object_get(src, "is_default_group_allowed")),
        .priority = FIND(priorities, field_text(src, "priority", "normal")),
    };
    r = parse_time(site, src, "available_from", &ret->available_from);
    if (r == 0)
        r = parse_time(site, src, "expires", &ret->expires);
    if (r == 0)
        r = parse_assignments(site, assignments, ret);
    json_decref(assignments);
    if (r != 0)
        return r;
    if (!ret->is_required && (ret->is_due_at_once || ret->n_assignments > 0))
        return refuse(
            site,
            REFUSAL_INVALID,
            "\"assignments\": only a required deployment is due at some time; an available "
            "one is begun by a person.");
    if (!ret->is_required && ret->is_wake_on_lan)
        return refuse(
            site,
            REFUSAL_INVALID,
            "\"is_wake_on_lan\": only a required deployment wakes devices; an available one "
            "is begun by a person, who is there.");
    return 0;
}
