/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/simulate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/assign.h"
#include "ts/compare.h"
#include "ts/secret.h"
#include "ts/secret_find.h"
#include "ts/secret_names.h"
#include "ts/settings.h"
#include "ts/step_types.h"
#include "ts/step_value.h"
#include "ts/tree.h"
#include "ts/validate.h"
#include "ts/vars.h"

static const char reboot_type[] = "SMS_TaskSequence_RebootAction";
static const char command_type[] = "SMS_TaskSequence_RunCommandLineAction";
static const char script_type[] = "SMS_TaskSequence_RunPowerShellScriptAction";
static const char setup_type[] = "SMS_TaskSequence_SetupWindowsAndSMSAction";
static const char prepare_type[] = "SMS_TaskSequence_PrepareOSAction";
static const char format_type[] = "SMS_TaskSequence_PartitionDiskAction";
static const char apply_type[] = "SMS_TaskSequence_ApplyOperatingSystemAction";

enum {
    VALUES_MAX_BYTES = 4 * 1024 * 1024, /* of one step */
    PATH_MAX_BYTES = 16 * 1024,
};

/* The exit codes of such failures (docs/errors), which conditions may ask for */
enum {
    CODE_UNSUPPORTED = -2147024846, /* 0x80070032 */
    CODE_PARAMETER = -2147024809,   /* 0x80070057 */
    CODE_LOGON = -2147023570,       /* 0x8007052E */
    CODE_NO_VOLUME = -2147024881,   /* 0x8007000F */
};

struct run {
    const struct ts_simulation *simulation;
    struct ts_sequence *sequence;
    unsigned environment;
    bool has_place;                /* a volume could keep where the sequence goes on */
    struct ts_run_time *unknown;   /* owned */
    struct ts_secret_names *names; /* owned; of the sequence itself */
    int asked;                     /* 0, or what gathering failed with */
    struct buf texts;              /* the values, one behind the other, each with its NUL */
};

DEFINE_FREEP(struct ts_sequence *, ts_sequence_free);

static void put_text(struct run *run, const char *text, bool is_secret)
{
    static const uint8_t nul[] = {0};

    if (is_secret)
        buf_adds(&run->texts, text[0] != '\0' ? "***" : "");
    else
        ts_vars_expand_shown(run->simulation->start.vars, text, &run->texts);
    buf_add(&run->texts, (struct bytes){nul, 1});
}

/* The variable that overrides the step's own. MDT names some of those as the property is called. */
static const char *overriding_name(const struct ts_step *step, const struct ts_variable *own)
{
    const struct ts_property *property =
        bytes_eq_nocase(bytes_of(own->name), own->property)
            ? ts_property_find(ts_step_type_find(step->type), own->property)
            : NULL;

    return property && !strchr(property->variable, '#') ? property->variable : own->name;
}

/* As the agent gives it to the step: a variable of the same name overrides what is no argument. @secrets: get the step's own if it
   is one */
static void put_value(struct run *run,
                      const struct ts_step *step,
                      bool hides_value,
                      const struct ts_variable *own,
                      struct ts_secrets *secrets)
{
    const struct ts_vars *vars = run->simulation->start.vars;
    OWN(freep) char *shown = ts_secret_show_value(run->names, step, hides_value, own);
    const char *name = overriding_name(step, own);
    const char *override = own->is_hidden ? "" : ts_vars_get(vars, name);

    if (!shown) {
        run->texts.failed = true;
        return;
    }
    put_text(run, override[0] != '\0' ? override : shown, ts_vars_is_secret(vars, name));
    if (strcmp(shown, own->text) != 0)
        ts_secrets_add(secrets, own->text);
}

/* A command that may have one of the step's own secrets in it. */
static void put_command(struct run *run, const char *command, const struct ts_secrets *secrets)
{
    OWN(freep) char *cut = ts_copy(command);

    put_text(run, command, !cut || ts_secrets_cut(secrets, cut));
}

/* A command line, or the command with the target of a restart, that stands in <action> only, as MDT writes it; NULL: the
   step has none. */
