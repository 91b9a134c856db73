/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content.h"
#include "site/content_job.h"
#include "site/job.h"

const struct job_kind job_kinds[] = {
    {
        .name = "import-os-image",
        .succeeded = content_job_succeeded,
        .failed = content_job_failed,
    },
    {
        .name = "import-tree",
        .succeeded = content_job_succeeded,
        .failed = content_job_failed,
    },
    {
        .name = "build-boot-image",
        .succeeded = content_job_succeeded,
        .failed = content_job_failed,
    },
    {
        .name = "export-os-image",
        .keeps_result = true,
        .succeeded = content_job_exported,
    },
    {
        .name = "remove",
        .prepare = content_job_prepare_removal,
        .failed = content_job_removal_failed,
    },
    {0},
};
