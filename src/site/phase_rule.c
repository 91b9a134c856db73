/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/phase_rule.h"

#define WHOLE 100 /* per cent */

/* Counts of devices are far below what 64 bits hold a hundredfold. */
static bool is_enough(const struct phase_goal *goal, uint64_t n, uint64_t of)
{
    return goal->n_devices > 0 ? n >= goal->n_devices : of > 0 && n * WHOLE >= goal->percent * of;
}

bool phase_is_reached(const struct phase_goal *goal, const struct phase_progress *progress)
{
    return progress->is_alive && is_enough(goal, progress->n_succeeded, progress->n_devices);
}

bool phase_can_be_reached(const struct phase_goal *goal, const struct phase_progress *progress)
{
    uint64_t best =
        progress->n_devices > progress->n_lost ? progress->n_devices - progress->n_lost : 0;

    if (progress->is_closed)
        best = progress->n_succeeded + progress->n_going;
    return progress->is_alive && is_enough(goal, best, progress->n_devices);
}

bool phase_is_too_small(const struct phase_goal *goal, const struct phase_progress *progress)
{
    return progress->is_alive && goal->n_devices > progress->n_devices;
}

uint64_t phase_percent(const struct phase_progress *progress)
{
    return progress->n_devices > 0 ? progress->n_succeeded * WHOLE / progress->n_devices : 0;
}

enum phase_state phase_judge(const struct phase_wish *wish,
                             const struct phase_progress *before,
                             uint64_t now_us,
                             uint64_t *reached_us)
{
    if (!phase_is_reached(&wish->goal, before)) {
        *reached_us = PHASE_NOT_REACHED;
        return phase_can_be_reached(&wish->goal, before) ? PHASE_WAITING : PHASE_STALLED;
    }
    /* a clock that was put back does not let it wait for longer than was said */
    if (*reached_us > now_us)
        *reached_us = now_us;
    if (wish->is_by_hand)
        return PHASE_BY_HAND;
    return now_us - *reached_us < wish->defer_us ? PHASE_DEFERRED : PHASE_BEGUN;
}

const char *phase_state_name(enum phase_state state)
{
    static const char *const names[] = {
        [PHASE_WAITING] = "waiting",
        [PHASE_DEFERRED] = "deferred",
        [PHASE_BY_HAND] = "by-hand",
        [PHASE_STALLED] = "stalled",
        [PHASE_BLOCKED] = "blocked",
        [PHASE_BEGUN] = "begun",
    };

    return names[state];
}
