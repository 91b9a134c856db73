/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The computer's time zone as the variable _SMSTSTimezone has it
 */

#include <stdint.h>

#include "base/buf.h"

/**
 * time_zone_put() - append bias, standard bias, daylight bias, when standard time begins, when daylight time begins, and
 *                   the names of both, separated by commas
 * @now_us: since 1970 UTC; the rules are those of its year
 *
 * A bias is in minutes, UTC minus local time. Each "when" is year (0: every), month, day of the week from Sunday (0), the
 * how many-th of that in the month (5: the last), hour, minute, second, millisecond; all zero where the time does not change.
 */
void time_zone_put(struct buf *dst, uint64_t now_us);

/* The bias that is in force at @now_us: minutes, UTC minus local time. */
int time_zone_bias_min(uint64_t now_us);
