/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the jobs that take something into the store share: where it comes from, and how it fails
 */

#include <stdbool.h>

#include "base/buf.h"
#include "server/dp/worker.h"
#include "store/store.h"

/* Outcome beside 0 */
enum {
    INTAKE_JOB_E_TOLD = 1, /* it failed, and the last line is written */
};

enum {
    INTAKE_JOB_PATH_MAX = 4096,
};

struct intake_source {
    struct buf path; /* of a file or folder that was there and could be opened */
    struct buf name; /* that people know it by, without folders */
    bool is_upload;
    bool is_folder;
};

#define INTAKE_SOURCE_INIT \
    ((struct intake_source){.path = BUF_INIT(INTAKE_JOB_PATH_MAX), \
                            .name = BUF_INIT(INTAKE_JOB_PATH_MAX)})

void intake_source_fini(struct intake_source *source);

/**
 * intake_job_find_source() - what "source_path" or "upload_id" of the job names
 *
 * Return: 0, INTAKE_JOB_E_TOLD, or -errno.
 */
int intake_job_find_source(const struct worker *worker, struct intake_source *ret);

/**
 * intake_job_fail() - tell why an intake ended
 * @outcome: of a function of store/intake.h
 * @what:    that was taken in: "the image", or a path
 *
 * Return: INTAKE_JOB_E_TOLD or @outcome, if that is an -errno.
 */
int intake_job_fail(int outcome, const char *what);