static const char *command_of(const struct run *run, const struct ts_step *step)
{
    const struct ts_vars *vars = run->simulation->start.vars;
    bool is_command = strcmp(ts_step_runs_as(step), command_type) == 0;
    const char *command = is_command ? ts_step_action_command(step) : step->action;
    const char *name = is_command ? "CommandLine" : "SMSRebootTarget";

    if (!is_command && strcmp(step->type, reboot_type) != 0)
        return NULL;
    return command[0] != '\0' && ts_step_value(step, vars, name)[0] == '\0' ? command : NULL;
}

/* @ret: owned by the caller, with room for @ret_n; its texts are those of @run. */
static int make_values(struct run *run,
                       const struct ts_step *step,
                       struct ts_simulated_value **ret,
                       size_t *ret_n)
{
    struct ts_simulated_value *values = calloc(step->n_variables + 1, sizeof(*values));
    const char *command = command_of(run, step);
    bool hides_value = ts_secret_hides_value(step);
    OWN(ts_secrets_fini) struct ts_secrets secrets = {0};
    const char *text;

    buf_clear(&run->texts);
    for (size_t i = 0; values && i < step->n_variables; i++)
        put_value(run, step, hides_value, &step->variables[i], &secrets);
    if (values && command)
        put_command(run, command, &secrets);
    if (!values || run->texts.failed) {
        free(values);
        return ERR(-ENOMEM);
    }
    text = buf_str(&run->texts);
    for (size_t i = 0; i < step->n_variables; i++) {
        values[i] = (struct ts_simulated_value){step->variables[i].name, text};
        text += strlen(text) + 1;
    }
    if (command)
        values[step->n_variables] = (struct ts_simulated_value){"action", text};
    *ret = values;
    *ret_n = step->n_variables + (command ? 1 : 0);
    return 0;
}

static int tell(struct run *run, const struct ts_next *next)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(freep) struct ts_simulated_value *values = NULL;
    struct ts_simulated decision = {.next = next, .environment = run->environment};
    int r = 0;

    if (next->kind == TS_NEXT_RUN) {
        r = make_values(run, next->step, &values, &decision.n_values);
        if (r < 0)
            return TRACE(r);
        decision.values = values;
    }
    ts_sequence_put_item_path(run->sequence, next->index, next->item, &path);
    decision.path = buf_str(&path);
    decision.depends = ts_run_time_gathered(run->unknown, &decision.n_depends);
    return run->simulation->tell ? TRACE(run->simulation->tell(run->simulation->ctx, &decision))
                                 : 0;
}

/* Where the step leads, if it is one of those that restart. */
static enum ts_restart restart_of(const struct run *run, const struct ts_step *step)
{
    OWN(buf_fini) struct buf target = BUF_INIT(VALUES_MAX_BYTES);

    if (strcmp(step->type, setup_type) == 0)
        return run->environment == TS_RUN_IN_FULL_OS ? TS_NO_RESTART : TS_RESTART_TO_FULL_OS;
    if (strcmp(step->type, prepare_type) == 0)
        return TS_RESTART_TO_BOOT_IMAGE;
    if (strcmp(step->type, reboot_type) != 0)
        return TS_NO_RESTART;
    ts_step_put_target(step, run->simulation->start.vars, &target);
    return ts_compare_text(buf_str(&target), "HD") == 0 ? TS_RESTART_TO_FULL_OS
                                                        : TS_RESTART_TO_BOOT_IMAGE;
}

/* Whether the step, which has run, leaves a volume to restart from. */
static bool makes_place(const struct ts_step *step)
{
    return strcmp(step->type, format_type) == 0 || strcmp(step->type, apply_type) == 0;
}

static int follow_restart(struct run *run, enum ts_restart restart)
{
    bool is_full_os = restart == TS_RESTART_TO_FULL_OS;
    int r;

    if (restart == TS_NO_RESTART)
        return 0;
    run->environment = is_full_os ? TS_RUN_IN_FULL_OS : TS_RUN_IN_BOOT_IMAGE;
    r = ts_vars_set(
        run->simulation->start.vars, "_SMSTSInWinPE", is_full_os ? "false" : "true", TS_BY_ENGINE);
    return r < 0 ? TRACE(r) : 0;
}

__attribute__((format(printf, 3, 4))) static void
make_failure(struct ts_next *next, const char *error_id, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (vsnprintf(next->why, sizeof(next->why), format, args) < 0)
        next->why[0] = '\0';
    text_make_utf8(next->why);
    va_end(args);
    next->kind = TS_NEXT_FAIL;
    next->error_id = error_id;
}

