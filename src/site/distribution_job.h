/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Jobs that distribution makes: replicate, validate, remove (docs/protocol/content.md); members of job_kinds
 *
 * Everything here runs within the caller's transaction.
 */

#include <jansson.h>

struct job;
struct job_progress;
struct site;

/**
 * distribution_make_jobs() - a distribution point asks for work: what is due for it becomes a job, if it may have one more
 *
 * High priority goes before medium before low; what the schedule does not let pass now waits.
 */
int distribution_make_jobs(struct site *site, const char *dp_id);

/**
 * distribution_explain_waiting() - say of a copy that waits for the schedule of its distribution point that it does
 * @row: of SQL_DISTRIBUTION_LIST; "message" is set then, and "rank" is taken away
 */
int distribution_explain_waiting(struct site *site, json_t *row);

/* At the claim: sources and rate are those of now. Return: 0, JOB_E_LATER, -errno. */
int distribution_prepare_copy(struct site *site, const struct job *job, json_t *args);
int distribution_prepare_validation(struct site *site, const struct job *job, json_t *args);

/* What something else on the distribution point needs by now is not removed. */
int distribution_prepare_removal(struct site *site, const struct job *job, json_t *args);

/* Of a job that copies, the answer says how fast it may go. */
int distribution_progress(struct site *site,
                          const struct job *job,
                          const struct job_progress *progress,
                          json_t *answer);

int distribution_copied(struct site *site, const struct job *job, const json_t *result);

/* What is damaged is copied anew at once: the distribution point has set it aside. */
int distribution_validated(struct site *site, const struct job *job, const json_t *result);
int distribution_removed(struct site *site, const struct job *job, const json_t *result);

/* It is tried again, after a time that doubles. */
int distribution_failed(struct site *site,
                        const struct job *job,
                        const char *error_id,
                        const char *why);
int distribution_removal_failed(struct site *site,
                                const struct job *job,
                                const char *error_id,
                                const char *why);

/* Copying stops where the schedule has closed, and goes on when it opens; part of site_tick(). */
int distribution_tick(struct site *site);
