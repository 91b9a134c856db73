/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/run/target.h"
#include "agent/steps/package.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/compare.h"
#include "ts/step_forms.h"
#include "ts/vars.h"

enum {
    PACKAGES_MAX = 999,
    ID_MAX = 64,
    PATH_MAX_BYTES = 4096,
    NAME_MAX_BYTES = TS_VAR_NAME_MAX + 8,
};

#define WORK_IN_OS     "/" TARGET_STATE_FOLDER "/Packages"
#define WORK_ON_VOLUME TARGET_ROOT WORK_IN_OS
#define WORK_IN_MEMORY "/run/slipway/Packages"

enum place {
    IN_WORK,   /* the task sequence's own folder, which goes with it */
    IN_CACHE,  /* the client's */
    IN_CUSTOM, /* where the step says */
};

/* What a step is to get, and where to. */
struct download {
    struct step_context *c;
    enum place place;
    const char *folder; /* of IN_WORK and IN_CUSTOM */
    bool goes_on;       /* with the others if one fails */
    const char *variable;
};

/* Package @i of the list, or of the array. Return: false behind the last. */
static bool find_package(struct step_context *c, size_t i, char ret[static ID_MAX])
{
    const char *list = step_value(c, "OSDDownloadDownloadPackages");
    char name[NAME_MAX_BYTES];
    size_t len;

    if (i >= PACKAGES_MAX)
        return false;
    if (list[0] == '\0') {
        (void)snprintf(name, sizeof(name), "OSDPackage%zuPackageId", i);
        (void)snprintf(ret, ID_MAX, "%s", step_value(c, name));
        return ret[0] != '\0';
    }
    for (; i > 0 && *list != '\0'; i--) {
        list += strcspn(list, ", ");
        list += strspn(list, ", ");
    }
    len = strcspn(list, ", ");
    (void)snprintf(ret, ID_MAX, "%.*s", (int)(len < ID_MAX ? len : ID_MAX - 1), list);
    return len > 0;
}

static const char *work_folder(struct step_context *c)
{
    if (c->environment == STEP_IN_FULL_OS)
        return WORK_IN_OS;
    return c->target->root_device[0] != '\0' && target_mount(c->target) == 0 ? WORK_ON_VOLUME
                                                                             : WORK_IN_MEMORY;
}

/* Return: whether @d is set; otherwise @ret is a failure. */
static bool find_place(struct download *d, struct step_result *ret)
{
    struct step_context *c = d->c;
    const char *where = step_value(c, "OSDDownloadDestinationLocationType");
    const char *path = step_value(c, "OSDDownloadDestinationPath");

    if (where[0] == '\0' || ts_compare_text(where, "TSCache") == 0) {
        d->place = IN_WORK;
        d->folder = work_folder(c);
    } else if (ts_compare_text(where, "CCMCache") == 0) {
        d->place = IN_CACHE;
        if (c->environment != STEP_IN_FULL_OS)
            (void)step_fail(ret,
                            "SLW-0442",
                            "there is no client cache in the boot image; choose the task sequence "
                            "working directory or a path");
    } else if (ts_compare_text(where, "Custom") == 0) {
        d->place = IN_CUSTOM;
        d->folder = path;
        if (!ts_form_fits(TS_FORM_FOLDER, path))
            (void)step_fail(ret,
                            "SLW-0442",
                            "\"%.200s\" is no path to download to: give one that begins with /",
                            path);
    } else {
        (void)step_fail(ret,
                        "SLW-0442",
                        "the location \"%.64s\" is none of TSCache, CCMCache and Custom",
                        where);
    }
    return ret->error_id == NULL;
}

/* What is there and is not from us stays. */
static bool is_foreign(const struct download *d, const char *target, const char *marker)
{
    return d->place == IN_CUSTOM && file_exists(target) && !file_exists(marker);
}

