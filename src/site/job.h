/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Jobs of the distribution points (docs/protocol/content.md): a queue per distribution point, and what follows from
 * their ends
 */

#include "base/text.h"
#include "site/rows.h"
#include "site/site.h"

#define JOB_SILENCE_US (UINT64_C(60) * 1000000)
#define JOB_OWN_DP     "DP00001" /* the site's own distribution point: everything is made there */

enum {
    JOB_CLAIMS_MAX = 3, /* a job whose worker was lost so often has failed */
    JOB_KIND_MAX = 32,
    JOB_DP_ID_MAX = 16, /* "DP00001" and the NUL */
};

struct job {
    char id[UUID_TEXT_MAX];
    char kind[JOB_KIND_MAX];
    char dp_id[JOB_DP_ID_MAX];
    char package_id[SITE_ID_MAX]; /* "" : of none, or it is deleted */
    uint64_t version;             /* of the package; 0: of none */
    char state[16];               /* queued, running, succeeded, failed, cancelled */
};

/* How far it is, from a report; borrowed. */
struct job_progress {
    unsigned percent;
    uint64_t rate_bytes_per_s;
    const char *message;
};

/* What is special about a kind of job. Each member may be NULL; each runs within the transaction of its caller. */
struct job_kind {
    const char *name;  /* NULL ends the table */
    bool keeps_result; /* the operation shows it */
    /* At the claim: complete or renew @args. Return: 0; JOB_E_LATER: not now; -errno. */
    int (*prepare)(struct site *site, const struct job *job, json_t *args);
    /* @answer: the object that answers the report; {"rate_limit_bytes_per_s"} goes there */
    int (*progress)(struct site *site,
                    const struct job *job,
                    const struct job_progress *progress,
                    json_t *answer);
    /* Return: 0; SITE_E_REFUSED: the result is malformed, then the job has failed; -errno. */
    int (*succeeded)(struct site *site, const struct job *job, const json_t *result);
    /* The same result, but the job was cancelled or given up before: what was made is not wanted. */
    int (*too_late)(struct site *site, const struct job *job, const json_t *result);
    /* Also of a cancelled one. @error_id: may be NULL */
    int (*failed)(struct site *site, const struct job *job, const char *error_id, const char *why);
};

/* Outcome of a prepare(): the job stays queued, the next one may go. */
enum {
    JOB_E_LATER = 2,
};

/* Of job_kinds.c; ends with .name == NULL. */
extern const struct job_kind job_kinds[];

struct job_order {
    const char *kind;
    const char *dp_id;      /* NULL: JOB_OWN_DP */
    const char *package_id; /* NULL: none */
    uint64_t version;
    const json_t *args; /* borrowed */
    uint64_t due_us;    /* not before; 0: at once */
};

/**
 * job_add() - queue a job
 *
 * Within the caller's transaction. The next job of a distribution point is the one of the package with the highest
 * priority, and among these the oldest.
 */
int job_add(struct site *site, const struct job_order *order, char ret_id[static UUID_TEXT_MAX]);

/**
 * job_keep_running() - a distribution point says which jobs it has: what else it was given is queued again at once
 * @running: list of ids; NULL, or anything else: it does not say, and nothing changes
 */
int job_keep_running(struct site *site, const char *dp_id, const json_t *running);

/**
 * job_claim() - the next job for a distribution point
 * @kinds: list of those that it has a place for; NULL: all
 * @ret:  {"id", "kind", "args"}; owned by the caller; NULL if there is none
 *
 * A job that removes manifests and one that makes content are never out at the same time: what is made might be what
 * is being removed.
 */
int job_claim(struct site *site, const char *dp_id, const json_t *kinds, json_t **ret);

/**
 * job_report() - how it goes
 * @ret: the answer; owned by the caller; NULL: an empty one
 *
 * A result is checked whole before anything of it counts; a malformed one fails the job. An end that was reported
 * before is taken again and changes nothing. Refused: no such job of this distribution point; progress of a job that
 * is over (REFUSAL_JOB_OVER), whose worker is to be killed.
 */
int job_report(
    struct site *site, const char *dp_id, const char *id, const json_t *body, json_t **ret);

/* End it as cancelled, queued or running. @ret: the operation; owned by the caller. */
int job_cancel(struct site *site, const char *who, const char *id, json_t **ret);

/* Nobody has taken it, and it is not wanted any more: it has failed. */
int job_give_up(struct site *site, const char *id, const char *error_id, const char *why);

/* Hand out again what its worker has left; part of site_tick(). */
int job_expire(struct site *site);

int operation_get(struct site *site, const char *id, json_t **ret);

/* A page of them, oldest first. @is_open: only what is queued or running. */
int operation_list(struct site *site, const struct page *page, bool is_open, json_t **ret);
