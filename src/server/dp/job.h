/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One job from its claim to its end: the worker process, and what the site is told of it
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/own.h"
#include "server/dp/jobs.h"
#include "server/dp/slots.h"

struct http_client;

struct job {
    const struct role_options *options; /* borrowed */
    struct jobs_pace pace;
    const _Atomic bool *is_ending; /* borrowed; true: give up, the site hands it out again */
    struct slots *slots;           /* borrowed */
    json_t *claim;                 /* owned; "id", "kind" and "args"; ours are without "id" */
    const char *id;                /* of the claim; NULL: ours, of which the site knows nothing */
    const char *kind;              /* of the claim */
    json_t *args;                  /* of the claim */

    struct http_client *site; /* owned */
    json_t *progress;         /* owned; the last line with a percentage, or NULL */
    json_t *end;              /* owned; the line with the result or the error, or NULL */
    struct buf how;           /* owned; how the worker ended */
    uint64_t told_us;
    bool is_dropped; /* the site does not want it any more */
};

/* Outcome of job_new() beside 0 */
enum {
    JOB_E_MALFORMED = 1, /* the claim is not one */
};

/**
 * job_new() - from a claim
 * @options, @pace, @is_ending, @slots of @ret are set by the caller; the rest is zero
 * @claim: taken over, whatever is returned
 */
int job_new(json_t *claim, struct job *ret);
void job_fini(struct job *job);

/**
 * job_run() - wait for a place, run the worker to its end or until the site drops the job, tell the site
 *
 * Blocks. A failure has been logged and told.
 */
void job_run(struct job *job);

/* Whether it ended with a result. */
bool job_has_succeeded(const struct job *job);
