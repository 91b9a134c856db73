/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What follows from the ends of the jobs that make, export and remove content: members of job_kinds
 */

#include <jansson.h>

struct site;
struct job;

/**
 * content_job_succeeded() - the version is made
 * @result: as in docs/protocol/content.md; checked whole
 *
 * Return: 0, SITE_E_REFUSED if it is malformed, -errno.
 */
int content_job_succeeded(struct site *site, const struct job *job, const json_t *result);

/* It was cancelled: the manifests that were made all the same are removed, unless something else has them. */
int content_job_too_late(struct site *site, const struct job *job, const json_t *result);

/* The version is not made: the package stays as it was. */
int content_job_failed(struct site *site,
                       const struct job *job,
                       const char *error_id,
                       const char *why);

/* The file is there: only checked, it is the operation that shows it. */
int content_job_exported(struct site *site, const struct job *job, const json_t *result);

/* Manifests that something has got again since are not removed. */
int content_job_prepare_removal(struct site *site, const struct job *job, json_t *args);

/* Tried again in an hour, also if it was cancelled, so that nothing is forgotten on a distribution point. */
int content_job_removal_failed(struct site *site,
                               const struct job *job,
                               const char *error_id,
                               const char *why);
