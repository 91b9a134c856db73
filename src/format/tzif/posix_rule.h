/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The rule for time zones that POSIX puts into the variable TZ, "CET-1CEST,M3.5.0,M10.5.0/3", with the hours of
 * RFC 9636 section 3.3.1 (-167 to 167): what holds after the last change that a TZif file lists
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum posix_rule_day {
    POSIX_RULE_JULIAN,  /* Jn: 1 to 365, no leap day */
    POSIX_RULE_ORDINAL, /* n: 0 to 365 */
    POSIX_RULE_WEEKDAY, /* Mm.w.d: of a month the w-th, 5 is the last, weekday d */
};

struct posix_rule_change {
    enum posix_rule_day kind;
    unsigned day; /* of the year, or the weekday, 0 is Sunday */
    unsigned month;
    unsigned week;
    int32_t in_day_s; /* on the wall before the change; may be outside the day */
};

struct posix_rule {
    int32_t standard_s; /* east of UTC */
    int32_t daylight_s;
    bool has_daylight;
    struct posix_rule_change begin; /* of daylight saving time */
    struct posix_rule_change end;
};

/* Return: whether the whole of @src is such a rule; otherwise @ret is untouched. */
bool posix_rule_parse(struct bytes src, struct posix_rule *ret);

/* Seconds east of UTC at a moment, @utc_s since 1970. */
int32_t posix_rule_offset_s(const struct posix_rule *rule, int64_t utc_s);
