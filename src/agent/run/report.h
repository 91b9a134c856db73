/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Telling the site how it goes (docs/protocol/client-api.md, .../status and /log)
 *
 * A report that cannot be delivered waits in a queue: a site that restarts fails no deployment. Progress is
 * sent at most once a second, and never queued.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;
struct link;
struct report;

/* What the site wants, by its last answer. */
struct report_wish {
    bool is_paused;
    bool is_debug;
    uint64_t pause_until_us; /* wall clock; 0: without end */
    uint64_t log_wanted;     /* 0: no */
};

enum {
    REPORT_QUEUE_MAX = 256, /* the oldest are dropped first */
    REPORT_OUTPUT_MAX = 4096,
};

#define REPORT_PATIENCE_US (UINT64_C(15) * 60 * 1000 * 1000) /* how long a site may be away */

struct report_status {
    const char *state; /* "step-started", ... */
    size_t step;       /* index; the number of steps when it is about the whole */
    size_t n_steps;
    const char *step_name; /* "" */
    const char *step_type; /* "" */
    const char *group;     /* "Install/Drivers": the groups around the step; NULL: none */
    bool is_full_os;
    const char *restart_to; /* of "restarting": "boot-image", "full-os"; else NULL */
    unsigned percent;       /* more than 100: not known */
    uint64_t rate_bytes_per_s;
    uint64_t downloaded_bytes; /* of the whole order so far, like reused_bytes */
    uint64_t reused_bytes;
    int exit_code;
    const char *error_id; /* NULL */
    const char *message;  /* "" */
    const char
        *output; /* of a step that has ended: the last REPORT_OUTPUT_MAX bytes are told; NULL */
};

/**
 * report_new() - for one order
 * @link, @journal: borrowed; @journal may be NULL
 * @seq: number of the next status
 */
int report_new(struct link *link,
               struct journal *journal,
               const char *order_id,
               uint64_t seq,
               struct report **ret);
void report_free(struct report *report);

/* Queue a status, and deliver what can be delivered now. Return: 0 or -errno. */
int report_add(struct report *report, const struct report_status *status);

/* The same for "step-progress", which is dropped when the last one is less than a second old or the site
   does not answer. */
int report_progress(struct report *report, const struct report_status *status);

/**
 * report_set_retry() - what happens when the site does not answer
 * @is_wanted: false: after the first status that cannot be sent none is kept, and none is tried but the last one that there is
 *             at a report_drain(), once. If the site takes it, all is as before. SMSTSDisableStatusRetry
 */
void report_set_retry(struct report *report, bool is_wanted);

/**
 * report_drain() - wait until everything is delivered
 * @patience_us: at most so long
 *
 * Return: whether everything is (or the order is over).
 */
bool report_drain(struct report *report, uint64_t patience_us);

const struct report_wish *report_wish(const struct report *report);

/* Until the site says otherwise: what was kept over a restart. */
void report_set_wish(struct report *report, const struct report_wish *wish);

/* Ask the site what it wants; also a sign of life. What waits in the queue is sent first. Return: whether it answered. */
bool report_poll(struct report *report);

/**
 * report_call() - one call below the order, whose answer says what the site wants
 * @what: "state"
 * @ret: the answer; owned by the caller
 *
 * Not while something waits in the queue, or the site is away: what is told must be in order. Return: whether it was done.
 */
bool report_call(
    struct report *report, const char *method, const char *what, const json_t *body, json_t **ret);

/* Whether report_is_over() because somebody has cancelled it. */
bool report_is_cancelled(const struct report *report);

/**
 * report_cancelled() - the last word about an order that was cancelled
 *
 * What still waits in the queue is dropped. Does nothing when the site has ended the order itself.
 */
int report_cancelled(struct report *report,
                     const struct report_status *status,
                     uint64_t patience_us);

/* The site has ended or cancelled the order: nothing more may be touched. */
bool report_is_over(const struct report *report);

/* Number of the next status, for the state. */
uint64_t report_seq(const struct report *report);
