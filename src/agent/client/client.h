/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The client: the agent in an installed system whose task sequence is over (docs/clients.md)
 *
 *     it tells the site what the computer is, once in a while
 *     it begins what is due, and what somebody at the computer wants
 *     what a restart or a power cut has interrupted it goes on with
 */

#include <stdbool.h>
#include <stdint.h>

#include "agent/run/client_identity.h"
#include "agent/run/run.h"
#include "base/buf.h"

#define CLIENT_SETTLE_US \
    (UINT64_C(5) * 60 * 1000 * 1000) /* after its start, before it begins anything */
#define CLIENT_AWAY_US   (UINT64_C(5) * 60 * 1000 * 1000) /* until the site is tried again */
#define CLIENT_REPORT_US (UINT64_C(60) * 1000 * 1000)     /* the same, to tell it a result */
#define CLIENT_LOOK_US   (UINT64_C(5) * 1000 * 1000)      /* how often it looks around between */

struct client_options {
    const char *version;
    const struct run_platform *platform;
    struct screen *screen;   /* nobody sees it; it is wanted */
    const char *lock_path;   /* held while a task sequence runs */
    const char *unix_socket; /* instead of the network, for tests; NULL */
};

/* What is to be done next. */
enum client_next {
    CLIENT_WAIT,    /* for CLIENT_LOOK_US, then another turn */
    CLIENT_RESTART, /* the computer */
    CLIENT_OFF,     /* it is to be switched off */
    CLIENT_IS_NONE, /* this computer is no client: nothing, ever */
};

/* Zeroed at its start. */
struct client {
    uint64_t tell_us; /* monotonic: when the site is to be told next; 0: now */
    uint64_t ask_us;  /* when it may be asked for an order; 0: it was not told yet */
    bool is_unknown;  /* it has said that it does not know us; it is told to people once */
};

/**
 * client_turn() - do what is to be done now
 *
 * Return: 0 with @ret, or -errno for what nobody planned for.
 */
int client_turn(const struct client_options *options, struct client *client, enum client_next *ret);

/* Outcomes of client_begin() beside 0 */
enum {
    CLIENT_E_BUSY = 1,    /* a task sequence runs already */
    CLIENT_E_REFUSED = 2, /* @why has a sentence; of the site, or that this is no client */
};

/* Begin a deployment, as somebody at the computer wants. @ret: how it ended. Return: 0, an outcome or -errno. */
int client_begin(const struct client_options *options,
                 const char *deployment_id,
                 enum run_end *ret,
                 struct buf *why);

/* The deployments that reach this computer: an array, owned by the caller. Return: 0, CLIENT_E_REFUSED or -errno. */
int client_list(const struct client_options *options, json_t **ret, struct buf *why);

/**
 * client_lock() - one task sequence at a time
 * @is_patient: wait until it is free
 * @ret:        owned by the caller
 *
 * Return: 0, CLIENT_E_BUSY or -errno.
 */
int client_lock(const char *path, bool is_patient, int *ret);
