/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <string.h>

#include "agent/run/order.h"
#include "agent/steps/install_list.h"
#include "agent/steps/package.h"
#include "agent/steps/package_file.h"
#include "agent/steps/return_code.h"
#include "agent/steps/rules.h"
#include "agent/steps/step.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/compare.h"
#include "ts/document.h"
#include "ts/vars.h"

enum {
    DIGITS = 2,
    NAME_MAX_BYTES = 512,
    DEPTH_MAX = 8, /* of dependencies */
    RETRIES_MAX = 999,
    RETRY_WAIT_MS = 30000,
    US_PER_MS = 1000,
};

static const char restarted_variable[] = "_SLWInstallRestarted";

struct applications {
    struct step_context *c;
    const char *base; /* of the list; "": the step names them */
    char element[NAME_MAX_BYTES];
    bool has_warning;      /* of the step so far */
    bool is_after_restart; /* the first one had been installed before a restart of this step */
};

/* One of them, with what it depends on. */
struct application {
    struct applications *all;
    const struct application *parent; /* that depends on it; NULL */
    unsigned depth;
    const char *id; /* of its package */
    const char *folder;
    struct package_application is;
};

static const char *at(void *ctx, size_t i)
{
    struct applications *a = ctx;
    const char *list = step_value(a->c, "ApplicationName");
    char name[64];

    if (a->base[0] != '\0')
        return ts_vars_list(a->c->vars, a->base, DIGITS, i);
    (void)snprintf(name, sizeof(name), "OSDApp%zuName", i);
    (void)snprintf(a->element, sizeof(a->element), "%s", step_value(a->c, name));
    if (a->element[0] != '\0' || step_value(a->c, "OSDApp0Name")[0] != '\0')
        return a->element;
    for (; i > 0 && *list != '\0'; i--) {
        list += strcspn(list, ",");
        list += strspn(list, ", ");
    }
    (void)snprintf(a->element, sizeof(a->element), "%.*s", (int)strcspn(list, ","), list);
    return a->element;
}

/* By id, or by name, in which capitals count. */
static const struct order_content *find_content(const struct step_context *c, const char *name)
{
    const struct order_content *content = order_find_content(c->order, name);

    for (size_t i = 0; !content && i < c->order->n_content; i++)
        if (c->order->content[i].name && strcmp(c->order->content[i].name, name) == 0)
            content = &c->order->content[i];
    return content;
}

static int set_status(struct step_context *c, const char *status)
{
    int r = ts_vars_set(c->vars, "_TSAppInstallStatus", status, TS_BY_ENGINE);

    return r < 0 ? TRACE(r) : 0;
}

static bool is_installed(const struct application *a, struct buf *why)
{
    return rules_hold(a->all->c, a->is.detection, a->folder, why);
}

