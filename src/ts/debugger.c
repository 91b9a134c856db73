/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/debugger.h"

#include <string.h>

#include "ts/sequence.h"

static const char *const modes[TS_DEBUG_MODES] = {
    [TS_DEBUG_OFF] = "off",
    [TS_DEBUG_STEP] = "step",
    [TS_DEBUG_RUN] = "run",
    [TS_DEBUG_RUN_TO] = "run-to",
};

/* What a command has beside its name. */
static const struct {
    const char *name;
    bool needs_step;
    bool needs_name;
    bool needs_data;
} kinds[TS_DEBUG_KINDS] = {
    [TS_DEBUG_DO_WHERE] = {.name = "where"},
    [TS_DEBUG_DO_STEPS] = {.name = "steps"},
    [TS_DEBUG_DO_STEP] = {.name = "step"},
    [TS_DEBUG_DO_CONTINUE] = {.name = "continue"},
    [TS_DEBUG_DO_RUN_TO] = {.name = "run-to", .needs_step = true},
    [TS_DEBUG_DO_BREAK] = {.name = "break", .needs_step = true},
    [TS_DEBUG_DO_CLEAR] = {.name = "clear"},
    [TS_DEBUG_DO_SET_CURRENT] = {.name = "set-current", .needs_step = true},
    [TS_DEBUG_DO_VARIABLES] = {.name = "variables"},
    [TS_DEBUG_DO_SET_VARIABLE] = {.name = "set", .needs_name = true},
    [TS_DEBUG_DO_SHELL] = {.name = "shell", .needs_data = true},
    [TS_DEBUG_DO_SHELL_OPEN] = {.name = "shell-open"},
    [TS_DEBUG_DO_SHELL_INPUT] = {.name = "shell-input", .needs_data = true},
    [TS_DEBUG_DO_SHELL_CLOSE] = {.name = "shell-close"},
    [TS_DEBUG_DO_CANCEL] = {.name = "cancel"},
    [TS_DEBUG_DO_QUIT] = {.name = "quit"},
};

void ts_debugger_begin(struct ts_debugger *d)
{
    if (d->was_begun)
        return;
    d->was_begun = true;
    d->mode = TS_DEBUG_STEP;
}

void ts_debugger_begin_at_error(struct ts_debugger *d)
{
    if (d->was_begun)
        return;
    d->was_begun = true;
    d->mode = TS_DEBUG_RUN;
}

static bool has_break(const struct ts_debugger *d, size_t position)
{
    for (size_t i = 0; i < d->n_breaks; i++)
        if (d->breaks[i] == position)
            return true;
    return false;
}

enum ts_debug_why ts_debugger_stops(const struct ts_debugger *d, size_t position, bool has_failed)
{
    if (d->mode == TS_DEBUG_OFF)
        return TS_DEBUG_GOES_ON;
    if (has_failed)
        return TS_DEBUG_AT_ERROR;
    if (d->mode == TS_DEBUG_STEP)
        return TS_DEBUG_AT_STEP;
    if (d->mode == TS_DEBUG_RUN_TO && position == d->run_to)
        return TS_DEBUG_AT_RUN_TO;
    return has_break(d, position) ? TS_DEBUG_AT_BREAK : TS_DEBUG_GOES_ON;
}

const char *ts_debug_why_text(enum ts_debug_why why)
{
    static const char *const texts[] = {
        [TS_DEBUG_GOES_ON] = "",
        [TS_DEBUG_AT_STEP] = "step",
        [TS_DEBUG_AT_BREAK] = "break point",
        [TS_DEBUG_AT_RUN_TO] = "run to",
        [TS_DEBUG_AT_ERROR] = "error",
    };

    return texts[why];
}

/* NULL: it is there, but is no text, or too long. */
static const char *text_of(const json_t *json, const char *member)
{
    const json_t *value = json_object_get(json, member);
    const char *text = json_string_value(value);

    if (!value || json_is_null(value))
        return "";
    if (!text || json_string_length(value) > TS_DEBUG_TEXT_MAX ||
        strlen(text) != json_string_length(value))
        return NULL;
    return text;
}

static bool find_kind(const char *name, enum ts_debug_kind *ret)
{
    for (size_t i = 0; i < TS_DEBUG_KINDS; i++) {
        if (strcmp(kinds[i].name, name) != 0)
            continue;
        *ret = (enum ts_debug_kind)i;
        return true;
    }
    return false;
}

int ts_debug_command_parse(const json_t *json, struct ts_debug_command *ret)
{
    const char *name = text_of(json, "command");
    json_int_t number = json_integer_value(json_object_get(json, "number"));
    struct ts_debug_command c = {
        .step = text_of(json, "step"),
        .name = text_of(json, "name"),
        .value = text_of(json, "value"),
        .data = text_of(json, "data"),
    };

    if (!name || !c.step || !c.name || !c.value || !c.data || number <= 0 ||
        !find_kind(name, &c.kind))
        return TS_DEBUG_E_MALFORMED;
    if ((kinds[c.kind].needs_step && c.step[0] == '\0') ||
        (kinds[c.kind].needs_name && c.name[0] == '\0') ||
        (kinds[c.kind].needs_data && c.data[0] == '\0'))
        return TS_DEBUG_E_MALFORMED;
    c.number = (uint64_t)number;
    *ret = c;
    return 0;
}

