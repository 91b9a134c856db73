/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Unknown computers, and the records of All Unknown Computers that stand for them, one for each architecture
 */

#include "site/site.h"

enum {
    UNKNOWN_RECORD_MAX = 32,
};

/* The distribution point whose offer a device took last: the site's own, if nobody knows of one. @ret: DP_ID_MAX bytes */
int unknown_dp(struct site *site, const char *device_id, char *ret);

/* Whether unknown computers are offered anything. @dp_id: by whom; NULL: by the one whose offer the device took last */
int unknown_is_allowed(struct site *site, const char *dp_id, const char *device_id, bool *ret);

/**
 * unknown_record() - which record stands for a device
 * @device_id: "" for a computer the site has no row for
 * @arch:      "x64", "x86", "arm64": what it is, unless it has said so itself; NULL: not known either
 * @ret:       "" for a device that is known
 * @ret_is_unknown: whether it is not
 */
int unknown_record(struct site *site,
                   const char *device_id,
                   const char *arch,
                   char ret[static UNKNOWN_RECORD_MAX],
                   bool *ret_is_unknown);
