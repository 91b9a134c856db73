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

#include "base/text.h"

struct site;

struct content_making {
    const char *package_id;
    const char *job_kind;
    json_t *args;          /* borrowed; "package_id" and "version" are added */
    const char *built_for; /* "": somebody asked for it */
};

/* What a version amounts to; the texts are borrowed. */
struct content_totals {
    uint64_t size_bytes;
    uint64_t new_bytes; /* that the store did not have */
    uint64_t file_count;
    const char *kernel_version; /* "" but for a boot image, as the next one */
    const char *agent_version;
};

/* Begin the next version with its job. Refused (REFUSAL_BUSY) while one is being made. */
int content_version_begin(struct site *site,
                          const struct content_making *making,
                          uint64_t *ret_version,
                          char ret_job_id[static UUID_TEXT_MAX]);

/* It is made, and becomes the current one. */
int content_version_ready(struct site *site,
                          const char *package_id,
                          uint64_t version,
                          const struct content_totals *totals);

/* It could not be made. A package that never had a version goes with it unless something names it. */
int content_version_failed(struct site *site, const char *package_id, uint64_t version);

/* Make it the current one, for orders and distribution points: what is ready, and what is rolled back to. */
int content_version_make_current(struct site *site, const char *package_id, uint64_t version);

/**
 * content_version_remove() - forget a ready version, and have the distribution points remove it
 * @boot_arch: of a boot image that goes as a whole, whose plain files are removed too; NULL otherwise
 */
int content_version_remove(struct site *site,
                           const char *package_id,
                           uint64_t version,
                           const char *boot_arch);