/* Empty, and so never half there: nothing has to be written aside, where a power cut would leave it. */
static int put_marker(const struct download *d, const char *marker)
{
    OWN(fd_closep) int fd = open(marker, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    return fd < 0 || fsync(fd) < 0 ? ERR(-errno) : TRACE(dir_sync(d->folder));
}

/* Beside the folder, so that it can be replaced by a later run. */
static int put_files(const struct download *d,
                     const char *id,
                     char target[static PATH_MAX_BYTES],
                     struct step_result *ret)
{
    char marker[PATH_MAX_BYTES];
    int r;

    (void)snprintf(target, PATH_MAX_BYTES, "%s/%s", d->folder, id);
    (void)snprintf(marker, sizeof(marker), "%s/.%s.slipway", d->folder, id);
    if (is_foreign(d, target, marker))
        return step_fail(ret,
                         "SLW-0443",
                         "\"%s\" is there already, and no step of this kind has made it; remove it "
                         "or choose another path",
                         target);
    r = dir_make(d->folder, d->place == IN_WORK ? 0700 : 0755);
    if (r == 0 && d->place == IN_CUSTOM)
        r = put_marker(d, marker);
    if (r == 0)
        r = package_put_files(d->c, id, target, ret);
    return TRACE(r);
}

static int get(const struct download *d,
               const char *id,
               char target[static PATH_MAX_BYTES],
               struct step_result *ret)
{
    OWN(cache_releasep) struct cache_use *use = NULL;
    int r;

    if (d->place != IN_CACHE)
        return TRACE(put_files(d, id, target, ret));
    r = package_get(d->c, id, ret, &use);
    if (r == 0 && use)
        (void)snprintf(target, PATH_MAX_BYTES, "%s", cache_path(use));
    return TRACE(r);
}

/* "Base01" is where the first of the list is; of one that could not be had the variable does not exist. */
static int save_path(const struct download *d, size_t i, const char *path, struct step_result *ret)
{
    char name[NAME_MAX_BYTES];
    int r;

    if (d->variable[0] == '\0')
        return 0;
    (void)snprintf(name, sizeof(name), "%.*s%02zu", TS_VAR_NAME_MAX, d->variable, i + 1);
    r = ts_vars_set(d->c->vars, name, path, TS_BY_SEQUENCE);
    if (r > 0)
        (void)step_fail(ret,
                        "SLW-0407",
                        "the path of a package cannot be kept in the variable \"%.200s\"",
                        name);
    return r < 0 ? TRACE(r) : 0;
}

static int get_one(const struct download *d, size_t i, const char *id, struct step_result *ret)
{
    char target[PATH_MAX_BYTES] = "";
    int r = get(d, id, target, ret);

    if (r < 0)
        return TRACE(r);
    if (!ret->error_id)
        d->c->log(d->c->ctx, "Package %s is in %s", id, target);
    else if (d->goes_on && strcmp(ret->error_id, "SLW-0406") != 0)
        d->c->log(d->c->ctx, "%s: %s Going on with the others.", ret->error_id, ret->message);
    r = save_path(d, i, ret->error_id ? "" : target, ret);
    return TRACE(r);
}

/* Download Package Content */
int step_download_content_run(struct step_context *c, struct step_result *ret)
{
    const char *goes_on = step_value(c, "OSDDownloadContinueDownloadOnError");
    struct download d = {
        .c = c,
        .goes_on = ts_compare_text(goes_on, "false") != 0,
        .variable = step_value(c, "OSDDownloadDestinationVariable"),
    };
    char id[ID_MAX];
    size_t n_got = 0;
    size_t i = 0;

    *ret = (struct step_result){0};
    if (!find_place(&d, ret))
        return 0;
    for (; find_package(c, i, id); i++) {
        struct step_result one = {0};
        int r = get_one(&d, i, id, &one);

        if (r < 0)
            return TRACE(r);
        n_got += one.error_id ? 0 : 1;
        if (one.error_id)
            *ret = one;
        if (one.error_id && (!d.goes_on || strcmp(one.error_id, "SLW-0406") == 0))
            return 0;
    }
    if (n_got > 0) /* those that failed are in the log */
        *ret = (struct step_result){0};
    if (i == 0)
        return step_fail(ret, "SLW-0442", "\"%s\" names no package; add one", c->step_name);
    return 0;
}
