/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Prepare Windows for Capture (SMS_TaskSequence_PrepareOSAction)
 *
 * In the running system, as the reference product has it; then it restarts into the boot image, or is switched off
 * and starts there when somebody switches it on. What a shutdown writes
 * once more (logs, the random seed) is removed by Capture Operating System Image, which looks for the variable that is set
 * here.
 */

#include "agent/run/restart.h"
#include "agent/steps/capture_parts.h"
#include "agent/steps/generalize.h"
#include "agent/steps/inside.h"
#include "agent/steps/step.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/vars.h"

static void log_ignored(struct step_context *c)
{
    if (bytes_eq_nocase(bytes_of(step_value(c, "OSDKeepActivation")), "true") ||
        bytes_eq_nocase(bytes_of(step_value(c, "OSDBuildStorageDriverList")), "true"))
        c->log(c->ctx, "OSDKeepActivation and OSDBuildStorageDriverList have no meaning on Linux");
}

/* Before anything is removed: the boot image comes over the network. */
static int prepare_restart(struct step_context *c, struct step_result *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(STEP_MESSAGE_MAX);
    int r = restart_prepare(c, &why);

    if (r < 0)
        return TRACE(r);
    if (r > 0)
        (void)step_fail(ret,
                        "SLW-0415",
                        "the restart into the boot image cannot be prepared: %s",
                        buf_str(&why));
    return 0;
}

int step_prepare_os_run(struct step_context *c, struct step_result *ret)
{
    OWN(fd_closep) int root = -1;
    const char *domain;
    int r = inside_open("/", &root);

    *ret = (struct step_result){0};
    if (r < 0)
        return TRACE(r);
    domain = generalize_find_domain(root);
    if (domain)
        return step_fail(ret,
                         "SLW-0480",
                         "this computer is a member of a domain (%s): an image of it would share "
                         "its account there. Capture one that has not joined, or leave the domain",
                         domain);
    r = prepare_restart(c, ret);
    if (r != 0 || ret->error_id)
        return TRACE(r);
    log_ignored(c);
    c->log(c->ctx, "Removing what only this computer may have");
    r = generalize_system(root);
    if (r < 0)
        return step_fail(ret,
                         "SLW-0480",
                         "what only this computer may have could not be removed (error %d): look "
                         "whether its disk is full or broken",
                         -r);
    r = ts_vars_set(c->vars, CAPTURE_PREPARED_VARIABLE, "true", TS_BY_ENGINE);
    if (r == 0)
        r = ts_vars_set(c->vars, "OSDTargetSystemRoot", "/", TS_BY_ENGINE);
    ret->then = STEP_THEN_RESTART_TO_BOOT_IMAGE;
    ret->is_off = bytes_eq_nocase(bytes_of(step_value(c, "OSDShutdownPreparedOs")), "true");
    return r < 0 ? TRACE(r) : 0;
}
