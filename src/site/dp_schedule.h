/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a distribution point may do at which hour of the week, in the time zone of the site server
 *
 * A schedule is a list of rules, {"days": ["mon", "tue"], "from_hour": 8, "to_hour": 18, …}: on these days (all, if there
 * are none) from the one hour to before the other; from_hour 22 and to_hour 6 is the night that begins on these days;
 * equal hours are the whole day. The last rule that fits the hour counts. The further member is
 *
 *     schedule:            "allow": "open", "medium-and-high", "high-only", "closed"; no rule: open
 *     rate_limits:         "bytes_per_s", 0: none; no rule: none
 *     validation_schedule: nothing; all content is validated once in these hours
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct site;

enum {
    DP_SCHEDULE_RULES_MAX = 64,
};

enum dp_schedule_kind {
    DP_SCHEDULE_ALLOW,
    DP_SCHEDULE_RATE,
    DP_SCHEDULE_VALIDATION,
};

/* How many ranks of priority may travel: 3 all, 2 medium and high, 1 high only, 0 none. */
enum {
    DP_SCHEDULE_CLOSED = 0,
    DP_SCHEDULE_OPEN = 3,
};

/* Is @rules such a list? @name: of the member, for the refusal. Return: 0 or SITE_E_REFUSED. */
int dp_schedule_check(struct site *site,
                      const json_t *rules,
                      const char *name,
                      enum dp_schedule_kind kind);

/* 0 is the hour that begins on Sunday at midnight, 167 the last of Saturday. */
unsigned dp_schedule_hour_of_week(uint64_t wall_us);

/* Of a checked list. @hour: of the week. */
unsigned dp_schedule_ranks(const json_t *rules, unsigned hour);
uint64_t dp_schedule_rate(const json_t *rules, unsigned hour);
bool dp_schedule_fits(const json_t *rules, unsigned hour);
