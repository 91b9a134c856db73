/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * An agent as the site sees it (docs/protocol/client-api.md): it registers with a key, takes its order, reports, asks what is wanted
 *
 * What fails on the way, or is answered with 5xx, is sent again after a moment, the same report with the same number. Its
 * token lives a while; after half of that, or when the site takes it no more, the agent gets another before what it asks.
 */

#include "base/text.h"
#include "connection.h"
#include "figures.h"
#include "plat/random.h"
#include "plat/signature.h"

enum {
    AGENT_AGAIN_US = 100 * 1000,
    AGENT_TRIES_MAX = 600, /* of one request, before it has failed for good */
    AGENT_PATH_MAX = 128,
    AGENT_BODY_MAX = 2048,
    AGENT_CHALLENGE_MAX = 256,
    AGENT_PROOF_MAX = 768,
};

enum agent_ask {
    AGENT_TIME, /* and a challenge, before each registration and token */
    AGENT_REGISTER,
    AGENT_TOKEN,
    AGENT_ORDER, /* the policy */
    AGENT_WISH,
    AGENT_REPORT,
    AGENT_ASKS,
};

/* What a report says. */
enum agent_state {
    AGENT_STARTED,
    AGENT_STEP_STARTED,
    AGENT_STEP_PROGRESS,
    AGENT_STEP_SUCCEEDED,
};

struct agent;

struct agent_options {
    struct sim_loop *loop;
    const struct place *site;
    struct figures *figures; /* of each enum agent_ask, of what was answered well */
    uint64_t *n_again;       /* requests sent again */
    uint64_t renew_us;       /* of a token's age; 0: half of its life */
    void (*done)(void *ctx, bool is_good);
};

struct agent {
    const struct agent_options *options;
    void *ctx; /* for options->done */
    struct connection connection;
    struct sim_timer again;
    uint8_t mac[MAC_BYTES];
    uint32_t local; /* its address; 0: any */
    char ticket[TOKEN_TEXT_MAX];
    uint8_t key[SIGNATURE_KEY_BYTES]; /* secret half; a new one for each registration */
    char challenge[AGENT_CHALLENGE_MAX];
    char device[UUID_TEXT_MAX];
    char token[TOKEN_TEXT_MAX];
    uint64_t renew_at_us;
    char order_id[UUID_TEXT_MAX];
    uint64_t seq;          /* of the last report */
    uint64_t acked;        /* the last one that was acknowledged */
    enum agent_ask ask;    /* in hand */
    enum agent_ask wanted; /* what all is about */
    enum agent_state state;
    uint64_t begin_us; /* when the request was due */
    bool is_renewed;   /* for this request */
    unsigned tries;
    unsigned status; /* of the last answer; 0: none came */
};

void agent_init(struct agent *agent,
                const struct agent_options *options,
                void *ctx,
                uint64_t number);
void agent_fini(struct agent *agent);

/* The address of a simulated machine: 52:54 and its number. */
void agent_mac(uint8_t ret[static MAC_BYTES], uint64_t number);

/* Ask; options->done() says how it ended. @due_us: what its time is counted from. @agent->ticket: "" for none. */
void agent_register(struct agent *agent, uint64_t due_us);
void agent_order(struct agent *agent, uint64_t due_us);
void agent_wish(struct agent *agent, uint64_t due_us);
void agent_report(struct agent *agent, enum agent_state state, uint64_t due_us);
