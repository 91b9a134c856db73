/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "agent/steps/package.h"
#include "agent/steps/program.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/vars.h"

enum {
    COMMAND_MAX_BYTES = 64 * 1024,
    FOLDER_MAX_BYTES = 4096,
};

/* The command line: the step's own, or what stands behind smsswd.exe /run:PACKAGE in <action>. */
static const char *find_command(struct step_context *c, struct buf *buffer)
{
    const char *command = step_value(c, "CommandLine");

    if (command[0] != '\0')
        return command;
    (void)ts_vars_expand(c->vars, ts_step_action_command(c->step), buffer);
    return buf_str(buffer);
}

static bool is_true(const char *text)
{
    return bytes_eq_nocase(bytes_of(text), "true");
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
    OWN(buf_fini) struct buf folder = BUF_INIT(FOLDER_MAX_BYTES);
    OWN(cache_releasep) struct cache_use *package = NULL; /* in use until the command has ended */
    struct program program = {
        .command = find_command(c, &buffer),
        .sets_variables = true,
        .is_silent = is_true(step_value(c, "OSDDoNotLogCommand")),
        .output_variable = step_value(c, "SMSTSRunCommandLineOutputVariableName"),
        .timeout_s = c->step->timeout_s,
        .success_codes = c->step->success_codes,
    };
    int code;
    int r;

    *ret = (struct step_result){0};
    if (program.command[0] == '\0')
        return step_fail(ret, "SLW-0432", "\"%s\" has no command line; give it one", c->step_name);
    if (ts_command_is_of_script_host(program.command))
        return step_fail(
            ret,
            "SLW-0718",
            "\"%s\" is a script for Windows Script Host, which Linux does not have; replace it by one for "
            "Linux, or give the step a condition that does not hold there",
            c->step_name);
    if (step_value(c, "PackageID")[0] != '\0') {
        r = package_get(c, step_value(c, "PackageID"), ret, &package);
        if (r < 0 || !package)
            return TRACE(r);
    }
    r = find_folder(c, package, &folder);
    if (r < 0)
        return TRACE(r);
    program.folder = buf_str(&folder);
    program.package = package ? cache_path(package) : NULL;
    program_run_as(c, "RunCommandLine", &program);
    r = program_run(c, &program, &code, ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    return program_judge(c, code, ret);
}
