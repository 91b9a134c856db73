/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The domain of Apply Network Settings, which Setup joins when the system runs
 */

#include "agent/steps/inside.h"
#include "agent/steps/join.h"
#include "agent/steps/return_code.h"
#include "agent/steps/setup_parts.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    PATIENCE_S = 120, /* until the network of a system that has just started finds the domain */
    PAUSE_S = 5,
    US_PER_S = 1000 * 1000,
};

int setup_check_join(struct step_context *c, struct step_result *ret)
{
    static const char *const programs[] = {
        "usr/sbin/realm", "usr/bin/realm", "usr/sbin/adcli", "usr/bin/adcli"};
    OWN(fd_closep) int root = -1;
    struct join join;
    int r;

    if (!join_find(c->vars, &join))
        return 0;
    r = inside_open(TARGET_ROOT, &root);
    if (r < 0)
        return TRACE(r);
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        if (inside_exists(root, programs[i]))
            return 0;
    (void)step_fail(ret,
                    "SLW-0435",
                    "Apply Network Settings is to join the domain %s, but the image has neither "
                    "realmd nor adcli: install them in the image",
                    join.domain);
    return 1;
}

static bool wait_for_network(struct step_context *c)
{
    for (unsigned s = 0; s < PAUSE_S; s++) {
        if (!c->progress(c->ctx, STEP_PERCENT_UNKNOWN, 0, "Waiting for the domain"))
            return false;
        clock_sleep_us(US_PER_S);
    }
    return true;
}

int setup_join(struct step_context *c, struct step_result *ret)
{
    struct join join;
    int r;

    if (!join_find(c->vars, &join))
        return 0;
    r = join_domain(c, &join, ret);
    for (unsigned s = 0; r == 0 && ret->exit_code == RETURN_NAME_NOT_RESOLVED && s < PATIENCE_S;
         s += PAUSE_S) {
        c->log(c->ctx, "The domain %s is not found yet", join.domain);
        if (!wait_for_network(c))
            break;
        *ret = (struct step_result){0};
        r = join_domain(c, &join, ret);
    }
    if (r < 0 || ret->error_id)
        return TRACE(r);
    c->log(c->ctx, "This computer is in the domain %s", join.domain);
    return TRACE(join_keep(&(struct join){"", "", "", ""}, c->vars));
}
