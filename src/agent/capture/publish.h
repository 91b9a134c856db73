/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A recipe whose chunks were sent becomes a content version
 */

#include "agent/capture/capture.h"
#include "base/bytes.h"

enum {
    CAPTURE_ID_MAX = 64,
};

struct publication {                 /* of a device's capture; of an administrator's all is empty */
    char capture_id[CAPTURE_ID_MAX]; /* that the site gave it */
    bool is_published;               /* the site has all that it needs: only wait */
};

/* Ask the site whether this order may. Return: 0, CAPTURE_E_SITE, CAPTURE_E_STOPPED, or -errno. */
int publish_begin(const struct capture_options *options, struct publication *ret, struct buf *why);

/**
 * publish() - upload the recipe, have the site import it, and wait
 * @recipe: of each volume, one behind the other
 *
 * Return: 0 with ret->package_id set, CAPTURE_E_SITE, CAPTURE_E_STOPPED, or -errno.
 */
int publish(const struct capture_options *options,
            const struct publication *publication,
            struct bytes recipe,
            struct capture_result *ret,
            struct buf *why);
