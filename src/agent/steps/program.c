/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/program.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/steps/package_share.h"
#include "agent/steps/program_output.h"
#include "agent/steps/program_variables.h"
#include "agent/steps/return_code.h"
#include "agent/steps/run_as.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/process.h"
#include "ts/document.h"
#include "ts/step_value.h"
#include "ts/vars.h"

enum {
    ENVIRONMENT_MAX = 2200,
    ENTRY_MAX_BYTES = 64 * 1024,
    WHAT_MAX = 160,
    FOLDER_MAX = 4096,
    US_PER_S = 1000 * 1000,
    S_PER_MIN = 60,
    TERMINAL_TICK_US = 20 * 1000, /* somebody types, and wants to see it */
    EXIT_CODES = 256,
};

#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct environment {
    char *entries[ENVIRONMENT_MAX + 1]; /* owned; ends with NULL */
    size_t n;
};

static void environment_freep(struct environment **p)
{
    struct environment *e = *p;

    for (size_t i = 0; e && i < e->n; i++) {
        explicit_bzero(e->entries[i], strlen(e->entries[i]));
        free(e->entries[i]);
    }
    free(e);
}

static int add(struct environment *e, const char *name, const char *value)
{
    struct buf entry = BUF_INIT(ENTRY_MAX_BYTES);

    if (e->n == ENVIRONMENT_MAX)
        return 0;
    buf_addf(&entry, "%s=%s", name, value);
    e->entries[e->n] = buf_take(&entry);
    if (!e->entries[e->n])
        return ERR(-ENOMEM);
    e->n++;
    return 0;
}

/* A name that a shell can use: letters, digits and '_'. */
static bool is_shell_name(const char *name)
{
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
           strlen(name);
}

static bool has_name(const struct environment *e, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < e->n; i++)
        if (strncmp(e->entries[i], name, len) == 0 && e->entries[i][len] == '=')
            return true;
    return false;
}

/* What belongs to the engine's own hands: it is used to start programs, not by them. */
static bool is_for_nobody(const char *name)
{
    return bytes_eq_nocase(bytes_of(name), "SMSTSRunCommandLineUserPassword") ||
           bytes_eq_nocase(bytes_of(name), "SMSTSRunPowerShellUserPassword");
}

/* The task sequence's variables. Another account than root sees no secret ones. */
static int add_variables(struct environment *e, const struct ts_vars *vars, bool is_root)
{
    const char *name;
    const char *value;
    bool is_secret;
    int r = 0;

    for (size_t i = 0; r == 0 && ts_vars_at(vars, i, &name, &value, &is_secret); i++)
        if (value[0] != '\0' && is_shell_name(name) && !has_name(e, name) &&
            (is_root || !is_secret) && !is_for_nobody(name))
            r = add(e, name, value);
    return r < 0 ? TRACE(r) : 0;
}

/* As after a login, ours for root; and what the step adds. */
static int add_usual(struct environment *e, const struct program *p, const struct run_as *as)
{
    const char *path = getenv("PATH"); // NOLINT(concurrency-mt-unsafe): nobody sets any
    const char *const usual[][2] = {
        {"PATH", path && !as->name ? path : USUAL_PATH},
        {"HOME", as->name ? as->home : "/root"},
        {"USER", as->name ? as->name : "root"},
        {"LOGNAME", as->name ? as->name : "root"},
        {"SHELL", as->name ? as->shell : "/bin/sh"},
        {"LC_ALL", "C.UTF-8"},
    };
    int r = 0;

    for (const char *const *own = p->environment; own && *own && e->n < ENVIRONMENT_MAX; own++) {
        e->entries[e->n] = strdup(*own);
        if (!e->entries[e->n])
            return ERR(-ENOMEM);
        e->n++;
    }
    for (size_t i = 0; r == 0 && i < sizeof(usual) / sizeof(usual[0]); i++)
        if (!has_name(e, usual[i][0]))
            r = add(e, usual[i][0], usual[i][1]);
    return r < 0 ? TRACE(r) : 0;
}

static int make_environment(struct step_context *c,
                            const struct program *p,
                            const struct run_as *as,
                            const struct program_variables *variables,
                            struct environment **ret)
{
    OWN(environment_freep) struct environment *e = calloc(1, sizeof(*e));
    int r;

    if (!e)
        return ERR(-ENOMEM);
    r = add_usual(e, p, as);
    if (r == 0 && variables->path[0] != '\0')
        r = add(e, "SLW_VARIABLES", variables->path);
    if (r == 0)
        r = add_variables(e, c->vars, !as->name);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(e);
    return 0;
}

struct running {
    struct program_variables variables;
    struct step_context *c;
    const struct program *program;
    struct program_output output;
    uint64_t started_us;
    struct run_as as; /* its name is NULL for root */
    struct package_share share;
    char folder[FOLDER_MAX];
};

static void running_fini(struct running *run)
{
    program_variables_fini(&run->variables);
    package_share_fini(&run->share);
    run_as_fini(&run->as);
    program_output_fini(&run->output);
}

static void on_output(void *ctx, struct bytes piece)
{
    struct running *run = ctx;

    program_output_feed(&run->output, piece);
}

