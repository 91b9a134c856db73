/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/time_zone.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    S_PER_MIN = 60,
    S_PER_DAY = 24 * 60 * 60,
    DAYS_LOOKED_AT = 366,
    DAYS_PER_WEEK = 7,
    LAST_WEEK = 5,
    NAME_MAX_BYTES = 32,
    US_PER_S = 1000 * 1000,
};

struct rules {
    int standard_min; /* bias in minutes */
    int daylight_min;
    char standard[NAME_MAX_BYTES]; /* names */
    char daylight[NAME_MAX_BYTES];
    struct tm
        to_standard; /* local time at which it begins, by the clock before; tm_mday 0: never */
    struct tm to_daylight;
};

static bool local(time_t at, struct tm *ret)
{
    return localtime_r(&at, ret) != NULL;
}

/* The first second of the new time, in a day at whose end it is in force. */
static time_t find_change(time_t start, bool is_daylight)
{
    time_t low = start;
    time_t high = start + S_PER_DAY;

    while (high - low > 1) {
        time_t middle = low + (high - low) / 2;
        struct tm tm;

        if (local(middle, &tm) && (tm.tm_isdst > 0) == is_daylight)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static void take(struct rules *rules, const struct tm *tm)
{
    bool is_daylight = tm->tm_isdst > 0;
    char *name = is_daylight ? rules->daylight : rules->standard;
    int *bias = is_daylight ? &rules->daylight_min : &rules->standard_min;

    *bias = (int)(-tm->tm_gmtoff / S_PER_MIN);
    (void)snprintf(name, NAME_MAX_BYTES, "%s", tm->tm_zone ? tm->tm_zone : "");
}

/* What the clock would have shown if it had not been changed. */
static void note_change(struct rules *rules, time_t start, const struct tm *after)
{
    time_t change = find_change(start, after->tm_isdst > 0);
    struct tm before;

    if (!local(change - 1, &before))
        return;
    change += before.tm_gmtoff;
    (void)gmtime_r(&change, after->tm_isdst > 0 ? &rules->to_daylight : &rules->to_standard);
}

static void look(struct rules *rules, time_t first)
{
    struct tm before;
    struct tm after;

    if (!local(first, &before))
        return;
    take(rules, &before);
    for (int i = 0; i < DAYS_LOOKED_AT; i++, before = after) {
        if (!local(first + (time_t)(i + 1) * S_PER_DAY, &after))
            return;
        if ((before.tm_isdst > 0) == (after.tm_isdst > 0))
            continue;
        take(rules, &after);
        note_change(rules, first + (time_t)i * S_PER_DAY, &after);
    }
}

static int days_of_month(const struct tm *tm)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = tm->tm_year + 1900;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[tm->tm_mon] + (tm->tm_mon == 1 && is_leap ? 1 : 0);
}

static void put_when(struct buf *dst, const struct tm *tm)
{
    if (tm->tm_mday == 0) {
        buf_adds(dst, ",0,0,0,0,0,0,0,0");
        return;
    }

    bool is_last = tm->tm_mday + DAYS_PER_WEEK > days_of_month(tm);

    buf_addf(dst,
             ",0,%d,%d,%d,%d,%d,%d,0",
             tm->tm_mon + 1,
             tm->tm_wday,
             is_last ? LAST_WEEK : (tm->tm_mday - 1) / DAYS_PER_WEEK + 1,
             tm->tm_hour,
             tm->tm_min,
             tm->tm_sec);
}

int time_zone_bias_min(uint64_t now_us)
{
    struct tm here;

    tzset();
    return local((time_t)(now_us / US_PER_S), &here) ? (int)(-here.tm_gmtoff / S_PER_MIN) : 0;
}

void time_zone_put(struct buf *dst, uint64_t now_us)
{
    struct rules rules = {0};
    time_t now = (time_t)(now_us / US_PER_S);
    struct tm here;
    bool has_daylight;

    tzset();
    if (!local(now, &here))
        return;
    look(&rules, now - (time_t)here.tm_yday * S_PER_DAY);
    has_daylight = rules.to_daylight.tm_mday > 0 && rules.to_standard.tm_mday > 0;
    buf_addf(dst,
             "%d,0,%d",
             rules.standard_min,
             has_daylight ? rules.daylight_min - rules.standard_min : 0);
    put_when(dst, has_daylight ? &rules.to_standard : &(struct tm){0});
    put_when(dst, has_daylight ? &rules.to_daylight : &(struct tm){0});
    buf_addf(dst, ",%s,%s", rules.standard, has_daylight ? rules.daylight : rules.standard);
}
