/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One job in a process of its own: what the kinds of jobs share
 */

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"

/* Below the state folder; emptied by the role */
#define WORKER_BUILD_FOLDER  "dp/staging/boot"
#define WORKER_EXPORT_FOLDER "dp/staging/exports"
#define WORKER_PARTS_FOLDER  "dp/staging/parts"

struct worker {
    const char *state_folder;
    const char *self;         /* path of slipwayd: the agent and bootimage/ are found from it */
    const char *kernel_roots; /* separated by spaces; "": the default of build.sh */
    const char *x86_root;     /* what images for x86 are built from; "": there is none */
    json_t *args;
    struct buf said;     /* owned; of standard input, what is no whole line yet */
    uint64_t rate_limit; /* bytes per second, as the role said last; 0: none */
    unsigned told_percent;
};

/**
 * worker_clean_up() - remove what a worker that was killed has left of what it was making
 *
 * For the role, when no job that imports, builds or exports runs: one does at a time (slots.h). Return: 0 or -errno.
 */
int worker_clean_up(const char *state_folder);

/* A line of progress for whoever started us. */
void worker_tell(struct worker *worker, unsigned percent, const char *message);

/* The same of a transfer. @rate: bytes per second */
void worker_tell_rate(struct worker *worker, unsigned percent, const char *message, uint64_t rate);

/* Take what the role has said meanwhile, without waiting. Return: bytes per second; 0: no limit. */
uint64_t worker_rate_limit(struct worker *worker);

/* The last line: the job failed. @format: what was tried, on what, what happened, what to do. */
__attribute__((format(printf, 2, 3))) void
worker_fail(const char *error_id, const char *format, ...);

/* The last line: the job succeeded. @result: taken over. Return: 0 or -ENOMEM. */
int worker_succeed(json_t *result);

/**
 * Kinds of jobs, a file each
 *
 * Return: 0 when a last line was written (also worker_fail()), or -errno for what nobody planned for.
 */
int worker_collect(struct worker *worker);
int worker_export_os_image(struct worker *worker);
int worker_import_os_image(struct worker *worker);
int worker_import_tree(struct worker *worker);
int worker_prestage_export(struct worker *worker);
int worker_remove(struct worker *worker);
int worker_replicate(struct worker *worker);
int worker_validate(struct worker *worker);
int worker_wake(struct worker *worker);
int worker_build_boot_image(struct worker *worker);
