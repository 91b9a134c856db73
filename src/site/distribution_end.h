/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How the jobs of distribution end: what distribution_job.c and distribution_end.c share
 */

#include <stdint.h>

struct job;
struct site;

/* All texts borrowed. */
struct distribution_failure {
    const char *dp_id;
    const char *package_id;
    uint64_t version;
    const char *work;     /* what is tried again */
    uint64_t n_tries;     /* before this one */
    const char *error_id; /* NULL: none */
    const char *why;
};

/* It has failed, and is tried again unless it was cancelled or has been tried too often. */
int distribution_note_failure(struct site *site, const struct distribution_failure *f);

/* The row of distribution that a job is for. */
struct distribution_row {
    char work[16];
    uint64_t n_tries;
};

/* Return: DB_ROW, or 0: there is none, or it is about another job by now. */
int distribution_load_row(struct site *site, const struct job *job, struct distribution_row *ret);
