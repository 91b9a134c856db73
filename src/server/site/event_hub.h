/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Who follows what changes, live: one thread and one reading connection for all of them (docs/api/events.md)
 *
 * A follower has a place in the events of the database and no queue of his own: what he has not taken yet is read again later, so
 * a slow one costs little, and what other site servers have changed comes the same way.
 */

#include <stdbool.h>
#include <stdint.h>

struct api;
struct event_hub;
struct http_exchange;
struct principal;

enum {
    EVENT_FOLLOWERS_MAX = 1024,      /* of this site server */
    EVENT_FOLLOWERS_OF_ONE_MAX = 64, /* of one administrator, with all his tokens */
};

/* Where somebody begins to follow. */
struct event_start {
    const struct principal *who; /* copied */
    uint32_t topics;
    bool has_place; /* otherwise from now on */
    uint64_t place; /* the last number that he knows */
};

/* Outcome of event_hub_follow() beside 0 */
enum {
    EVENT_HUB_E_FULL = 102, /* none of src/site */
};

/* @writer: has the database open; its settings are those of the thread's own site */
int event_hub_new(const struct api *writer, struct event_hub **ret);

/* All streams end. To be freed before the servers. */
void event_hub_free(struct event_hub *hub);

/* Answer with a stream. Return: 0, EVENT_HUB_E_FULL (nothing was answered), or -errno. */
int event_hub_follow(struct event_hub *hub,
                     struct http_exchange *x,
                     const struct event_start *start);

/* Something was committed. From any thread; @hub may be NULL. */
void event_hub_wake(struct event_hub *hub);
