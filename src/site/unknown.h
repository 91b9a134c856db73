/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Unknown computers, and the records of All Unknown Computers that stand for them, one for each architecture
 */

#include "site/site.h"

enum {
    UNKNOWN_RECORD_MAX = 32,
};

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
