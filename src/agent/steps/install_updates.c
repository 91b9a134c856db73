/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <string.h>

#include "agent/steps/install_list.h"
#include "agent/steps/package_manager.h"
#include "agent/steps/step.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/compare.h"
#include "ts/document.h"
#include "ts/vars.h"

enum {
    SCAN_TIMEOUT_S = 3600,
    SCAN_TIMEOUT_MAX_S = 86400,
    UPDATES_TIMEOUT_S = 8 * 60 * 60, /* of a step without a time-out */
};

static const char scanned_variable[] = "_SLWUpdatesScanned";

/* The first run of a sequence always scans. */
static bool may_use_cache(struct step_context *c)
{
    return ts_compare_text(step_value(c, "SMSTSSoftwareUpdateScanUseCache"), "false") != 0 &&
           ts_vars_is_true(c->vars, scanned_variable);
}

static int scan(struct step_context *c, struct step_result *ret)
{
    struct package_manager_call how = {.what = "Looking for software updates"};
    uint64_t timeout_s = SCAN_TIMEOUT_S;
    int r;

    (void)bytes_parse_u64(bytes_of(step_value(c, "SMSTSSoftwareUpdateScanTimeout")),
                          1,
                          SCAN_TIMEOUT_MAX_S,
                          &timeout_s);
    how.timeout_s = (unsigned)timeout_s;
    r = package_manager_scan(c, &how, ret);
    if (r == 0 && !ret->error_id)
        r = ts_vars_set(c->vars, scanned_variable, "true", TS_BY_ENGINE);
    return r < 0 ? TRACE(r) : 0;
}

/* Install Software Updates */
int step_install_updates_run(struct step_context *c, struct step_result *ret)
{
    const char *target = step_value(c, "SMSInstallUpdateTarget");
    bool is_all = ts_compare_text(target, "All") == 0;
    const struct package_manager_call how = {
        .what = "Software updates are being installed",
        .timeout_s = c->step->timeout_s > 0 ? c->step->timeout_s : UPDATES_TIMEOUT_S};
    int r;

    *ret = (struct step_result){0};
    if (!is_all && target[0] != '\0' && ts_compare_text(target, "Mandatory") != 0)
        return step_fail(
            ret, "SLW-0408", "the target \"%.64s\" is neither All nor Mandatory", target);
    c->log(c->ctx,
           "Installing %s updates with %s",
           is_all ? "all" : "security",
           package_manager_name(package_manager_kind()));
    r = may_use_cache(c) ? 0 : scan(c, ret);
    if (r == 0 && !ret->error_id)
        r = package_manager_update(c, !is_all, &how, ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    ret->exit_code = package_manager_wants_restart() ? INSTALL_RESTART_CODE : 0;
    return 0;
}
