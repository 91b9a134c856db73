/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/steps/install_list.h"
#include "agent/steps/package.h"
#include "agent/steps/package_file.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/compare.h"
#include "ts/vars.h"

enum {
    ID_MAX = 64,
    ELEMENT_MAX = 512,
    PATH_MAX_BYTES = 4096,
    DIGITS = 3,
};

struct packages {
    struct step_context *c;
    const char *base;          /* of the list; "": the step names one */
    char element[ELEMENT_MAX]; /* "SLP00012:Install", of the one that it names */
};

static const char *at(void *ctx, size_t i)
{
    const struct packages *p = ctx;

    if (p->base[0] != '\0')
        return ts_vars_list(p->c->vars, p->base, DIGITS, i);
    return i == 0 ? p->element : "";
}

/* A program of a package, with what it is borrowed from. */
struct found {
    json_t *file;       /* owned */
    struct buf command; /* owned */
    struct package_program program;
};

static void found_fini(struct found *f)
{
    json_decref(f->file);
    buf_fini(&f->command);
}

/* A program that slipway.json names, or else a file of the package. */
static int find_program(struct step_context *c,
                        const char *folder,
                        const char *name,
                        struct found *ret,
                        struct step_result *result)
{
    OWN(buf_fini) struct buf why = BUF_INIT(STEP_MESSAGE_MAX);
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    int r = package_file_read(folder, &ret->file, &why);

    if (r < 0)
        return TRACE(r);
    if (r == PACKAGE_FILE_E_MALFORMED)
        return step_fail(result,
                         "SLW-0445",
                         PACKAGE_FILE_NAME " in the package of \"%s\" cannot be used: %s",
                         c->step_name,
                         buf_str(&why));
    if (r == 0 && package_file_program(ret->file, name, &ret->program))
        return 0;
    if (!path_under(folder, name, &path) || !file_exists(buf_str(&path)) || strchr(name, '\''))
        return step_fail(
            result,
            "SLW-0445",
            "the package of \"%s\" has no program \"%.200s\": neither in its " PACKAGE_FILE_NAME
            " nor as a file; capitals count",
            c->step_name,
            name);
    buf_addf(&ret->command, "'./%s'", name);
    ret->program = (struct package_program){.command = buf_str(&ret->command), .start_in = ""};
    return 0;
}

static int
run_program(struct step_context *c, const char *folder, const char *name, struct step_result *ret)
{
    bool is_silent = ts_vars_is_true(c->vars, "OSDDoNotLogCommand");
    OWN(found_fini) struct found found = {.command = BUF_INIT(PATH_MAX_BYTES)};
    int r = find_program(c, folder, name, &found, ret);

    if (r < 0 || ret->error_id)
        return TRACE(r);
    return TRACE(install_program(c, &found.program, folder, is_silent ? "" : NULL, ret));
}

static int install(void *ctx, const char *element, struct step_result *ret)
{
    struct packages *p = ctx;
    OWN(cache_releasep) struct cache_use *use = NULL;
    const char *colon = strchr(element, ':');
    char id[ID_MAX];
    int r;

    if (!colon || colon == element || colon[1] == '\0' || (size_t)(colon - element) >= sizeof(id))
        return step_fail(
            ret, "SLW-0445", "\"%.200s\" does not name a program: it must be ID:PROGRAM", element);
    (void)snprintf(id, sizeof(id), "%.*s", (int)(colon - element), element);
    p->c->log(p->c->ctx,
              "Installing package %s, program %s",
              id,
              ts_vars_is_true(p->c->vars, "OSDDoNotLogCommand") ? "***" : colon + 1);
    r = package_get(p->c, id, ret, &use);
    if (r < 0 || !use)
        return TRACE(r);
    return TRACE(run_program(p->c, cache_path(use), colon + 1, ret));
}

/* Install Package */
int step_install_package_run(struct step_context *c, struct step_result *ret)
{
    const char *goes_on = step_value(c, "ContinueOnInstallError");
    struct packages p = {.c = c, .base = step_value(c, "BaseVariableName")};
    struct install_list list = {.c = c,
                                .at = at,
                                .install = install,
                                .goes_on =
                                    p.base[0] != '\0' && ts_compare_text(goes_on, "false") != 0,
                                .ctx = &p};

    *ret = (struct step_result){0};
    if (p.base[0] == '\0') {
        (void)snprintf(p.element,
                       sizeof(p.element),
                       "%s:%s",
                       step_value(c, "PackageID"),
                       step_value(c, "_SMSSWDProgramName"));
        return TRACE(install_list_run(&list, ret));
    }
    if (at(&p, 0)[0] == '\0')
        c->log(c->ctx, "%s001 does not exist: nothing is installed", p.base);
    return TRACE(install_list_run(&list, ret));
}
