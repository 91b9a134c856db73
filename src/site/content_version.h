/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The life of a content version, for content.c and the jobs: begun, ready, failed, current, removed
 *
 * Everything here runs within the caller's transaction.
 */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct site;

struct content_making {
    const char *package_id;
    const char *job_kind;
    json_t *args;          /* owned; "package_id" and "version" are added */
    const char *built_for; /* "": somebody asked for it */
};

/* Begin the next version with its job. Refused (REFUSAL_BUSY) while one is being made. */
int content_version_begin(struct site *site,
                          struct content_making *making,
                          uint64_t *ret_version,
                          char *ret_job_id);

/* It is made: it becomes the current one, and is distributed to where the old one is. */
int content_version_ready(struct site *site,
                          const char *package_id,
                          uint64_t version,
                          const json_t *totals);

/* It could not be made. A package that never had a version goes with it unless something names it. */
int content_version_failed(struct site *site, const char *package_id, uint64_t version);

/* Make it the current one: for what is ready, and for a rollback. */
int content_version_make_current(struct site *site, const char *package_id, uint64_t version);

/**
 * content_version_remove() - take it from every distribution point
 * @is_whole: the package itself is going
 */
int content_version_remove(struct site *site,
                           const char *package_id,
                           uint64_t version,
                           bool is_whole);
