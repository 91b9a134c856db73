/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Whether the next phase of a phased deployment begins, by how the one before it goes; pure (docs/phased-deployments.md)
 */

#include <stdbool.h>
#include <stdint.h>

#define PHASE_NOT_REACHED UINT64_MAX

enum phase_state {
    PHASE_WAITING,  /* not enough of the phase before has succeeded yet */
    PHASE_DEFERRED, /* enough has; it begins by itself after a time */
    PHASE_BY_HAND,  /* enough has; an administrator begins it */
    PHASE_STALLED,  /* enough cannot succeed any more as things are */
    PHASE_BLOCKED,  /* it was due, and its deployment was refused */
    PHASE_BEGUN,
};

/* How the deployment of a phase goes. */
struct phase_progress {
    bool is_alive;  /* neither cancelled nor deleted */
    bool is_closed; /* disabled or expired: no further device begins it */
    uint64_t n_devices;
    uint64_t n_succeeded;
    uint64_t n_going; /* they have begun it and not ended */
    uint64_t n_lost;  /* they have ended it, and not with success */
};

/* What must have succeeded. */
struct phase_goal {
    uint64_t percent;   /* 1..100 */
    uint64_t n_devices; /* 0: the per cent count */
};

struct phase_wish {
    struct phase_goal goal; /* of the phase before */
    bool is_by_hand;
    uint64_t defer_us;
};

/* Of nothing, nothing has succeeded; and what was cancelled or deleted succeeds no more, whatever it had come to. */
bool phase_is_reached(const struct phase_goal *goal, const struct phase_progress *progress);

/* Whether it could be yet if every device that has not ended succeeded. */
bool phase_can_be_reached(const struct phase_goal *goal, const struct phase_progress *progress);

/* Whether it wants more devices than there are, so that it is no failure that it is not reached. */
bool phase_is_too_small(const struct phase_goal *goal, const struct phase_progress *progress);

/* Whole per cent, rounded down; 0 of nothing. */
uint64_t phase_percent(const struct phase_progress *progress);

/**
 * phase_judge() - how the next phase stands
 * @reached_us: since when enough has succeeded, or PHASE_NOT_REACHED; is set anew
 *
 * Time counts from when enough had succeeded, and anew when that was not so in between.
 *
 * Return: PHASE_BEGUN: it is to begin now.
 */
enum phase_state phase_judge(const struct phase_wish *wish,
                             const struct phase_progress *before,
                             uint64_t now_us,
                             uint64_t *reached_us);

/* "waiting"; as in the database. */
const char *phase_state_name(enum phase_state state);
