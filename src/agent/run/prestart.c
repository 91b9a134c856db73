/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The prestart command of the boot image, before anything is asked on the screen (docs/deployments.md, Prestart command). It has the consoles
 * to itself, through a pseudo terminal
 */

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/facts/facts.h"
#include "agent/run/journal.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "agent/steps/program.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_vars *, ts_vars_free);

enum {
    HTTP_OK = 200,
    HTTP_CONFLICT = 409,
    PIECE_BYTES = 4096,
    LINE_MAX_BYTES = 1024,
    ROWS = 24,
    COLUMNS = 80,
};

#define FAILED_ID "SLW-0476"
#define FAILED_REMEDY \
    "correct what it says here, or the command of the boot image at the site, and start the computer again"

struct console {
    struct runner *rn;
    int ours; /* of the pseudo terminal; owned, as the other */
    int its;
};

static void console_fini(struct console *console)
{
    fd_closep(&console->ours);
    fd_closep(&console->its);
}

static int open_console(struct console *console)
{
    struct winsize size = {.ws_row = ROWS, .ws_col = COLUMNS};

    if (openpty(&console->ours, &console->its, NULL, NULL, &size) != 0)
        return ERR(-errno);
    if (fcntl(console->ours, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(console->ours, F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(console->its, F_SETFD, FD_CLOEXEC) != 0)
        return ERR(-errno);
    return 0;
}

static void show_output(struct console *console)
{
    uint8_t piece[PIECE_BYTES];
    ssize_t n = read(console->ours, piece, sizeof(piece));

    while (n > 0) {
        screen_put(console->rn->screen, (struct bytes){piece, (size_t)n});
        n = read(console->ours, piece, sizeof(piece));
    }
    explicit_bzero(piece, sizeof(piece));
}

/* As on any terminal, what nobody reads for long is lost. */
static void pass_keys(struct console *console)
{
    char keys[PIECE_BYTES];
    size_t n = screen_take(console->rn->screen, keys, sizeof(keys));

    if (n > 0)
        (void)!write(console->ours, keys, n);
    explicit_bzero(keys, sizeof(keys));
}

static bool relay(void *ctx, unsigned percent, uint64_t rate_bytes_per_s, const char *what)
{
    struct console *console = ctx;

    (void)percent;
    (void)rate_bytes_per_s;
    (void)what;
    show_output(console);
    pass_keys(console);
    return true;
}

__attribute__((format(printf, 2, 3))) static void on_log(void *ctx, const char *format, ...)
{
    struct console *console = ctx;
    char text[LINE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    va_end(args);
    journal_write(console->rn->journal, CMTRACE_INFORMATION, "Prestart", "%s", text);
}

/* What it may want to choose by: make, model, addresses. */
static int add_facts(struct runner *rn, struct ts_vars *vars)
{
    OWN(json_decrefp) json_t *facts = NULL;
    const char *name;
    json_t *value;
    int r = facts_for_registration("", &rn->machine, false, &facts);

    if (r < 0)
        return TRACE(r);
    r = 0;
    json_object_foreach(json_object_get(facts, "variables"), name, value)
    {
        if (r >= 0 && json_is_string(value))
            r = ts_vars_set(vars, name, json_string_value(value), TS_BY_ENGINE);
    }
    return r < 0 ? TRACE(r) : 0;
}

/* @ret_code: how it exited. @ret: a failure if it could not run, or has left what are no variables */
static int run(struct runner *rn,
               const char *command,
               struct ts_vars *vars,
               int *ret_code,
               struct step_result *ret)
{
    static const char *const environment[] = {"TERM=linux", NULL};
    OWN(console_fini) struct console console = {.rn = rn, .ours = -1, .its = -1};
    struct step_context c = {
        .vars = vars,
        .machine = &rn->machine,
        .environment = STEP_IN_BOOT_IMAGE,
        .step_name = "Prestart command",
        .progress = relay,
        .log = on_log,
        .ctx = &console,
    };
    int r = open_console(&console);

    if (r < 0)
        return TRACE(r);
    screen_lend(rn->screen, true);
    r = program_run(&c,
                    &(struct program){.command = command,
                                      .terminal = console.its,
                                      .environment = environment,
                                      .sets_variables = true},
                    ret_code,
                    ret);
    show_output(&console); /* its last words */
    screen_lend(rn->screen, false);
    return TRACE(r);
}

/* What it has set, for the site; what begins with '_' was ours. Owned by the caller; NULL: no memory. */
static json_t *list_set(const struct ts_vars *vars)
{
    json_t *list = json_object();
    const char *name;
    const char *value;
    bool is_secret;

    for (size_t i = 0; ts_vars_at(vars, i, &name, &value, &is_secret); i++)
        if (name[0] != '_' && value[0] != '\0' &&
            json_object_set_new(list, name, json_string(value)) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* @status: 409 SLW-0218: it was told already, and the answer got lost */
static bool is_taken(unsigned status, const json_t *answer)
{
    return status == HTTP_OK ||
           (status == HTTP_CONFLICT && strcmp(text_of(answer, "error_id"), "SLW-0218") == 0);
}

/* @code: not 0: @vars do not matter. Return: 0; RUNNER_E_FAILED: the site does not want it so; or -errno. */
static int tell(struct runner *rn, int code, const struct ts_vars *vars)
{
    OWN(json_decrefp) json_t *variables = code == 0 ? list_set(vars) : json_object();
    OWN(json_decrefp)
    json_t *body =
        variables ? json_pack("{s:i,s:O}", "exit_code", code, "variables", variables) : NULL;
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status = 0;
    int r;

    if (!body)
        return ERR(-ENOMEM);
    screen_set(rn->screen, SCREEN_STATUS, "Telling the site what the prestart command has set");
    r = runner_put_patiently(rn, "/api/v1/client/prestart", body, &status, &answer);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    if (is_taken(status, answer))
        return 0;
    return runner_problem(rn,
                          text_of(answer, "error_id"),
                          "correct the prestart command, or what is deployed, at the site",
                          "%s",
                          text_of(answer, "detail"));
}

/* It has failed. The site hears of it, if it can, and the screen says what it was. Return: RUNNER_E_FAILED or -errno. */
static int give_up(struct runner *rn, int code, const struct step_result *result)
{
    int r = tell(rn, code != 0 ? code : EXIT_FAILURE, NULL);

    if (r < 0)
        return TRACE(r);
    if (result->error_id)
        return runner_problem(rn, result->error_id, FAILED_REMEDY, "%s", result->message);
    return runner_problem(
        rn,
        FAILED_ID,
        FAILED_REMEDY,
        "the prestart command of the boot image ended with exit code %d; nothing was written",
        code);
}

int runner_run_prestart(struct runner *rn, const json_t *waiting)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    struct step_result result = {0};
    int code = 0;
    int r = ts_vars_new(&vars);

    if (r == 0)
        r = add_facts(rn, vars);
    if (r < 0)
        return TRACE(r);
    runner_note_waiting(rn, "The prestart command of the boot image runs");
    r = run(rn, text_of(waiting, "command"), vars, &code, &result);
    runner_end_waiting(rn);
    if (r < 0)
        return TRACE(r);
    return code != 0 || result.error_id ? TRACE(give_up(rn, code, &result))
                                        : TRACE(tell(rn, 0, vars));
}
