/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/steps/package.h"
#include "agent/steps/program.h"
#include "agent/steps/return_code.h"
#include "agent/steps/script.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/document.h"
#include "ts/script_words.h"
#include "ts/vars.h"

enum {
    SCRIPT_MAX_BYTES = 2 * 1024 * 1024,
    HEAD_MAX_BYTES = 4096,
    PATH_MAX_BYTES = 4096,
    FOLDER_MODE = 0711, /* an account that the script runs as finds it by its name */
};

#define SCRIPTS_FOLDER "/run/slipway/smstspowershellscripts"

struct script_job {
    struct step_context *c;
    struct cache_use *package;     /* owned; NULL: the script is in the step */
    char path[PATH_MAX_BYTES];     /* of the script */
    char relative[PATH_MAX_BYTES]; /* "./NAME" if it is started in the package's folder; "" */
    bool is_temporary;             /* it is removed afterwards */
    struct buf head;               /* owned; its beginning */
    struct ts_script_words words;  /* the command */
};

static void job_free(struct script_job *job)
{
    if (job->is_temporary)
        (void)unlink(job->path);
    buf_fini(&job->head);
    cache_release(job->package);
    free(job);
}
DEFINE_FREEP(struct script_job *, job_free);

static bool is_true(const char *text)
{
    return bytes_eq_nocase(bytes_of(text), "true");
}

/* A file of its own, whose name nobody can guess. */
static int write_script(struct script_job *job, const struct buf *text)
{
    const char *user = step_value(job->c, "SMSTSRunPowerShellUserName");
    bool is_shell = strncmp(buf_str(text), "#!", 2) == 0;
    int r = dir_make(SCRIPTS_FOLDER, FOLDER_MODE);

    if (r < 0)
        return TRACE(r);
    (void)snprintf(
        job->path, sizeof(job->path), "%s/XXXXXX%s", SCRIPTS_FOLDER, is_shell ? "" : ".ps1");

    OWN(fd_closep) int fd = mkstemps(job->path, is_shell ? 0 : 4);

    if (fd < 0)
        return ERR(-errno);
    job->is_temporary = true;
    if (user[0] != '\0' && fchmod(fd, 0644) < 0)
        return ERR(-errno);
    return TRACE(fd_write_all(fd, buf_bytes(text)));
}

/* The script that is in the step. */
static int take_inline(struct script_job *job, const char *source, struct step_result *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SCRIPT_MAX_BYTES);

    if (!script_decode(source, &text))
        return step_fail_with(
            ret,
            RETURN_PARAMETER,
            "SLW-0444",
            "the script of \"%s\" is not Base64 of a text; edit the step and enter the "
            "script again",
            job->c->step_name);
    buf_add(&job->head,
            (struct bytes){(const uint8_t *)buf_str(&text),
                           text.len < HEAD_MAX_BYTES ? text.len : HEAD_MAX_BYTES});
    return TRACE(write_script(job, &text));
}

static int read_head(struct script_job *job)
{
    FILE *file = fopen(job->path, "re");
    char head[HEAD_MAX_BYTES];
    size_t n;

    if (!file)
        return ERR(-errno);
    n = fread(head, 1, sizeof(head), file);
    (void)fclose(file);
    buf_add(&job->head, (struct bytes){(const uint8_t *)head, n});
    return 0;
}

/* A script of a package, by its path in it, which may be written with '\'. */
static int take_from_package(struct script_job *job, struct step_result *ret)
{
    const char *id = step_value(job->c, "OSDRunPowerShellScriptPackageID");
    const char *name = step_value(job->c, "OSDRunPowerShellScriptScriptName");
    OWN(buf_fini) struct buf relative = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES - 1);
    int r;

    if (id[0] == '\0' || name[0] == '\0')
        return step_fail_with(
            ret,
            RETURN_PARAMETER,
            "SLW-0444",
            "\"%s\" has no script: give it one, or a package and the name of a script "
            "in it",
            job->c->step_name);
    r = package_get(job->c, id, ret, &job->package);
    if (r < 0 || !job->package)
        return TRACE(r);
    buf_adds(&relative, name);
    for (char *at = relative.ptr; at && *at != '\0'; at++)
        if (*at == '\\')
            *at = '/';
    if (!path_under(cache_path(job->package), buf_str(&relative), &path) ||
        !file_exists(buf_str(&path)))
        return step_fail(
            ret, "SLW-0444", "package %s has no script \"%.200s\"; correct its name", id, name);
    /* whom the script runs as may see the package elsewhere */
    (void)snprintf(job->path, sizeof(job->path), "%s", buf_str(&path));
    if (step_value(job->c, "SMSTSRunPowerShellWorkingDirectory")[0] == '\0')
        (void)snprintf(job->relative, sizeof(job->relative), "./%.4000s", buf_str(&relative));
    return TRACE(read_head(job));
}

