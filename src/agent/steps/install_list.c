/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/install_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/steps/package_file.h"
#include "agent/steps/package_manager.h"
#include "agent/steps/program.h"
#include "agent/steps/step.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "ts/document.h"
#include "ts/vars.h"

enum {
    PATH_MAX_BYTES = 4096,
    POSITION_MAX = TS_NAME_MAX * 4 + 64,
    RESTART_AT_ONCE = 1641,
    SUCCESSES_MAX_BYTES = 2048,
    US_PER_S = 1000 * 1000,
};

static const char position_variable[] = "_SLWInstallPosition";
static const char cancelled[] = "SLW-0406";

/* "3 7 Install tools": 3 of the list of the 8th step are done. The name guards against a nested sequence's. */
static int remember(struct step_context *c, size_t n_done)
{
    char text[POSITION_MAX] = "";
    int r;

    if (n_done > 0)
        (void)snprintf(text, sizeof(text), "%zu %zu %s", n_done, c->step->index, c->step_name);
    r = ts_vars_set(c->vars, position_variable, text, TS_BY_ENGINE);
    return r < 0 ? TRACE(r) : 0;
}

static size_t find_position(const struct step_context *c)
{
    const char *text = ts_vars_get(c->vars, position_variable);
    size_t len = strcspn(text, " ");
    char rest[POSITION_MAX];
    uint64_t n = 0;

    (void)snprintf(rest, sizeof(rest), " %zu %s", c->step->index, c->step_name);
    if (strcmp(text + len, rest) != 0 ||
        !bytes_parse_u64((struct bytes){(const uint8_t *)text, len}, 0, INSTALL_LIST_MAX, &n))
        return 0;
    return (size_t)n;
}

bool install_wants_restart(const struct step_result *result)
{
    return result->exit_code == INSTALL_RESTART_CODE || result->exit_code == RESTART_AT_ONCE;
}

/* Element @i is done; @ret says how. Return: whether the step ends here. */
static bool is_end(const struct install_list *list, size_t i, struct step_result *ret)
{
    struct step_context *c = list->c;

    if (ret->error_id) {
        if (!list->goes_on || strcmp(ret->error_id, cancelled) == 0)
            return true;
        c->log(c->ctx, "%s: %s Going on with the others.", ret->error_id, ret->message);
        (void)c->progress(c->ctx, 0, 0, ret->message);
        *ret = (struct step_result){0};
        return false;
    }
    if (!install_wants_restart(ret) ||
        (!list->looks_again && list->at(list->ctx, i + 1)[0] == '\0'))
        return false;
    ret->then = c->environment == STEP_IN_FULL_OS ? STEP_THEN_RESTART_TO_OS
                                                  : STEP_THEN_RESTART_TO_BOOT_IMAGE;
    ret->is_same_step_again = true;
    return true;
}

int install_list_run(const struct install_list *list, struct step_result *ret)
{
    size_t i = find_position(list->c);
    int r = 0;

    for (; i < INSTALL_LIST_MAX && list->at(list->ctx, i)[0] != '\0'; i++) {
        *ret = (struct step_result){0};
        r = list->install(list->ctx, list->at(list->ctx, i), ret);
        if (r < 0)
            return TRACE(r);
        if (is_end(list, i, ret))
            return TRACE(
                remember(list->c, ret->is_same_step_again ? i + (list->looks_again ? 0 : 1) : 0));
    }
    return TRACE(remember(list->c, 0)); /* 3010 of the last one is the step's own */
}

static int install_packages(struct step_context *c,
                            const struct package_program *program,
                            const struct package_manager_call *how,
                            struct step_result *ret)
{
    const char *names[PACKAGE_LIST_MAX + 1] = {NULL};

    for (size_t i = 0; i < json_array_size(program->packages) && i < PACKAGE_LIST_MAX; i++)
        names[i] = json_string_value(json_array_get(program->packages, i));
    return TRACE(package_manager_install(c, names, how, ret));
}

int install_program(struct step_context *c,
                    const struct package_program *program,
                    const char *folder,
                    const char *shown,
                    struct step_result *ret)
{
    OWN(buf_fini) struct buf successes = BUF_INIT(SUCCESSES_MAX_BYTES);
    char start_in[PATH_MAX_BYTES];
    bool is_absolute = program->start_in && program->start_in[0] == '/';
    int n = snprintf(start_in,
                     sizeof(start_in),
                     "%s%s%s",
                     is_absolute ? "" : folder,
                     is_absolute ? "" : "/",
                     program->start_in ? program->start_in : "");
    unsigned timeout_s = program->timeout_s > 0 ? program->timeout_s : c->step->timeout_s;
    int code = 0;
    int r;

    if (timeout_s == 0)
        timeout_s = INSTALL_TIMEOUT_S;
    if (n < 0 || n >= (int)sizeof(start_in))
        return ERR(-ENAMETOOLONG);
    if (!program->command)
        return TRACE(install_packages(
            c,
            program,
            &(struct package_manager_call){"Packages are being installed", start_in, timeout_s},
            ret));
    package_program_put_successes(program, &successes);
    r = program_run(c,
                    &(struct program){.command = program->command,
                                      .shown = shown,
                                      .sets_variables = true,
                                      .folder = start_in,
                                      .timeout_s = timeout_s,
                                      .what = "The program is running",
                                      .success_codes = buf_str(&successes)},
                    &code,
                    ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    if (!package_program_is_success(program, code))
        (void)step_fail(ret,
                        "SLW-0430",
                        "the program of \"%s\" ended with exit code %d, which is none of success; "
                        "its output is in smsts.log",
                        c->step_name,
                        code);
    ret->exit_code =
        ret->error_id || install_wants_restart(&(struct step_result){.exit_code = code}) ? code : 0;
    return 0;
}

/* Return: false when the site has cancelled the order. */
static bool wait_before_retry(struct step_context *c, uint64_t wait_us)
{
    uint64_t until = clock_monotonic_us() + wait_us;
    uint64_t now = until - wait_us;

    do {
        if (!c->progress(c->ctx, STEP_PERCENT_UNKNOWN, 0, "Waiting to try the installation again"))
            return false;
        clock_sleep_us(until - now < US_PER_S ? until - now : US_PER_S);
        now = clock_monotonic_us();
    } while (now < until);
    return true;
}

int install_program_retried(struct step_context *c,
                            const struct package_program *program,
                            const char *folder,
                            const struct install_retry *retry,
                            struct step_result *ret)
{
    for (uint64_t i = 0;; i++) {
        int r;

        *ret = (struct step_result){0};
        r = install_program(c, program, folder, NULL, ret);
        if (r < 0 || !ret->error_id || strcmp(ret->error_id, cancelled) == 0 || i == retry->n_times)
            return TRACE(r);
        c->log(c->ctx, "%s: %s Trying again.", ret->error_id, ret->message);
        if (!wait_before_retry(c, retry->wait_us))
            return step_fail(ret,
                             cancelled,
                             "an installation of \"%s\" that had failed was to be tried again; the "
                             "site has cancelled the deployment meanwhile",
                             c->step_name);
    }
}
