/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The jobs the site has for this distribution point: asked for once a second, each run in a worker
 * process, its progress and its end told to the site (docs/protocol/content.md)
 *
 * A thread of its own, so that uploads go on while the site is away or a job runs.
 */

#include "base/own.h"

struct jobs;
struct role_options;

/* @options: borrowed until jobs_stop() */
int jobs_start(const struct role_options *options, struct jobs **ret);

/* Kill the worker, end the thread, release. A job that was running is handed out again by the site. */
void jobs_stop(struct jobs *jobs);
DEFINE_FREEP(struct jobs *, jobs_stop);