/* What the agent would not even begin: from then on @next is a failure. */
static void refuse_type(const struct run *run, struct ts_next *next)
{
    const char *name = ts_step_runs_as(next->step);
    const struct ts_step_type *type = ts_step_type_find(name);

    if (type && type->platform == TS_PLATFORM_WINDOWS)
        make_failure(next,
                     "SLW-0409",
                     "\"%s\" does something that only Windows has; disable it, or give it a "
                     "condition that does not hold on Linux",
                     type->display_name);
    else if (name[0] == '\0')
        make_failure(next,
                     "SLW-0401",
                     "the step has neither a type nor a command; replace it by a Run Command Line");
    else if (!type || !ts_type_is_supported(name))
        make_failure(next,
                     "SLW-0401",
                     "the agent cannot run steps of type \"%s\"; disable or replace the step",
                     name);
    else if ((type->run_in & run->environment) == 0)
        make_failure(next,
                     "SLW-0405",
                     "\"%s\" cannot run in %s; move the step",
                     type->display_name,
                     run->environment == TS_RUN_IN_FULL_OS ? "the installed operating system"
                                                           : "the boot image");
}

/* A step that had begun did not succeed. */
static int
tell_failure(struct run *run, const struct ts_next *begun, const char *error_id, const char *why)
{
    struct ts_next failure = *begun;

    failure.warnings[0] = '\0';
    make_failure(&failure, error_id, "%s", why);
    return TRACE(tell(run, &failure));
}

/* What is not known from now on, since the step is only simulated. */
static int note(struct run *run, const struct ts_next *next)
{
    const struct ts_start *start = &run->simulation->start;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    ts_sequence_put_item_path(run->sequence, next->index, next->item, &path);
    return TRACE(
        ts_run_time_note(run->unknown, next->step, buf_str(&path), start->vars, start->facts));
}

static void gather(void *ctx, const struct ts_condition *condition)
{
    struct run *run = ctx;
    int r = ts_run_time_ask(run->unknown, condition, run->simulation->start.vars);

    run->asked = run->asked ? run->asked : r;
}

/* Set the variables of a step that only does that. Return: 0, -errno, or positive: the step fails, as was told. */
static int assign(struct run *run, const struct ts_next *next)
{
    OWN(buf_fini) struct buf why = BUF_INIT(TS_ASSIGN_TEXT_MAX);
    const struct ts_start *start = &run->simulation->start;
    int outcome;
    int r;

    if (!ts_is_assignment(next->step))
        return 0;
    outcome = ts_assign_simulated(next->step, start->vars, start->facts, &why);
    if (outcome <= 0)
        return TRACE(outcome);
    r = tell_failure(run, next, "SLW-0407", buf_str(&why));
    return r != 0 ? TRACE(r) : outcome;
}

