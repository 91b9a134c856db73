/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What stays on the screen when it has failed, until somebody has seen it or the time is over */

#include <string.h>

#include "agent/run/order.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "base/bytes.h"
#include "plat/clock.h"
#include "ts/vars.h"

enum {
    FAILED_WAIT_MAX_S = 7 * 24 * 60 * 60,
    TYPED_MAX = 16,
};

#define US_PER_S UINT64_C(1000000)

/* SMSTSErrorDialogTimeout, what the order says, or without an order what is usual. */
static uint64_t wait_us(const struct runner *rn)
{
    uint64_t own_s;

    if (rn->state && rn->state->vars &&
        bytes_parse_u64(bytes_of(ts_vars_get(rn->state->vars, "SMSTSErrorDialogTimeout")),
                        0,
                        FAILED_WAIT_MAX_S,
                        &own_s))
        return own_s * US_PER_S;
    return rn->state && rn->state->order ? rn->state->order->failed_wait_us
                                         : rn->platform->failed_wait_us;
}

bool runner_wait_previous(struct runner *rn, uint64_t us)
{
    uint64_t until = clock_monotonic_us() + us;
    char typed[TYPED_MAX] = "";

    screen_set(
        rn->screen,
        SCREEN_STATUS,
        "Failed. Contact your administrator. Restarting in %u seconds, or when Enter is pressed",
        (unsigned)(us / US_PER_S));
    screen_set(
        rn->screen, SCREEN_QUESTION, "b and Enter: back to what can be chosen; Enter: restart");
    for (uint64_t now = clock_monotonic_us(); now < until; now = clock_monotonic_us()) {
        if (!screen_read_line(rn->screen, until - now, typed, sizeof(typed)))
            continue;
        if (strcmp(typed, "b") == 0 || typed[0] == '\0')
            break;
        typed[0] = '\0';
    }
    screen_set(rn->screen, SCREEN_QUESTION, "%s", "");
    return strcmp(typed, "b") == 0;
}

void runner_wait_failed(struct runner *rn)
{
    uint64_t us = wait_us(rn);

    if (rn->state && rn->state->order)
        screen_set(rn->screen, SCREEN_SEQUENCE, "Failed: %s", rn->state->order->task_sequence_name);
    screen_show_progress(rn->screen,
                         true); /* the step that failed, also if it was not to be seen */
    screen_set(
        rn->screen,
        SCREEN_STATUS,
        "Failed. Contact your administrator. Restarting in %u seconds, or when Enter is pressed",
        (unsigned)(us / US_PER_S));
    (void)screen_wait_key(rn->screen, us);
}
