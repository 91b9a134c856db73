/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the client of an installed system says to its site, and asks it (docs/protocol/client-api.md, The client)
 */

#include <jansson.h>
#include <stdint.h>

#include "agent/run/link.h"
#include "agent/run/run.h"
#include "base/buf.h"

/* Outcomes of the functions below beside 0; @why has a sentence */
enum {
    POLICY_E_AWAY = 1,    /* the site does not answer, or is in trouble: worth another try */
    POLICY_E_UNKNOWN = 2, /* it does not take our key any more, or the device is blocked */
    POLICY_E_REFUSED = 3, /* not this, or not now */
};

enum {
    POLICY_POLL_MIN_S = 10,
    POLICY_POLL_MAX_S = 24 * 60 * 60,
    POLICY_WHY_MAX_BYTES = 1024,
};

/**
 * policy_tell() - what this computer is
 * @ret_poll_s: how often the site wants to hear it
 */
int policy_tell(struct link *link,
                const struct run_platform *platform,
                const char *version,
                uint64_t *ret_poll_s,
                struct buf *why);

/**
 * policy_ask() - for an order
 * @deployment_id: that somebody here wants to begin; NULL: what is due
 * @ret:           owned by the caller; NULL: nothing
 */
int policy_ask(struct link *link, const char *deployment_id, json_t **ret, struct buf *why);

/* The deployments that reach this computer: an array; owned by the caller. */
int policy_list(struct link *link, json_t **ret, struct buf *why);