/* A site that hears nothing for long takes the computer for dead, and a person wants to know what it waits for. */
static enum process_tick tell_it_runs(void *ctx)
{
    struct running *run = ctx;
    uint64_t seconds = (clock_monotonic_us() - run->started_us) / US_PER_S;
    char what[WHAT_MAX];
    int n;

    if (run->c->wish && run->c->wish(run->c->ctx) == STEP_WAIT)
        return PROCESS_PAUSE;
    n = snprintf(what,
                 sizeof(what),
                 "%.80s for %" PRIu64 ":%02" PRIu64,
                 run->program->what ? run->program->what : "The command line is running",
                 seconds / S_PER_MIN,
                 seconds % S_PER_MIN);

    if (run->program->timeout_s > 0 && n > 0 && (size_t)n < sizeof(what))
        (void)snprintf(what + n,
                       sizeof(what) - (size_t)n,
                       ", at most %u:%02u",
                       run->program->timeout_s / S_PER_MIN,
                       run->program->timeout_s % S_PER_MIN);
    return run->c->progress(run->c->ctx, STEP_PERCENT_UNKNOWN, 0, what) ? PROCESS_GO_ON
                                                                        : PROCESS_END;
}

static void log_start(struct step_context *c, const struct program *p)
{
    OWN(buf_fini) struct buf text = BUF_INIT(ENTRY_MAX_BYTES);

    if (p->shown)
        buf_adds(&text, p->shown);
    else if (p->command)
        buf_adds(&text, p->command);
    for (const char *const *word = p->argv; !p->shown && word && *word; word++)
        buf_addf(&text, "%s%s", text.len > 0 ? " " : "", *word);
    if (p->user && p->user[0] != '\0')
        c->log(c->ctx, "The command line runs as %s", p->user);
    if (p->is_silent || text.len == 0)
        c->log(c->ctx, "Start executing a command line that is not logged");
    else
        c->log(c->ctx, "Start executing the command line: %s", buf_str(&text));
}

/* Where it begins to work; an account that cannot enter the cache gets there by another way. */
static int find_folder(struct running *run)
{
    const struct program *p = run->program;
    const char *folder = p->folder && p->folder[0] != '\0' ? p->folder : "/";
    size_t len = p->package ? strlen(p->package) : 0;
    const char *before = "";
    int r;

    if (run->as.name && len > 0 && strncmp(folder, p->package, len) == 0 &&
        (folder[len] == '/' || folder[len] == '\0')) {
        r = package_share(p->package, run->as.user.gid, &run->share);
        if (r < 0)
            return TRACE(r);
        before = run->share.path;
        folder += len;
    }
    if (snprintf(run->folder, sizeof(run->folder), "%s%s", before, folder) >=
        (int)sizeof(run->folder))
        return ERR(-ENAMETOOLONG);
    return 0;
}

static int run(struct running *run, struct process_result *ret)
{
    const struct program *p = run->program;
    const struct run_as *as = &run->as;
    OWN(environment_freep) struct environment *environment = NULL;
    const char *const shell[] = {"/bin/sh", "-c", p->command, NULL};
    int r = 0;

    /* variables decide what later steps do as root */
    if (p->sets_variables && !as->name)
        r = program_variables_begin(&run->variables);
    if (r == 0)
        r = make_environment(run->c, p, as, &run->variables, &environment);
    if (r == 0)
        r = find_folder(run);
    if (r < 0)
        return TRACE(r);
    return process_run(
        &(struct process_options){
            .argv = p->command ? shell : p->argv,
            .envp = (const char *const *)environment->entries,
            .folder = run->folder,
            .input = p->input,
            .terminal = p->terminal,
            .on_output = on_output,
            .timeout_us = (uint64_t)p->timeout_s * US_PER_S,
            .user = as->name ? &as->user : NULL,
            .is_whole_tree = true,
            .on_tick = tell_it_runs,
            .tick_us = p->terminal > 0 ? TERMINAL_TICK_US : 0,
            .ctx = run,
        },
        ret);
}

static int judge_end(struct step_context *c,
                     const struct program *p,
                     const struct process_result *end,
                     struct step_result *ret)
{
    if (end->is_timed_out)
        (void)step_fail(ret,
                        "SLW-0431",
                        "the command of \"%s\" ran longer than %u seconds and was ended, with all "
                        "that it had started; give it more time, or find out what it waits for",
                        c->step_name,
                        p->timeout_s);
    else if (end->is_stopped)
        (void)step_fail(ret,
                        "SLW-0406",
                        "the command of \"%s\" was ended, because the site has cancelled the "
                        "deployment",
                        c->step_name);
    else if (end->signal != 0)
        (void)step_fail_with(ret,
                             PROGRAM_EXIT_BY_SIGNAL + end->signal,
                             "SLW-0430",
                             "the command of \"%s\" was ended by signal %d",
                             c->step_name,
                             end->signal);
    return 0;
}

static int keep_output(struct step_context *c,
                       const struct program *p,
                       struct program_output *output,
                       struct step_result *ret)
{
    int r;

