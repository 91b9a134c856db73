/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The jobs the site has for this distribution point: asked for once a second, each run in a worker
 * process, its progress and its end told to the site (docs/protocol/content.md); and what needs no
 * order, as removing once a day what nobody refers to any more
 *
 * Threads of their own, so that uploads go on while the site is away or jobs run.
 */

#include <stdint.h>

#include "base/own.h"

struct jobs;
struct role_options;

struct jobs_pace {
    uint64_t ask_us;  /* between two questions for a job, and two tries to tell the end of one */
    uint64_t tell_us; /* between two messages about progress */
};

/* Once a second for both, as the site expects it. */
extern const struct jobs_pace jobs_usual_pace;

/* @options: borrowed until jobs_stop() */
int jobs_start(const struct role_options *options, struct jobs_pace pace, struct jobs **ret);

/* Kill the workers, end the threads, release. A job that was running is handed out again by the site. */
void jobs_stop(struct jobs *jobs);
DEFINE_FREEP(struct jobs *, jobs_stop);
