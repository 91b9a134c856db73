/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which deployment a device is to run: of those that reach it, the newest
 *
 * An order in progress goes before everything else. Older deployments are never fallen back to: a device that
 * has run the newest one must not be wiped by what was meant for it earlier.
 */

#include <stdbool.h>

#include "site/site.h"

enum {
    BOOT_NAME_MAX = 256,
};

struct boot_target {
    char deployment_id[SITE_ID_MAX]; /* "": nothing is deployed to the device */
    bool is_required;
    bool is_cancelled;               /* then there is an order of the device under it */
    bool is_disabled;                /* its task sequence is: no device begins it */
    bool is_for_unknown;             /* it reaches the device as an unknown computer */
    char boot_image_id[SITE_ID_MAX]; /* of the task sequence; "": it names none */
    char task_sequence_name[BOOT_NAME_MAX];
    char collection_name[BOOT_NAME_MAX];
    char order_state[16]; /* of the device's order under it: "in-progress", …; "": there is none */
    bool waits_for_disk;  /* that order goes on in the installed system, or is restarting into it */
};

/* @device_id: "" for a computer the site has no row for. */
int boot_target_find(struct site *site, const char *device_id, struct boot_target *ret);

/* Whether the device may begin an order under it. An available one may be chosen again after a failure, a cancelled
 * one not. */
bool boot_target_is_open(const struct boot_target *target);
