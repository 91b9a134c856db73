/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What has changed, in the order in which it did, for who follows it live: docs/api/events.md
 *
 * An event is written in the transaction of the change that it is about. It says what to look at again, not what is there now, so
 * it carries nothing that somebody who may see the thing may not know.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct principal;
struct site;

enum {
    EVENT_KEPT_MAX =
        100000, /* events that are no progress; of progress only the newest of each thing is there */
    EVENT_LOOKS_MAX = 1000, /* events that event_list() looks at together */
    EVENT_NAME_MAX = 40,
};

#define EVENT_KEPT_US  (UINT64_C(24) * 3600 * 1000000)
#define EVENT_TICK_US  (UINT64_C(10) * 1000000)
#define EVENT_ALL      UINT32_MAX
#define EVENT_NO_TOPIC UINT32_C(0)

/* What the rules say. All of them in the caller's transaction, if there is one. */

/* What the audit log has just got; nothing for what is no thing's, as a login. */
int event_audited(struct site *site, const char *action, const char *object);

/* Before a request that may delete: who sees the thing. Into site->audit. */
int event_before(struct site *site, const char *class, const char *id);

/* Of what changes often only the newest is kept. @kind: "operation" */
int event_progress(struct site *site, const char *kind, const char *id, const char *action);

/* The same of an order, as progress of its deployment on its device. */
int event_order(struct site *site, const char *order_id);

/* Of each alert that was changed at site->now_us. */
int event_alerts(struct site *site);

/* Drop what is older or more than is kept, and all before it: who knows no less than the newest that went has missed nothing. */
int event_tick(struct site *site);

/* Who follows. */

/**
 * event_topics() - topics by their names
 * @names: "devices,deployments"; NULL: all
 * @ret:   a bit each
 *
 * Return: 0 or SITE_E_REFUSED.
 */
int event_topics(struct site *site, const char *names, uint32_t *ret);

/* @ret_newest: the newest number; @ret_gone: up to which they are not kept any more; both 0 at first */
int event_head(struct site *site, uint64_t *ret_newest, uint64_t *ret_gone);

/* Whether somebody who follows may still: @who's token is good, and he is granted something. Sets what his token is good for. */
int event_check(struct site *site, struct principal *who, bool *ret);

struct event {
    uint64_t number;
    char name
        [EVENT_NAME_MAX]; /* "device", or "reset": what was shown before may not be true any more */
    json_t *data;         /* borrowed */
};

/**
 * event_list() - what the principal may see, at this moment, of what has changed
 * @after:  a number; of those behind it EVENT_LOOKS_MAX are looked at, at most
 * @newest: no further than this
 * @take:   gets each; false: it has no room for it
 * @ret_at: where to go on: the last that was taken, or how far it was looked
 */
int event_list(struct site *site,
               uint64_t after,
               uint64_t newest,
               uint32_t topics,
               bool (*take)(void *ctx, const struct event *event),
               void *ctx,
               uint64_t *ret_at);

/* Of which kinds there are events. Ends with .kind == NULL. */
struct event_kind {
    const char *kind;  /* "device"; of an action, what is before its dot */
    const char *class; /* that shows it; "content": of its object */
    const char *topic; /* "devices" */
    const char *words; /* class that a token must be good for; NULL: the event's */
};

extern const struct event_kind event_kinds[];
const struct event_kind *event_kind_find(const char *kind);
