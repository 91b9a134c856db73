/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The store, opened for a job; what goes wrong is told as the job's end
 */

#include <stdbool.h>

#include "server/dp/worker.h"
#include "store/store.h"

/**
 * content_store_open() - open dp/content
 * @is_adding: it will be added to: waits up to a minute for a collection to end
 * @ret: owned by the caller
 *
 * Return: 0; 1, and the failure has been told; or -errno.
 */
int content_store_open(const struct worker *worker, bool is_adding, struct store **ret);