/* Run it, again if it fails and that is wanted, and look whether it is there then. */
static int run_install(const struct application *a, struct step_result *ret)
{
    struct step_context *c = a->all->c;
    OWN(buf_fini) struct buf why = BUF_INIT(STEP_MESSAGE_MAX);
    struct install_retry retry = {0};
    uint64_t wait_ms = RETRY_WAIT_MS;
    int r;

    (void)bytes_parse_u64(
        bytes_of(step_value(c, "OSDAppInstallRetries")), 0, RETRIES_MAX, &retry.n_times);
    (void)bytes_parse_u64(
        bytes_of(step_value(c, "OSDAppInstallRetryTimeout")), 0, INT32_MAX, &wait_ms);
    retry.wait_us = wait_ms * US_PER_MS;
    r = install_program_retried(c, &a->is.install, a->folder, &retry, ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    /* after a restart it is asked again */
    if (ret->exit_code == 0 && !is_installed(a, &why))
        (void)step_fail(ret,
                        "SLW-0446",
                        "\"%.80s\" was installed without an error, and is not there: %.300s; "
                        "correct its detection or its installation",
                        a->is.name,
                        buf_str(&why));
    return 0;
}

static int install_one(struct applications *all,
                       const struct application *parent,
                       const char *name,
                       struct step_result *ret);

static int install_dependencies(const struct application *a, struct step_result *ret)
{
    for (size_t i = 0; i < json_array_size(a->is.dependencies); i++) {
        const char *id = json_string_value(json_array_get(a->is.dependencies, i));
        int r = install_one(a->all, a, id, ret);

        if (r < 0 || ret->error_id)
            return TRACE(r);
    }
    return 0;
}

/* That it cannot be here is a warning, unless the sequence says that such are errors. */
static int not_for_this(struct application *a, const char *why, struct step_result *ret)
{
    struct step_context *c = a->all->c;

    c->log(c->ctx, "\"%s\" is not for this computer: %s", a->is.name, why);
    a->all->has_warning = true;
    if (!ts_vars_is_true(c->vars, "TSErrorOnWarning"))
        return 0;
    return step_fail_with(ret,
                          RETURN_UNSUPPORTED,
                          "SLW-0446",
                          "\"%.80s\" is not for this computer: %.300s",
                          a->is.name,
                          why);
}

static int process(struct application *a, struct step_result *ret)
{
    struct step_context *c = a->all->c;
    OWN(buf_fini) struct buf why = BUF_INIT(STEP_MESSAGE_MAX);
    int r;

    if (is_installed(a, &why)) {
        c->log(c->ctx, "\"%s\" %s is installed already", a->is.name, a->is.version);
        return 0;
    }
    buf_clear(&why);
    if (a->all->is_after_restart && !a->parent)
        return step_fail(ret,
                         "SLW-0446",
                         "\"%.80s\" was installed and wanted a restart, and is not there after it; "
                         "correct its detection or its installation",
                         a->is.name);
    if (!rules_hold(c, a->is.requirements, a->folder, &why))
        return TRACE(not_for_this(a, buf_str(&why), ret));
    r = install_dependencies(a, ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    c->log(c->ctx, "Installing \"%s\" %s from package %s", a->is.name, a->is.version, a->id);
    r = run_install(a, ret);
    if (r == 0 && !ret->error_id)
        c->log(c->ctx, "\"%s\" is installed", a->is.name);
    return TRACE(r);
}

static bool is_circle(const struct application *a)
{
    for (const struct application *up = a->parent; up; up = up->parent)
        if (strcmp(up->id, a->id) == 0)
            return true;
    return a->depth > DEPTH_MAX;
}

static int read_description(struct application *a, json_t **file, struct step_result *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(STEP_MESSAGE_MAX);
    int r = package_file_read(a->folder, file, &why);

    if (r < 0)
        return TRACE(r);
    if (r == 0 && package_file_application(*file, &a->is))
        return 0;
    return step_fail(ret,
                     "SLW-0445",
                     "package %s is no application: %s",
                     a->id,
                     r == PACKAGE_FILE_E_MALFORMED ? buf_str(&why)
                                                   : "it has no " PACKAGE_FILE_NAME
                                                     " with an \"application\"");
}

static int install_one(struct applications *all,
                       const struct application *parent,
                       const char *name,
                       struct step_result *ret)
{
    const struct order_content *content = find_content(all->c, name);
    OWN(cache_releasep) struct cache_use *use = NULL;
    OWN(json_decrefp) json_t *file = NULL;
    struct application a = {
        .all = all, .parent = parent, .depth = parent ? parent->depth + 1 : 0, .id = name};
    int r;

    if (content)
        a.id = content->package_id;
    if (is_circle(&a))
        return step_fail(ret,
                         "SLW-0445",
                         "the dependencies of application %.64s lead back to it, or too deep",
                         a.id);
    r = package_get(all->c, a.id, ret, &use);
    if (r < 0 || !use)
        return TRACE(r);
    a.folder = cache_path(use);
    r = read_description(&a, &file, ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    r = process(&a, ret);
    if (r == 0 && ts_compare_text(step_value(all->c, "OSDAppClearCache"), "true") == 0 &&
        !ts_vars_is_true(all->c->vars, "SMSTSPersistContent")) {
        cache_release(TAKE(use));
        all->c->log(all->c->ctx, "The content of %s is removed from the cache", a.id);
        r = package_drop(all->c, a.id);
    }
    return TRACE(r);
}

/* Whether this step restarted the computer for the application that it begins with now: so it is known after a restart. */
static int remember_restart(struct step_context *c, bool wants_restart)
{
    char text[TS_NAME_MAX * 4 + 32] = "";
    int r;

    if (wants_restart)
        (void)snprintf(text, sizeof(text), "%zu %s", c->step->index, c->step_name);
    r = ts_vars_set(c->vars, restarted_variable, text, TS_BY_ENGINE);
    return r < 0 ? TRACE(r) : 0;
}

static bool has_restarted(const struct step_context *c)
{
    char text[TS_NAME_MAX * 4 + 32];

    (void)snprintf(text, sizeof(text), "%zu %s", c->step->index, c->step_name);
    return strcmp(ts_vars_get(c->vars, restarted_variable), text) == 0;
}

static int install(void *ctx, const char *element, struct step_result *ret)
{
    struct applications *all = ctx;
    int r = install_one(all, NULL, element, ret);

    all->is_after_restart = false;
    if (r == 0)
        r = remember_restart(all->c, !ret->error_id && install_wants_restart(ret));
    return TRACE(r);
}

/* Install Application */
int step_install_application_run(struct step_context *c, struct step_result *ret)
{
    struct applications a = {.c = c, .base = step_value(c, "BaseVariableName")};
    struct install_list list = {
        .c = c,
        .at = at,
        .install = install,
        .goes_on = ts_compare_text(step_value(c, "ContinueOnInstallError"), "true") == 0,
        .looks_again = true,
        .ctx = &a,
    };
    int r = set_status(c, "Undefined");

    a.is_after_restart = has_restarted(c);

    *ret = (struct step_result){0};
    if (r < 0)
        return TRACE(r);
    if (at(&a, 0)[0] == '\0') {
        if (a.base[0] == '\0')
            return step_fail(ret, "SLW-0445", "\"%s\" names no application; add one", c->step_name);
        c->log(c->ctx, "%s01 does not exist: nothing is installed", a.base);
        return 0;
    }
    r = install_list_run(&list, ret);
    if (r == 0)
        r = set_status(c, ret->error_id ? "Error" : a.has_warning ? "Warning" : "Success");
    if (r == 0)
        r = ts_vars_set(
            c->vars, "_SMSTSAppInstallNeedsRetry", ret->error_id ? "true" : "false", TS_BY_ENGINE);
    return r < 0 ? TRACE(r) : 0;
}
