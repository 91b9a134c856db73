/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/steps/package.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/process.h"
#include "ts/document.h"
#include "ts/vars.h"

enum {
    OUTPUT_MAX_BYTES = 1024 * 1024,
    OUTPUT_VARIABLE_CHARS = 1000, /* as documented: the last 1,000 characters */
    LOG_PIECE_MAX = 1024,
    ENVIRONMENT_MAX = 2100,
    COMMAND_MAX_BYTES = 64 * 1024,
    FOLDER_MAX_BYTES = 4096,
    US_PER_S = 1000 * 1000,
    EXIT_BY_SIGNAL = 128, /* as shells count: 128 + signal */
};

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
    struct buf entry = BUF_INIT(COMMAND_MAX_BYTES);

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

/* Ours, and the task sequence's variables. */
static int make_environment(struct step_context *c, struct environment **ret)
{
    OWN(environment_freep) struct environment *e = calloc(1, sizeof(*e));
    const char *path = getenv("PATH"); // NOLINT(concurrency-mt-unsafe): one thread sets nothing
    const char *name;
    const char *value;
    int r;

    if (!e)
        return ERR(-ENOMEM);
    r = add(e, "PATH", path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
    if (r == 0)
        r = add(e, "HOME", "/root");
    if (r == 0)
        r = add(e, "LC_ALL", "C.UTF-8");
    for (size_t i = 0; r == 0 && ts_vars_at(c->vars, i, &name, &value, NULL); i++)
        if (value[0] != '\0' && is_shell_name(name) && strcmp(name, "PATH") != 0)
            r = add(e, name, value);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(e);
    return 0;
}

/* The command line: the step's own, or what stands behind smsswd.exe /run:PACKAGE in <action>. */
static const char *find_command(struct step_context *c, struct buf *buffer)
{
    static const char prefix[] = "smsswd.exe /run:";
    const char *command = step_value(c, "CommandLine");
    const char *action = c->step->action;

    if (command[0] != '\0')
        return command;
    if (strncmp(action, prefix, sizeof(prefix) - 1) == 0) {
        action += sizeof(prefix) - 1;
        action += strcspn(action, " ");
        action += strspn(action, " ");
    }
    (void)ts_vars_expand(c->vars, action, buffer);
    return buf_str(buffer);
}

static bool is_true(const char *text)
{
    return bytes_eq_nocase(bytes_of(text), "true");
}

/* Each line of output becomes a line of the log. */
static void log_output(struct step_context *c, const struct buf *output)
{
    const char *text = buf_str(output);

    while (*text) {
        size_t len = strcspn(text, "\n");

        if (len > 0)
            c->log(c->ctx, "%.*s", (int)(len < LOG_PIECE_MAX ? len : LOG_PIECE_MAX), text);
        text += len + (text[len] == '\n' ? 1 : 0);
    }
}

/* The last characters (of UTF-8), without the line ends at the end. */
static int keep_output(struct step_context *c, struct buf *output)
{
    const char *name = step_value(c, "SMSTSRunCommandLineOutputVariableName");
    size_t start;
    size_t n = 0;

    if (name[0] == '\0')
        return 0;
    while (output->len > 0 && strchr("\r\n", output->ptr[output->len - 1]))
        output->ptr[--output->len] = '\0';
    for (start = output->len; start > 0 && n < OUTPUT_VARIABLE_CHARS; start--)
        if (((uint8_t)output->ptr[start - 1] & 0xc0) != 0x80)
            n++;
    return ts_vars_set(c->vars, name, buf_str(output) + start, TS_BY_SEQUENCE);
}

/* A site that hears nothing for long takes the computer for dead. */
static bool tell_it_runs(void *ctx)
{
    struct step_context *c = ctx;

    return c->progress(c->ctx, 0, 0, "The command line is running");
}

static int run(struct step_context *c,
               const char *command,
               const char *folder,
               struct buf *output,
               struct process_result *ret)
{
    OWN(environment_freep) struct environment *environment = NULL;
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    int r = make_environment(c, &environment);

    if (r < 0)
        return TRACE(r);
    return process_run(
        &(struct process_options){
            .argv = argv,
            .envp = (const char *const *)environment->entries,
            .folder = folder,
            .output = output,
            .timeout_us = (uint64_t)c->step->timeout_s * US_PER_S,
            .on_tick = tell_it_runs,
            .ctx = c,
        },
        ret);
}

static int judge(struct step_context *c, const struct process_result *p, struct step_result *ret)
{
    int code = p->signal != 0 ? EXIT_BY_SIGNAL + p->signal : p->exit_code;

    if (p->is_timed_out)
        (void)step_fail(
            ret,
            "SLW-0431",
            "the command of \"%s\" ran longer than %u seconds and was ended; give it more "
            "time, or find out what it waits for",
            c->step_name,
            c->step->timeout_s);
    else if (p->is_stopped)
        (void)step_fail(ret,
                        "SLW-0406",
                        "the command of \"%s\" was ended, because the site has cancelled the "
                        "deployment",
                        c->step_name);
    else if (p->signal != 0)
        (void)step_fail(ret,
                        "SLW-0430",
                        "the command of \"%s\" was ended by signal %d",
                        c->step_name,
                        p->signal);
    else if (!ts_step_is_success(c->step, code))
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

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Where the command starts: a relative folder is one of the package, and without any it is the package's. */
static int find_folder(struct step_context *c, const struct cache_use *package, struct buf *ret)
{
    const char *folder = step_value(c, "WorkingDirectory");

    if (folder[0] == '\0')
        folder = c->step->start_in;
    if (package && folder[0] != '/')
        buf_addf(ret, "%s/%s", cache_path(package), folder);
    else
        buf_adds(ret, folder[0] != '\0' ? folder : "/");
    return ret->failed ? ERR(-ENAMETOOLONG) : 0;
}

/* Run Command Line */
int step_run_command_run(struct step_context *c, struct step_result *ret)
{
    OWN(buf_fini) struct buf buffer = BUF_INIT(COMMAND_MAX_BYTES);
    OWN(buf_fini) struct buf output = BUF_INIT(OUTPUT_MAX_BYTES);
    OWN(buf_fini) struct buf folder = BUF_INIT(FOLDER_MAX_BYTES);
    OWN(cache_releasep) struct cache_use *package = NULL; /* in use until the command has ended */
    struct process_result result = {0};
    const char *command = find_command(c, &buffer);
    bool is_silent = is_true(ts_vars_get(c->vars, "OSDDoNotLogCommand"));
    int r;

    *ret = (struct step_result){0};
    if (command[0] == '\0')
        return step_fail(ret, "SLW-0432", "\"%s\" has no command line; give it one", c->step_name);
    if (step_value(c, "PackageID")[0] != '\0') {
        r = package_get(c, step_value(c, "PackageID"), ret, &package);
        if (r < 0 || !package)
            return TRACE(r);
    }
    r = find_folder(c, package, &folder);
    if (r < 0)
        return TRACE(r);
    if (!is_folder(buf_str(&folder)))
        return step_fail(
            ret, "SLW-0432", "the folder \"%s\" to start in does not exist", buf_str(&folder));
    if (is_silent)
        c->log(c->ctx, "Start executing a command line that is not logged");
    else
        c->log(c->ctx, "Start executing the command line: %s", command);
    r = run(c, command, buf_str(&folder), &output, &result);
    if (r < 0)
        return TRACE(r);
    if (!is_silent)
        log_output(c, &output);
    r = keep_output(c, &output);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return step_fail(ret,
                         "SLW-0407",
                         "the output cannot be kept in \"%s\": not a name that a step may set",
                         step_value(c, "SMSTSRunCommandLineOutputVariableName"));
    c->log(c->ctx, "Process completed with exit code %d", result.exit_code);
    return judge(c, &result, ret);
}
