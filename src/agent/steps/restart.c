/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/restart.h"

#include "agent/steps/notice.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/step_value.h"

enum {
    TIMEOUT_MAX_S = 24 * 60 * 60,
    TARGET_MAX_BYTES = 64 * 1024,
};

/* Give whoever sits there the announced time. Return: false when the order was cancelled meanwhile. */
static bool wait_announced(struct step_context *c)
{
    const char *message = step_value(c, "SMSRebootMessage");
    uint64_t timeout_s = 0;

    (void)bytes_parse_u64(
        bytes_of(step_value(c, "SMSRebootTimeout")), 0, TIMEOUT_MAX_S, &timeout_s);
    if (timeout_s > 0)
        notice_give(
            c, message[0] != '\0' ? message : "The computer restarts soon", (unsigned)timeout_s);
    return notice_wait(c, (unsigned)timeout_s, message);
}

static int to_boot_image(struct step_context *c, struct step_result *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(STEP_MESSAGE_MAX);
    int r;

    if (c->environment == STEP_IN_BOOT_IMAGE && !c->target->is_mounted)
        return step_fail(ret,
                         "SLW-0415",
                         "there is no volume yet to remember on where the task sequence goes on; "
                         "put the step behind Format and Partition Disk");
    r = restart_prepare(c, &why);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return step_fail(ret,
                         "SLW-0415",
                         "the restart into the boot image cannot be prepared: %s",
                         buf_str(&why));
    ret->then = STEP_THEN_RESTART_TO_BOOT_IMAGE;
    return 0;
}

/* Restart Computer */
int step_restart_run(struct step_context *c, struct step_result *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TARGET_MAX_BYTES);
    const char *target;
    int r;

    *ret = (struct step_result){0};
    ts_step_put_target(c->step, c->vars, &text);
    target = buf_str(&text);
    if (bytes_eq_nocase(bytes_of(target), "HD")) {
        ret->then = STEP_THEN_RESTART_TO_OS;
    } else if (target[0] == '\0' || bytes_eq_nocase(bytes_of(target), "WinPE")) {
        r = to_boot_image(c, ret);
        if (r < 0)
            return TRACE(r);
        if (ret->error_id)
            return 0;
    } else {
        return step_fail(
            ret, "SLW-0408", "the target \"%s\" is neither HD nor WinPE; correct the step", target);
    }
    (void)wait_announced(c);
    return 0;
}
