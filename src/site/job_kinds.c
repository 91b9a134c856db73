/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content.h"
#include "site/content_job.h"
#include "site/distribution_job.h"
#include "site/job.h"
#include "site/wake_job.h"

const struct job_kind job_kinds[] = {
    {
        .name = "import-os-image",
        .succeeded = content_job_succeeded,
        .too_late = content_job_too_late,
        .failed = content_job_failed,
    },
    {
        .name = "import-tree",
        .succeeded = content_job_succeeded,
        .too_late = content_job_too_late,
        .failed = content_job_failed,
    },
    {
        .name = "build-boot-image",
        .succeeded = content_job_succeeded,
        .too_late = content_job_too_late,
        .failed = content_job_failed,
    },
    {
        .name = "export-os-image",
        .keeps_result = true,
        .succeeded = content_job_exported,
    },
    {
        .name = "prestage-export",
        .keeps_result = true,
        .succeeded = content_job_exported,
    },
    {
        .name = "remove",
        .prepare = distribution_prepare_removal,
        .progress = distribution_progress,
        .succeeded = distribution_removed,
        .failed = distribution_removal_failed,
    },
    {
        .name = "replicate",
        .prepare = distribution_prepare_copy,
        .progress = distribution_progress,
        .succeeded = distribution_copied,
        .failed = distribution_failed,
    },
    {
        .name = "validate",
        .prepare = distribution_prepare_validation,
        .progress = distribution_progress,
        .succeeded = distribution_validated,
        .failed = distribution_failed,
    },
    {
        .name = WAKE_JOB,
        .keeps_result = true,
        .succeeded = wake_job_succeeded,
        .failed = wake_job_failed,
    },
    {0},
};
