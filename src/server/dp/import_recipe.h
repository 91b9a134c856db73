/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The job import-os-image for what was captured: a recipe of chunks that the store has becomes a manifest
 */

#include "server/dp/intake_job.h"
#include "server/dp/worker.h"

/* Outcome beside 0 and INTAKE_JOB_E_TOLD */
enum {
    IMPORT_RECIPE_E_OTHER = 2, /* the file is no recipe: nothing was done */
};

/**
 * import_recipe() - do the job, if its source is a recipe
 *
 * Return: 0 when the last line is written, INTAKE_JOB_E_TOLD likewise for a failure; IMPORT_RECIPE_E_OTHER; -errno.
 */
int import_recipe(struct worker *worker, const struct intake_source *source);
