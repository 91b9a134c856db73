/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/simulate_input.h"
#include "ts/facts.h"
#include "ts/simulate.h"
#include "ts/vars.h"

enum {
    NAME_MAX_BYTES = 512,
};

static void fini_facts(struct ts_facts_file *file)
{
    ts_table_free(file->table);
    ts_vars_free(file->vars);
}

static const char *word_of(enum ts_next_kind kind)
{
    switch (kind) {
    case TS_NEXT_RUN:
        return "run";
    case TS_NEXT_SKIP:
        return "skip";
    case TS_NEXT_FAIL:
        return "fail";
    case TS_NEXT_SUCCEEDED:
    case TS_NEXT_FAILED:
        break;
    }
    return "";
}

static json_t *values_json(const struct ts_simulated *decision)
{
    json_t *values = json_array();

    for (size_t i = 0; i < decision->n_values; i++)
        (void)json_array_append_new(
            values,
            json_pack(
                "{ss ss}", "name", decision->values[i].name, "value", decision->values[i].text));
    return values;
}

/* What its condition asks for that is known at run time only. */
static json_t *depends_json(const struct ts_simulated *decision)
{
    json_t *list = json_array();

    for (size_t i = 0; i < decision->n_depends; i++) {
        const struct ts_dependency *depends = &decision->depends[i];
        json_t *text =
            json_sprintf("depends on %s, %s%s%s",
                         depends->variable,
                         depends->step[0] != '\0' ? "which \"" : "",
                         depends->step,
                         depends->step[0] != '\0' ? "\" sets at run time"
                         : depends->is_of_engine  ? "which is set when a run begins"
                         : depends->is_asked
                             ? "which is asked on the screen when a person chooses the deployment"
                             : "whose value is secret and not told here");

        (void)json_array_append_new(
            list,
            json_pack(
                "{ss ss so}", "variable", depends->variable, "step", depends->step, "text", text));
    }
    return list;
}

/* Return: 0 or -ENOMEM. */
static int tell(void *ctx, const struct ts_simulated *decision)
{
    const struct ts_next *next = decision->next;
    json_t *row = json_pack("{sI ss ss ss ss sI ss* ss* ss* so so}",
                            "index",
                            (json_int_t)next->index,
                            "decision",
                            word_of(next->kind),
                            "path",
                            decision->path,
                            "type",
                            next->step ? next->step->type : "group",
                            "environment",
                            decision->environment == TS_RUN_IN_FULL_OS ? "full-os" : "boot-image",
                            "n_left_out",
                            (json_int_t)next->n_left_out,
                            "why",
                            next->why[0] != '\0' ? next->why : NULL,
                            "warnings",
                            next->warnings[0] != '\0' ? next->warnings : NULL,
                            "error_id",
                            next->error_id,
                            "values",
                            values_json(decision),
                            "depends_on",
                            depends_json(decision));

    return json_array_append_new(ctx, row) == 0 ? 0 : -ENOMEM;
}

/* --var NAME=VALUE; of the engine's names too, since nothing else can give them. */
static bool set_given(struct session *s, const struct args *args, struct ts_vars *vars)
{
    for (size_t i = 0; i < args->n_repeated; i++) {
        OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);
        const char *text = args->repeated[i];
        size_t len = strcspn(text, "=");
        int r = TS_VARS_E_NAME;

        buf_add(&name, (struct bytes){(const uint8_t *)text, len});
        if (text[len] == '=' && !name.failed)
            r = ts_vars_set(vars, buf_str(&name), text + len + 1, TS_BY_ENGINE);
        if (r < 0)
            return session_fail_errno(s, "simulating", r);
        if (r > 0)
            return session_fail(s,
                                ARGS_EXIT_USAGE,
                                "SLW-0701",
                                "--var %s: NAME=VALUE with the name of a variable is expected",
                                text);
    }
    return true;
}

/* @asked: as simulate_device_facts() has it */
static bool
load_facts(struct session *s, const struct args *args, struct ts_facts_file *ret, json_t *asked)
{
    const char *file = args_get(args, "facts");
    const char *device = args_get(args, "device");

    if (file && device)
        return session_fail(
            s, ARGS_EXIT_USAGE, "SLW-0701", "--facts and --device exclude one another");
    if (file)
        return simulate_read_facts(s, file, ret);
    return device ? simulate_device_facts(s, device, ret, asked) : simulate_no_facts(s, ret);
}

/* For people: what stands in a list of each step, below the table and with the step. @wanted: of those in which this is not empty */
static json_t *all_of(const json_t *steps, const char *list, const char *wanted)
{
    json_t *all = json_array();
    size_t i;
    json_t *step;

    json_array_foreach(steps, i, step)
    {
        const json_t *values = output_at(step, list);

        for (size_t k = 0; k < json_array_size(values); k++) {
            json_t *row = json_copy(json_array_get(values, k));

            (void)json_object_set(row, "index", output_at(step, "index"));
            if (output_text(row, wanted)[0] != '\0')
                (void)json_array_append(all, row);
            json_decref(row);
        }
    }
    return all;
}

