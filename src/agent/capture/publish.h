/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A recipe whose chunks were sent becomes a content version
 */

#include "agent/capture/capture.h"
#include "base/bytes.h"

/**
 * publish_recipe() - upload it, have the site import it, and wait
 * @info: the description, JSON
 * @rows: of the recipe
 *
 * Return: 0 with ret->package_id set, CAPTURE_E_SITE, CAPTURE_E_STOPPED, or -errno.
 */
int publish_recipe(const struct capture_options *options,
                   struct bytes info,
                   struct bytes rows,
                   struct capture_result *ret,
                   struct buf *why);
