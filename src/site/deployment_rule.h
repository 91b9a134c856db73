/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which of the deployments that reach a device it may begin now, and which one it begins; pure (docs/deployments.md)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "site/deployment_terms.h"
#include "site/window.h"

struct zone;

enum deployment_verdict {
    DEPLOYMENT_OPEN,
    DEPLOYMENT_RUNS, /* its order is in progress */
    DEPLOYMENT_CANCELLED,
    DEPLOYMENT_NOT_REACHED, /* it was deleted, or the device has left the collection; there is an order of it */
    DEPLOYMENT_DISABLED,
    DEPLOYMENT_SEQUENCE_DISABLED,
    DEPLOYMENT_CLIENTS_ONLY, /* not for what starts from the network or from media */
    DEPLOYMENT_HIDDEN,       /* only for who names it in SMSTSPreferredAdvertID */
    DEPLOYMENT_NOT_YET,
    DEPLOYMENT_EXPIRED,
    DEPLOYMENT_SUCCEEDED_ALREADY,
    DEPLOYMENT_FAILED_ALREADY,
    DEPLOYMENT_OUTSIDE_WINDOW, /* it is required, and waits for a maintenance window */
    DEPLOYMENT_SUPERSEDED,     /* the device has run another since this one was due */
    DEPLOYMENT_PROTECTED,      /* it is required, and nothing of that kind begins on the device */
    DEPLOYMENT_MEDIA_ONLY,     /* not for clients */
    DEPLOYMENT_NOT_DUE, /* it is required, and its deadline is to come: a client waits for it */
    DEPLOYMENT_HELD,    /* it is from a backup, and nobody has enabled it since */
    DEPLOYMENT_NOT_CONFIRMED, /* it wipes disks, and reaches more devices than somebody has said yes to */
};

/* What became of the device's last order under it. */
enum deployment_past {
    DEPLOYMENT_NOT_RUN, /* or it was cleared */
    DEPLOYMENT_IN_PROGRESS,
    DEPLOYMENT_SUCCEEDED,
    DEPLOYMENT_FAILED,
};

struct deployment_candidate {
    struct deployment_terms terms;
    uint64_t created_us;
    bool is_cancelled;
    bool is_reached;
    uint64_t since_us; /* the device is a member of the collection; 0: longer than is known */
    uint64_t delay_us; /* after it is available this device gets it */
    bool is_grown;     /* it is required and wipes disks, of more devices than were confirmed */
    bool is_sequence_disabled;
    bool is_preferred;             /* SMSTSPreferredAdvertID of the device names it */
    const struct windows *windows; /* of the device; NULL: it has none; borrowed */
    bool is_protected;             /* the device: no required one begins there */
    bool is_chosen;                /* on the screen of the device, of several available ones */
    bool is_client; /* the agent in the installed system asks, not what starts from the network */
    bool is_by_client; /* the last order was begun so */
    bool wipes;        /* of is_client and is_by_client only: nothing on a disk outlives it */
    enum deployment_past past;
    uint64_t begun_us; /* that order */
    uint64_t ended_us;
    uint64_t heard_us;
    uint64_t
        held_us; /* since the site was restored then, and knows no more than the backup did; 0: it is not */
    /* results */
    enum deployment_verdict verdict;
    uint64_t changes_us; /* when the verdict will be another by itself, or SCHEDULE_NEVER */
};

/**
 * deployment_choose() - judge all, and choose
 * @list: in any order; the results of each are set
 * @zone: of the site; NULL: UTC
 *
 * The choice is the one in progress; else of the open ones the preferred, then the required, then what was
 * chosen, then those of higher priority, then the newest. If none is open: of the others by the same order, so that there is one to explain by.
 *
 * Return: the index of the choice; @n if the list is empty.
 */
size_t deployment_choose(struct deployment_candidate *list,
                         size_t n,
                         const struct zone *zone,
                         uint64_t now_us);

/**
 * deployment_last_due(), deployment_next_due() - deadlines of a required deployment, whoever it reaches
 *
 * "As soon as possible" is the moment at which it can first be begun.
 *
 * Return: the last one up to @now_us, 0 if there was none; the first one after it, or SCHEDULE_NEVER. Microseconds since 1970 UTC.
 */
uint64_t
deployment_last_due(const struct deployment_candidate *c, const struct zone *zone, uint64_t now_us);
uint64_t
deployment_next_due(const struct deployment_candidate *c, const struct zone *zone, uint64_t now_us);

/* Whether @a comes before @b, as deployment_choose() has judged both. */
bool deployment_goes_before(const struct deployment_candidate *a,
                            const struct deployment_candidate *b);