static bool print(struct session *s, json_t *result)
{
    static const struct output_column fields[] = {
        {"Outcome", "outcome", OUTPUT_TEXT},
        {"Disabled", "disabled", OUTPUT_TEXT},
        {"Would run", "n_run", OUTPUT_TEXT},
        {"Left out", "n_left_out", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column steps[] = {
        {"STEP", "index", OUTPUT_STEP},
        {"DECISION", "decision", OUTPUT_TEXT},
        {"STEPS", "n_left_out", OUTPUT_PLACE},
        {"WHERE", "environment", OUTPUT_TEXT},
        {"NAME", "path", OUTPUT_TEXT},
        {"WHY", "why", OUTPUT_TEXT},
        {"NOT ANSWERED", "warnings", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column values[] = {
        {"STEP", "index", OUTPUT_STEP},
        {"VARIABLE", "name", OUTPUT_TEXT},
        {"VALUE", "value", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column dependencies[] = {
        {"STEP", "index", OUTPUT_STEP},
        {"MAY BE OTHERWISE", "text", OUTPUT_TEXT},
        {0},
    };
    /* for scripts and spreadsheets: the steps; their name is the path */
    static const struct output_column rows[] = {
        {"NAME", "path", OUTPUT_TEXT},
        {"STEP", "index", OUTPUT_TEXT},
        {"DECISION", "decision", OUTPUT_TEXT},
        {"STEPS", "n_left_out", OUTPUT_TEXT},
        {"WHERE", "environment", OUTPUT_TEXT},
        {"WHY", "why", OUTPUT_TEXT},
        {"NOT ANSWERED", "warnings", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep)
    json_t *expanded = all_of(output_at(result, "steps"), "values", "value");
    OWN(session_json_freep)
    json_t *depends = all_of(output_at(result, "steps"), "depends_on", "text");

    if (s->format == ARGS_FORMAT_CSV || s->format == ARGS_FORMAT_NAME)
        return session_print_list(s, output_at(result, "steps"), rows);
    return session_print_fields(s, result, fields) &&
           session_print_part(s, "Steps", output_at(result, "steps"), steps) &&
           session_print_part(s, "Conditions that a run decides", depends, dependencies) &&
           session_print_part(s, "Values", expanded, values);
}

/* Those of @asked that --var has not given. Return: owned by the caller, its texts borrowed from @asked; NULL: no memory */
static const char **list_asked(const json_t *asked, const struct ts_facts_file *file, size_t *ret_n)
{
    const char **names = calloc(json_array_size(asked) + 1, sizeof(*names));

    *ret_n = 0;
    for (size_t i = 0; names && i < json_array_size(asked); i++) {
        const char *name = json_string_value(json_array_get(asked, i));

        if (name && ts_vars_get(file->vars, name)[0] == '\0')
            names[(*ret_n)++] = name;
    }
    return names;
}

static bool simulate(struct session *s,
                     const struct args *args,
                     const struct simulate_sequences *sequences,
                     const struct ts_facts_file *file,
                     const json_t *asked)
{
    const struct ts_facts facts = ts_table_facts(file->table);
    OWN(session_json_freep) json_t *steps = json_array();
    OWN(session_json_freep) json_t *result = NULL;
    size_t n_asked;
    OWN(freep) const char **names = list_asked(asked, file, &n_asked);
    struct ts_simulation simulation = {
        .start = {.document = sequences->document,
                  .children = sequences->children,
                  .n_children = sequences->n,
                  .vars = file->vars,
                  .facts = &facts},
        .environment = file->environment != 0 ? file->environment : TS_RUN_IN_BOOT_IMAGE,
        .has_volume = ts_facts_have_volume(&facts),
        .has_facts = args_get(args, "facts") || args_get(args, "device"),
        .asked = names,
        .n_asked = n_asked,
        .tell = tell,
        .ctx = steps,
    };
    struct ts_simulation_end end;
    int r;

    if (!names)
        return session_fail_errno(s, "simulating", -ENOMEM);
    if (args_get(args, "environment"))
        simulation.environment = strcmp(args_get(args, "environment"), "full-os") == 0
                                     ? TS_RUN_IN_FULL_OS
                                     : TS_RUN_IN_BOOT_IMAGE;
    r = ts_simulate(&simulation, &end);
    if (r < 0)
        return session_fail_errno(s, "simulating", r);
    if (r > 0)
        return session_fail(s,
                            ARGS_EXIT_FAILURE,
                            "SLW-0402",
                            "the task sequence has more than %d steps with those it runs",
                            (int)TS_INSTRUCTIONS_MAX);
    result = json_pack("{ss sb ss* sI sI sO}",
                       "outcome",
                       end.is_succeeded ? "succeeded" : "failed",
                       "is_disabled",
                       (int)sequences->is_disabled,
                       "disabled",
                       sequences->is_disabled ? "no deployment begins it" : NULL,
                       "n_run",
                       (json_int_t)end.n_run,
                       "n_left_out",
                       (json_int_t)end.n_left_out,
                       "steps",
                       steps);
    if (!end.is_succeeded)
        s->exit_code = ARGS_EXIT_FAILURE;
    return result ? print(s, result) : session_fail_errno(s, "simulating", -ENOMEM);
}

bool sequence_simulate(struct session *s, const struct args *args)
{
    OWN(simulate_sequences_fini) struct simulate_sequences sequences = {0};
    OWN(fini_facts) struct ts_facts_file file = {0};
    OWN(session_json_freep) json_t *asked = json_array();

    return load_facts(s, args, &file, asked) && set_given(s, args, file.vars) &&
           simulate_load(s, args->operands[0], args_get(args, "sequence"), &sequences) &&
           simulate_set_engine(s, &sequences, &file) && simulate(s, args, &sequences, &file, asked);
}
