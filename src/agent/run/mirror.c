/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/mirror.h"

#include <errno.h>
#include <string.h>

#include "agent/run/order.h"
#include "agent/run/state.h"
#include "agent/steps/connections.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/vars.h"

enum {
    VERSION = 1,
};

static const char format_type[] = "SMS_TaskSequence_PartitionDiskAction";

static void put_variables(const struct ts_vars *vars, json_t *values, json_t *secrets)
{
    const char *name;
    const char *value;
    bool is_secret;

    for (size_t i = 0; ts_vars_at(vars, i, &name, &value, &is_secret); i++) {
        if (value[0] == '\0')
            continue;
        if (is_secret)
            (void)json_array_append_new(secrets, json_string(name));
        else
            (void)json_object_set_new(values, name, json_string(value));
    }
}

int mirror_make(const struct state *state, size_t n_steps, const struct ts_step *step, json_t **ret)
{
    json_t *values = json_object();
    json_t *secrets = json_array();

    put_variables(state->vars, values, secrets);
    *ret = json_pack("{s:i, s:I, s:s, s:o, s:I, s:s, s:s, s:o, s:o, s:s, s:b, s:o, s:I, s:o}",
                     "version",
                     VERSION,
                     "seq",
                     (json_int_t)state->seq,
                     "phase",
                     state->phase == STEP_IN_FULL_OS ? "full-os" : "boot-image",
                     "next",
                     state_next_json(state),
                     "n_steps",
                     (json_int_t)n_steps,
                     "step_name",
                     step ? step->item.name : "",
                     "step_type",
                     step ? step->type : "",
                     "variables",
                     values,
                     "secrets",
                     secrets,
                     "volume",
                     state->target.root_uuid,
                     "has_applied_os",
                     state->has_applied_os,
                     "debugger",
                     ts_debugger_to_json(&state->debugger),
                     "started_us",
                     (json_int_t)state->started_us,
                     "network_folders",
                     connections_json(&state->connections, false));
    return *ret ? 0 : ERR(-ENOMEM);
}

static bool is_text(const json_t *object, const char *member, const char *text)
{
    const char *found = json_string_value(json_object_get(object, member));

    return found && strcmp(found, text) == 0;
}

/* Whether the order gives each secret value anew; otherwise something would be missing. */
static bool has_all_secrets(const json_t *mirror, const struct order *order)
{
    const json_t *secrets = json_object_get(mirror, "secrets");

    for (size_t i = 0; i < json_array_size(secrets); i++) {
        const char *name = json_string_value(json_array_get(secrets, i));

        if (!name || !json_object_get(order->variables, name))
            return false;
    }
    return true;
}

static int take_variables(const json_t *mirror, struct state *state)
{
    json_t *variables = json_object_get(mirror, "variables");
    const char *name;
    json_t *value;

    json_object_foreach(variables, name, value)
    {
        const char *text = json_string_value(value);
        int r = text ? ts_vars_set(state->vars, name, text, TS_BY_ENGINE) : 0;

        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

int mirror_resume(const json_t *mirror, struct state *state, bool *ret)
{
    const json_t *next = json_object_get(mirror, "next");
    struct state position = {0};
    OWN(connections_fini) struct connections connections = {0};
    int r;

    *ret = false;
    (void)ts_debugger_from_json(json_object_get(mirror, "debugger"), &state->debugger);
    if (!json_is_true(json_object_get(next, "is_running")) ||
        !is_text(mirror, "step_type", format_type) || !is_text(mirror, "phase", "boot-image") ||
        !state_read_next(mirror, &position) || !has_all_secrets(mirror, state->order))
        return 0;
    r = connections_read(json_object_get(mirror, "network_folders"), &connections);
    if (r != 0 || connections_want_password(&connections))
        return r < 0 ? TRACE(r) : 0;
    r = take_variables(mirror, state);
    if (r < 0)
        return TRACE(r);
    state->next_step = position.next_step;
    state->is_running = true;
    state->n_starts = position.n_starts;
    state->has_applied_os = position.has_applied_os;
    connections_fini(&state->connections);
    state->connections = connections;
    connections.n = 0;
    *ret = true;
    return 0;
}
