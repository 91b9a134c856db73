/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Packages (OS images, boot images) and the jobs of the distribution point that make them
 */

#include "site/rows.h"
#include "site/site.h"

#define CONTENT_JOB_SILENCE_US (UINT64_C(60) * 1000000)

enum {
    CONTENT_JOB_CLAIMS_MAX = 3, /* a job whose worker was lost so often has failed */
    CONTENT_INDEXES_MAX = 256,
    CONTENT_FILES_MAX = 64,
};

/* POST /os-images: {"name", "version", "comment", "upload_id"} */
int os_image_create(struct site *site, const char *who, const json_t *body, json_t **ret);
int os_image_get(struct site *site, const char *id, json_t **ret);
int os_image_list(struct site *site, const struct page *page, json_t **ret);

/* POST /boot-images: {"arch", "flavour", "name"} */
int boot_image_create(struct site *site, const char *who, const json_t *body, json_t **ret);
int boot_image_get(struct site *site, const char *id, json_t **ret);
int boot_image_list(struct site *site, const struct page *page, json_t **ret);

int operation_get(struct site *site, const char *id, json_t **ret);

/* The next job for the distribution point; *ret is NULL if there is none. */
int content_claim_job(struct site *site, json_t **ret);

/**
 * content_report_job() - how it goes; docs/protocol/content.md
 *
 * A result is checked whole before the package is ready; a malformed one fails the job. A report for a job that is
 * over is ignored.
 */
int content_report_job(struct site *site, const char *id, const json_t *body);

/* Hand out again what its worker has left; part of site_tick(). */
int content_expire_jobs(struct site *site);