    if (p->tail)
        buf_adds(p->tail, program_output_tail(output));
    if (!p->output_variable || p->output_variable[0] == '\0')
        return 0;
    r = ts_vars_set_heard(c->vars, p->output_variable, program_output_tail(output));
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return step_fail(ret,
                         "SLW-0407",
                         "the output cannot be kept in \"%s\": not a name that a step may set",
                         p->output_variable);
    return 0;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Who it runs as; @ret->name is NULL for root. */
static int find_account(struct step_context *c,
                        const struct program *p,
                        struct run_as *ret,
                        struct step_result *result)
{
    OWN(buf_fini) struct buf why = BUF_INIT(STEP_MESSAGE_MAX);
    int r;

    if (!p->user || p->user[0] == '\0')
        return 0;
    if (c->environment == STEP_IN_BOOT_IMAGE)
        return step_fail(
            result,
            "SLW-0425",
            "the boot image has no accounts, so the step can run as an account only in "
            "the installed operating system; move it behind Setup Windows and "
            "Configuration Manager");
    r = run_as_find("", p->user, p->password ? p->password : "", ret, &why);
    if (r < 0)
        return TRACE(r);
    return r == 0 ? 0 : step_fail(result, "SLW-0425", "%s", buf_str(&why));
}

static int could_not_start(const struct program *p, int error, struct step_result *ret)
{
    (void)step_fail(ret,
                    "SLW-0432",
                    "\"%s\" cannot be started in \"%s\": %s",
                    p->command ? "/bin/sh" : p->argv[0],
                    p->folder ? p->folder : "/",
                    strerrordesc_np(-error) ? strerrordesc_np(-error) : "unknown error");
    return 0;
}

/* A program here can only say the lowest eight bits of its exit code: "exit 3010" arrives as 194. It is the success code
   that it must have meant, unless 194 is one itself. */
static int widen(const char *success_codes, int code)
{
    static const char between[] = " ,;\t\r\n";
    int meant = code;

    if (code <= 0 || !success_codes)
        return code;
    for (const char *at = success_codes; *at != '\0'; at += strspn(at, between)) {
        size_t len = strcspn(at, between);
        uint64_t success;

        if (bytes_parse_u64((struct bytes){(const uint8_t *)at, len}, 0, INT_MAX, &success)) {
            if (success == (uint64_t)code)
                return code;
            if (success % EXIT_CODES == (uint64_t)code && meant == code)
                meant = (int)success;
        }
        at += len;
    }
    return meant;
}

/* It ran: what it printed, how it ended. */
static int finish(struct running *run,
                  const struct process_result *end,
                  int *ret_code,
                  struct step_result *ret)
{
    struct step_context *c = run->c;
    int r;

    program_output_end(&run->output);
    *ret_code = end->signal != 0 ? PROGRAM_EXIT_BY_SIGNAL + end->signal
                                 : widen(run->program->success_codes, end->exit_code);
    c->log(c->ctx, "Process completed with exit code %d", *ret_code);
    if (c->output && !run->program->is_silent) {
        buf_clear(c->output);
        program_output_copy(&run->output, c->output);
    }
    r = keep_output(c, run->program, &run->output, ret);
    if (r == 0)
        r = program_variables_take(&run->variables, c, *ret_code, ret);
    if (r < 0)
        return TRACE(r);
    (void)judge_end(c, run->program, end, ret);
    if (!end->is_timed_out && !end->is_stopped && !ret->error_id)
        ret->exit_code = *ret_code;
    return 0;
}

int program_run(struct step_context *c,
                const struct program *program,
                int *ret_code,
                struct step_result *ret)
{
    OWN(running_fini)
    struct running running = {.c = c, .program = program, .started_us = clock_monotonic_us()};
    struct process_result end = {0};
    int r;

    *ret_code = 0;
    if (program->folder && program->folder[0] != '\0' && !is_folder(program->folder)) {
        return step_fail(
            ret, "SLW-0432", "the folder \"%s\" to start in does not exist", program->folder);
    }
    r = find_account(c, program, &running.as, ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    program_output_begin(&running.output, c, program->is_silent);
    log_start(c, program);
    r = run(&running, &end);
    if (r == -ENOMEM)
        return TRACE(r);
    if (r < 0)
        return could_not_start(program, r, ret);
    return TRACE(finish(&running, &end, ret_code, ret));
}

int program_judge(struct step_context *c, int code, struct step_result *ret)
{
    if (!ts_step_is_success(c->step, code))
        (void)step_fail(
            ret,
            "SLW-0430",
            "the command of \"%s\" ended with exit code %d, and the success codes are %s; its "
            "output is in smsts.log",
            c->step_name,
            code,
            c->step->success_codes);
    ret->exit_code = code;
    return 0;
}

void program_run_as(struct step_context *c, const char *family, struct program *program)
{
    char name[64];

    if (!ts_step_wants_account(c->step, c->vars, family))
        return;
    (void)snprintf(name, sizeof(name), "SMSTS%sUserName", family);
    program->user = step_value(c, name);
    (void)snprintf(name, sizeof(name), "SMSTS%sUserPassword", family);
    program->password = step_value(c, name);
}
