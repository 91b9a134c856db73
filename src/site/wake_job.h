/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Jobs that send magic packets, and what they leave in the histories of devices (docs/wake-on-lan.md)
 *
 *     args:   {"port", "packets_per_s", "targets": [{"device_id", "mac", "to": […], "why", "who"}]}
 *     result: {"failed": [{"target": its index, "to", "why"}]}
 */

#include "site/job.h"

#define WAKE_JOB "wake"

enum {
    WAKE_JOB_DEVICES_MAX = 100,
    WAKE_JOB_FAILED_MAX = 10000,
};

/* @targets: as above; borrowed. Within the caller's transaction. */
int wake_job_add(struct site *site, const char *dp_id, json_t *targets);

/* Whether the distribution point has one that is not over. */
int wake_job_is_open(struct site *site, const char *dp_id, bool *ret);

#define WAKE_JOB_TAKEN_WITHIN_US (UINT64_C(10) * 60 * 1000000)

/* End those that nobody has taken for so long: packets that come when nobody expects them do harm. Within the caller's transaction, so
   that none is handed out by another site server meanwhile. */
int wake_job_expire(struct site *site);

/* Members of struct job_kind. */
int wake_job_succeeded(struct site *site, const struct job *job, const json_t *result);
int wake_job_failed(struct site *site,
                    const struct job *job,
                    const char *error_id,
                    const char *why);