static enum ts_debug_act add_break(struct ts_debugger *d, size_t index)
{
    size_t at = d->n_breaks;

    if (has_break(d, index))
        return TS_DEBUG_STAYS;
    if (d->n_breaks == TS_DEBUG_BREAKS_MAX)
        return TS_DEBUG_FULL;
    while (at > 0 && d->breaks[at - 1] > index) {
        d->breaks[at] = d->breaks[at - 1];
        at--;
    }
    d->breaks[at] = index;
    d->n_breaks++;
    return TS_DEBUG_STAYS;
}

static void clear_break(struct ts_debugger *d, size_t index)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n_breaks; i++)
        if (index != SIZE_MAX && d->breaks[i] != index)
            d->breaks[n++] = d->breaks[i];
    d->n_breaks = n;
}

/* From the first command on somebody debugs again, though it has been quit. */
static void wake(struct ts_debugger *d)
{
    if (d->mode == TS_DEBUG_OFF)
        d->mode = TS_DEBUG_RUN;
}

static enum ts_debug_act go_on(struct ts_debugger *d, enum ts_debug_mode mode)
{
    d->mode = mode;
    return TS_DEBUG_LEAVES;
}

enum ts_debug_act
ts_debugger_apply(struct ts_debugger *d, const struct ts_debug_command *command, size_t index)
{
    switch (command->kind) {
    case TS_DEBUG_DO_STEP:
        return go_on(d, TS_DEBUG_STEP);
    case TS_DEBUG_DO_CONTINUE:
        return go_on(d, TS_DEBUG_RUN);
    case TS_DEBUG_DO_RUN_TO:
        d->run_to = index;
        return go_on(d, TS_DEBUG_RUN_TO);
    case TS_DEBUG_DO_QUIT:
        d->n_breaks = 0;
        return go_on(d, TS_DEBUG_OFF);
    case TS_DEBUG_DO_BREAK:
        wake(d);
        return add_break(d, index);
    case TS_DEBUG_DO_CLEAR:
        clear_break(d, index);
        return TS_DEBUG_STAYS;
    case TS_DEBUG_DO_SET_CURRENT:
        d->mode = TS_DEBUG_STEP;
        return TS_DEBUG_MOVES;
    case TS_DEBUG_DO_CANCEL:
        return TS_DEBUG_ENDS;
    case TS_DEBUG_DO_WHERE:
    case TS_DEBUG_DO_STEPS:
    case TS_DEBUG_DO_VARIABLES:
    case TS_DEBUG_DO_SET_VARIABLE:
    case TS_DEBUG_DO_SHELL:
    case TS_DEBUG_DO_SHELL_OPEN:
    case TS_DEBUG_DO_SHELL_INPUT:
    case TS_DEBUG_DO_SHELL_CLOSE:
    case TS_DEBUG_KINDS:
        break;
    }
    return TS_DEBUG_STAYS;
}

json_t *ts_debugger_to_json(const struct ts_debugger *d)
{
    json_t *breaks = json_array();

    for (size_t i = 0; i < d->n_breaks; i++)
        (void)json_array_append_new(breaks, json_integer((json_int_t)d->breaks[i]));
    return json_pack("{s:s, s:b, s:I, s:o, s:I}",
                     "mode",
                     modes[d->mode],
                     "was_begun",
                     (int)d->was_begun,
                     "run_to",
                     (json_int_t)d->run_to,
                     "breaks",
                     breaks,
                     "after",
                     (json_int_t)d->after);
}

static bool get_index(const json_t *value, size_t *ret)
{
    json_int_t n = json_integer_value(value);

    if (!json_is_integer(value) || n < 0 || n > TS_INSTRUCTIONS_MAX)
        return false;
    *ret = (size_t)n;
    return true;
}

static bool get_mode(const json_t *json, enum ts_debug_mode *ret)
{
    const char *text = json_string_value(json_object_get(json, "mode"));

    for (size_t i = 0; text && i < TS_DEBUG_MODES; i++) {
        if (strcmp(modes[i], text) != 0)
            continue;
        *ret = (enum ts_debug_mode)i;
        return true;
    }
    return false;
}

bool ts_debugger_from_json(const json_t *json, struct ts_debugger *ret)
{
    const json_t *breaks = json_object_get(json, "breaks");
    json_int_t after = json_integer_value(json_object_get(json, "after"));
    struct ts_debugger d = {0};

    *ret = d;
    if (!get_mode(json, &d.mode) || !get_index(json_object_get(json, "run_to"), &d.run_to) ||
        after < 0 || json_array_size(breaks) > TS_DEBUG_BREAKS_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(breaks); i++) {
        size_t index;

        if (!get_index(json_array_get(breaks, i), &index))
            return false;
        (void)add_break(&d, index);
    }
    d.was_begun = json_is_true(json_object_get(json, "was_begun"));
    d.after = (uint64_t)after;
    *ret = d;
    return true;
}
