/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/tzif/posix_rule.h"

#include <stddef.h>

#include "base/civil.h"

enum {
    NAME_MIN = 3,
    HOURS_MAX = 167,
    OFFSET_HOURS_MAX = 24,
    HOUR_S = 3600,
    DEFAULT_IN_DAY_S = 2 * HOUR_S,
    WEEK_DAYS = 7,
    LAST_WEEK = 5,
    LEAP_DAY_ORDINAL = 60, /* of Jn: from here on a leap year is a day later */
};

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool take_char(struct bytes *src, char c)
{
    if (src->len == 0 || src->ptr[0] != (uint8_t)c)
        return false;
    *src = (struct bytes){src->ptr + 1, src->len - 1};
    return true;
}

/* "CET", or "<+0330>" */
static bool take_name(struct bytes *src)
{
    bool is_quoted = take_char(src, '<');
    size_t n = 0;

    while (n < src->len &&
           (is_letter(src->ptr[n]) ||
            (is_quoted && (is_digit(src->ptr[n]) || src->ptr[n] == '+' || src->ptr[n] == '-'))))
        n++;
    if (n < NAME_MIN)
        return false;
    *src = (struct bytes){src->ptr + n, src->len - n};
    return !is_quoted || take_char(src, '>');
}

static bool take_number(struct bytes *src, uint64_t min, uint64_t max, unsigned *ret)
{
    uint64_t number;
    size_t n = 0;

    while (n < src->len && is_digit(src->ptr[n]))
        n++;
    if (!bytes_parse_u64((struct bytes){src->ptr, n}, min, max, &number))
        return false;
    *src = (struct bytes){src->ptr + n, src->len - n};
    *ret = (unsigned)number;
    return true;
}

/* "[+-]hh[:mm[:ss]]", in seconds */
static bool take_time(struct bytes *src, unsigned hours_max, int32_t *ret)
{
    bool is_negative = take_char(src, '-');
    unsigned hours;
    unsigned minutes = 0;
    unsigned seconds = 0;
    int32_t total;

    if (!is_negative)
        (void)take_char(src, '+');
    if (!take_number(src, 0, hours_max, &hours))
        return false;
    if (take_char(src, ':')) {
        if (!take_number(src, 0, 59, &minutes) ||
            (take_char(src, ':') && !take_number(src, 0, 59, &seconds)))
            return false;
    }
    total = (int32_t)(hours * HOUR_S + minutes * 60 + seconds);
    *ret = is_negative ? -total : total;
    return true;
}

static bool take_day(struct bytes *src, struct posix_rule_change *ret)
{
    if (take_char(src, 'J')) {
        ret->kind = POSIX_RULE_JULIAN;
        return take_number(src, 1, 365, &ret->day);
    }
    if (take_char(src, 'M')) {
        ret->kind = POSIX_RULE_WEEKDAY;
        return take_number(src, 1, 12, &ret->month) && take_char(src, '.') &&
               take_number(src, 1, LAST_WEEK, &ret->week) && take_char(src, '.') &&
               take_number(src, 0, WEEK_DAYS - 1, &ret->day);
    }
    ret->kind = POSIX_RULE_ORDINAL;
    return take_number(src, 0, 365, &ret->day);
}

static bool take_change(struct bytes *src, struct posix_rule_change *ret)
{
    if (!take_char(src, ',') || !take_day(src, ret))
        return false;
    ret->in_day_s = DEFAULT_IN_DAY_S;
    return !take_char(src, '/') || take_time(src, HOURS_MAX, &ret->in_day_s);
}

bool posix_rule_parse(struct bytes src, struct posix_rule *ret)
{
    struct posix_rule rule = {0};
    int32_t west;

    if (!take_name(&src) || !take_time(&src, OFFSET_HOURS_MAX, &west))
        return false;
    rule.standard_s = -west;
    rule.daylight_s = rule.standard_s + HOUR_S;
    if (src.len > 0) {
        rule.has_daylight = true;
        if (!take_name(&src))
            return false;
        if (src.len > 0 && src.ptr[0] != ',') {
            if (!take_time(&src, OFFSET_HOURS_MAX, &west))
                return false;
            rule.daylight_s = -west;
        }
        if (!take_change(&src, &rule.begin) || !take_change(&src, &rule.end) || src.len > 0)
            return false;
    }
    *ret = rule;
    return true;
}

static uint64_t day_of_change(const struct posix_rule_change *change, unsigned year)
{
    uint64_t new_year = civil_days((struct civil_date){year, 1, 1});
    bool is_leap = civil_days_in_month(year, 2) == 29;
    uint64_t first;
    uint64_t day;

    if (change->kind == POSIX_RULE_ORDINAL)
        return new_year + change->day;
    if (change->kind == POSIX_RULE_JULIAN)
        return new_year + change->day - (is_leap && change->day >= LEAP_DAY_ORDINAL ? 0 : 1);
    first = civil_days((struct civil_date){year, change->month, 1});
    day = (change->day + WEEK_DAYS - civil_weekday(first)) % WEEK_DAYS +
          (uint64_t)(change->week - 1) * WEEK_DAYS;
    if (day >= civil_days_in_month(year, change->month))
        day -= WEEK_DAYS;
    return first + day;
}

static int64_t
utc_of_change(const struct posix_rule_change *change, unsigned year, int32_t before_s)
{
    return (int64_t)day_of_change(change, year) * CIVIL_DAY_S + change->in_day_s - before_s;
}

int32_t posix_rule_offset_s(const struct posix_rule *rule, int64_t utc_s)
{
    int64_t wall_s = utc_s + rule->standard_s;
    unsigned year;
    int64_t begin;
    int64_t end;

    if (!rule->has_daylight || wall_s < 0)
        return rule->standard_s;
    year = civil_of_days((uint64_t)wall_s / CIVIL_DAY_S).year;
    begin = utc_of_change(&rule->begin, year, rule->standard_s);
    end = utc_of_change(&rule->end, year, rule->daylight_s);
    if (begin < end)
        return utc_s >= begin && utc_s < end ? rule->daylight_s : rule->standard_s;
    return utc_s >= end && utc_s < begin ? rule->standard_s : rule->daylight_s;
}