/* Whether a Restart Computer can. Return: 0, -errno, or positive: it fails with @ret_code, as was told. */
static int check_restart(struct run *run, const struct ts_next *next, int64_t *ret_code)
{
    OWN(buf_fini) struct buf target = BUF_INIT(VALUES_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(2 * (size_t)VALUES_MAX_BYTES);
    bool is_boot_image;
    int r = 0;

    if (strcmp(next->step->type, reboot_type) != 0)
        return 0;
    ts_step_put_target(next->step, run->simulation->start.vars, &target);
    is_boot_image = target.len == 0 || ts_compare_text(buf_str(&target), "WinPE") == 0;
    if (!is_boot_image && ts_compare_text(buf_str(&target), "HD") != 0) {
        buf_addf(
            &why, "the target \"%s\" is neither HD nor WinPE; correct the step", buf_str(&target));
        *ret_code = CODE_PARAMETER;
        r = tell_failure(run, next, "SLW-0408", buf_str(&why));
    } else if (is_boot_image && !run->has_place) {
        *ret_code = CODE_NO_VOLUME;
        r = tell_failure(run,
                         next,
                         "SLW-0415",
                         "there is no volume yet to remember on where the task sequence goes on; "
                         "put the step behind Format and Partition Disk");
    } else {
        return 0;
    }
    return r < 0 ? TRACE(r) : 1;
}

/* Whether there is the account that a command or script is to run as: the boot image has none. Return: as check_command(). */
static int check_account(struct run *run, const struct ts_next *next, int64_t *ret_code)
{
    const struct ts_vars *vars = run->simulation->start.vars;
    const char *type = ts_step_runs_as(next->step);
    bool is_script = strcmp(type, script_type) == 0;
    const char *user = ts_step_value(
        next->step, vars, is_script ? "SMSTSRunPowerShellUserName" : "SMSTSRunCommandLineUserName");
    int r;

    if (run->environment != TS_RUN_IN_BOOT_IMAGE || user[0] == '\0' ||
        (!is_script && strcmp(type, command_type) != 0) ||
        !ts_step_wants_account(next->step, vars, is_script ? "RunPowerShell" : "RunCommandLine"))
        return 0;
    *ret_code = CODE_LOGON;
    r = tell_failure(
        run,
        next,
        "SLW-0425",
        "the boot image has no accounts, so the step can run as an account only in the "
        "installed operating system; move it behind Setup Windows and Configuration "
        "Manager");
    return r < 0 ? TRACE(r) : 1;
}

/* Whether a command can run. Return: 0, -errno, or positive: it fails with @ret_code, as was told. */
static int check_command(struct run *run, const struct ts_next *next, int64_t *ret_code)
{
    OWN(buf_fini) struct buf command = BUF_INIT(VALUES_MAX_BYTES);
    const char *own = ts_step_value(next->step, run->simulation->start.vars, "CommandLine");
    int r;

    if (strcmp(ts_step_runs_as(next->step), command_type) != 0)
        return 0;
    (void)ts_vars_expand(run->simulation->start.vars,
                         own[0] != '\0' ? own : ts_step_action_command(next->step),
                         &command);
    if (!ts_command_is_of_script_host(buf_str(&command)))
        return 0;
    *ret_code = CODE_UNSUPPORTED;
    r = tell_failure(
        run,
        next,
        "SLW-0718",
        "it is a script for Windows Script Host, which Linux does not have; replace it by one for Linux, or "
        "give the step a condition that does not hold there");
    return r < 0 ? TRACE(r) : 1;
}

/* The step, as a success unless it cannot run here, only sets variables and cannot, or cannot restart. */
static int run_step(struct run *run, const struct ts_next *next)
{
    struct ts_result result = {.outcome = TS_STEP_SUCCEEDED, .environment = run->environment};
    struct ts_after after;
    int r = next->kind == TS_NEXT_FAIL ? 0 : note(run, next);

    if (r == 0 && next->kind != TS_NEXT_FAIL)
        r = assign(run, next);

    result.code = r > 0 ? CODE_PARAMETER : CODE_UNSUPPORTED;
    if (r == 0 && next->kind != TS_NEXT_FAIL)
        r = check_restart(run, next, &result.code);
    if (r == 0 && next->kind != TS_NEXT_FAIL)
        r = check_account(run, next, &result.code);
    if (r == 0 && next->kind != TS_NEXT_FAIL)
        r = check_command(run, next, &result.code);
    if (r < 0)
        return TRACE(r);
    if (r > 0 || next->kind == TS_NEXT_FAIL) {
        result.outcome = TS_STEP_FAILED;
        ts_run_time_forget_last(run->unknown);
    } else {
        result.code = 0;
        result.restart = restart_of(run, next->step);
        run->has_place =
            run->has_place || run->environment == TS_RUN_IN_FULL_OS || makes_place(next->step);
    }
    result.has_place = run->has_place;
    r = ts_sequence_step_done(run->sequence, &result, &after);
    if (r == 0 && after.error_id)
        r = tell_failure(run, next, after.error_id, after.why);
    if (r == 0)
        r = follow_restart(run, after.restart);
    return r < 0 ? TRACE(r) : 0;
}

/* Secrets of the sequence's own list that are not told here. */
static int withhold_globals(const struct ts_document *doc, struct ts_vars *vars)
{
    size_t n;
    const struct ts_variable *globals = ts_document_globals(doc, &n);

    for (size_t i = 0; i < n; i++) {
        bool is_withheld =
            ts_name_is_secret(globals[i].name) && ts_vars_get(vars, globals[i].name)[0] == '\0';
        int r = is_withheld ? ts_vars_set(vars, globals[i].name, "***", TS_BY_SEQUENCE) : 0;

        if (r == 0 && is_withheld)
            r = ts_vars_set_secret(vars, globals[i].name);
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

static int set_globals(const struct ts_document *doc, struct ts_vars *vars)
{
    int r = ts_sequence_set_globals(doc, vars);

    return r == 0 ? TRACE(withhold_globals(doc, vars)) : TRACE(r);
}

static int set_environment(struct run *run)
{
    const struct ts_start *start = &run->simulation->start;
    int r = set_globals(start->document, start->vars);

    for (size_t i = 0; r == 0 && i < start->n_children; i++)
        if (start->children[i].document)
            r = set_globals(start->children[i].document, start->vars);
    if (r == 0)
        r = ts_settings_expand(start->vars);
    if (r == 0)
        r = follow_restart(run,
                           run->environment == TS_RUN_IN_FULL_OS ? TS_RESTART_TO_FULL_OS
                                                                 : TS_RESTART_TO_BOOT_IMAGE);
    return TRACE(r);
}

/* What the failure of the step has left out; nothing if it succeeded. */
static int tell_left_out(struct run *run, size_t failed, struct ts_simulation_end *ret)
{
    struct ts_next next;
    size_t index = failed + 1;
    int r = 0;

    ts_run_time_reset(run->unknown);
    while (r == 0 && ts_sequence_left_out(run->sequence, failed, index, &next)) {
        r = tell(run, &next);
        index += next.n_left_out;
        ret->n_left_out += next.n_left_out;
    }
    return TRACE(r);
}

static int go(struct run *run, struct ts_simulation_end *ret)
{
    struct ts_next next;

    for (;;) {
        int r;
        bool is_begun;

        ts_run_time_reset(run->unknown);
        r = ts_sequence_next(run->sequence, run->environment, &next);
        r = r == 0 ? run->asked : r;
        is_begun = r == 0 && next.kind == TS_NEXT_RUN;

        if (r < 0)
            return TRACE(r);
        if (is_begun)
            refuse_type(run, &next);
        ret->is_succeeded = next.kind == TS_NEXT_SUCCEEDED;
        ret->environment = run->environment;
        if (next.kind == TS_NEXT_SUCCEEDED || next.kind == TS_NEXT_FAILED)
            return 0;
        r = tell(run, &next);
        ret->n_left_out += next.n_left_out;
        ret->n_run += next.kind == TS_NEXT_RUN;
        if (r == 0 && is_begun)
            r = run_step(run, &next);
        if (r == 0 && next.kind != TS_NEXT_SKIP)
            r = tell_left_out(run, next.index, ret);
        if (r < 0)
            return TRACE(r);
    }
}

int ts_simulate(const struct ts_simulation *simulation, struct ts_simulation_end *ret)
{
    OWN(ts_sequence_freep) struct ts_sequence *sequence = NULL;
    struct run run = {.simulation = simulation,
                      .environment = simulation->environment,
                      .has_place =
                          simulation->environment == TS_RUN_IN_FULL_OS || simulation->has_volume,
                      .texts = BUF_INIT(VALUES_MAX_BYTES)};
    struct ts_start start = simulation->start;
    int r = set_environment(&run);

    start.asked = gather;
    start.asked_ctx = &run;
    *ret = (struct ts_simulation_end){0};
    if (r == 0)
        r = ts_run_time_new(&run.unknown);
    if (r == 0)
        r = ts_run_time_withhold(run.unknown, simulation->start.vars);
    if (r == 0)
        r = ts_run_time_expect(run.unknown, simulation->start.vars, simulation->has_facts);
    for (size_t i = 0; r == 0 && i < simulation->n_asked; i++)
        r = ts_run_time_expect_typed(run.unknown, simulation->asked[i]);
    if (r == 0)
        r = ts_sequence_new(&start, &sequence);
    if (r == 0)
        r = ts_secret_names_new(start.document, NULL, &run.names);
    if (r != 0) {
        ts_run_time_free(run.unknown);
        return r < 0 ? TRACE(r) : r;
    }
    run.sequence = sequence;
    r = go(&run, ret);
    ts_run_time_free(run.unknown);
    ts_secret_names_free(run.names);
    buf_fini(&run.texts);
    return TRACE(r);
}