/* Interpreter, script, parameters. */
static bool make_command(struct script_job *job, struct step_result *ret)
{
    const char *policy = step_value(job->c, "OSDRunPowerShellScriptExecutionPolicy");
    const char *parameters = step_value(job->c, "OSDRunPowerShellScriptParameters");

    if (!script_find_interpreter(&job->words, buf_bytes(&job->head), job->path, policy)) {
        (void)step_fail_with(
            ret,
            RETURN_NO_SCRIPT_HOST,
            "SLW-0444",
            "the script of \"%s\" is for PowerShell, and there is no pwsh here; install "
            "it before, or begin the script with #! and the program that runs it",
            job->c->step_name);
        return false;
    }
    if (ts_script_words_add(&job->words, job->relative[0] != '\0' ? job->relative : job->path) &&
        ts_script_words_split(&job->words, parameters))
        return true;
    (void)step_fail_with(ret,
                         RETURN_PARAMETER,
                         "SLW-0444",
                         "the parameters of \"%s\" are too many, or a quote in them does not end",
                         job->c->step_name);
    return false;
}

/* Where it starts: a relative folder is one of the package, and without any it is the package's. */
static int find_folder(const struct script_job *job, struct buf *ret)
{
    const char *folder = step_value(job->c, "SMSTSRunPowerShellWorkingDirectory");

    if (job->package && folder[0] != '/')
        buf_addf(ret, "%s/%s", cache_path(job->package), folder);
    else
        buf_adds(ret, folder[0] != '\0' ? folder : "/");
    return ret->failed ? ERR(-ENAMETOOLONG) : 0;
}

static int run(struct script_job *job, struct step_result *ret)
{
    struct step_context *c = job->c;
    const char *parameters = step_value(c, "OSDRunPowerShellScriptParameters");
    bool is_told = is_true(ts_vars_get(c->vars, "OSDLogPowerShellParameters"));
    OWN(buf_fini) struct buf folder = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf shown = BUF_INIT(PATH_MAX_BYTES);
    struct program program = {
        .argv = job->words.words,
        .output_variable = step_value(c, "OSDRunPowerShellScriptOutputVariableName"),
        .timeout_s = c->step->timeout_s,
        .sets_variables = true,
        .what = "The script is running",
        .success_codes = c->step->success_codes,
    };
    int code = 0;
    int r = find_folder(job, &folder);

    if (r < 0)
        return TRACE(r);
    buf_addf(&shown, "%s %s", job->words.words[0], job->path);
    if (parameters[0] != '\0')
        buf_addf(&shown, " %s", is_told ? parameters : "(parameters are not logged)");
    program.package = job->package ? cache_path(job->package) : NULL;
    program.shown = buf_str(&shown);
    program.folder = buf_str(&folder);
    program_run_as(c, "RunPowerShell", &program);
    r = program_run(c, &program, &code, ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    return TRACE(program_judge(c, code, ret));
}

/* Run PowerShell Script */
int step_run_power_shell_run(struct step_context *c, struct step_result *ret)
{
    OWN(job_freep) struct script_job *job = calloc(1, sizeof(*job));
    const struct ts_variable *own = ts_step_variable(c->step, "OSDRunPowerShellScriptSourceScript");
    const char *source = own ? own->text : "";
    int r;

    *ret = (struct step_result){0};
    if (!job)
        return ERR(-ENOMEM);
    job->c = c;
    job->head = BUF_INIT(HEAD_MAX_BYTES);
    if (source[0] == '\0') /* a variable has no room for more */
        source = ts_vars_get(c->vars, "OSDRunPowerShellScriptSourceScript");
    r = source[0] != '\0' ? take_inline(job, source, ret) : take_from_package(job, ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    return make_command(job, ret) ? TRACE(run(job, ret)) : 0;
}
