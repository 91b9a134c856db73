/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Schedules, as deployments, maintenance windows and evaluations of collections have them; pure arithmetic
 *
 *     {"start": "2026-11-22T22:00:00", "repeat": "weekly", "every": 2, "weekday": "sun", "duration_min": 240}
 *
 * "start" is a time on the wall of the site's place, or with a "Z" at its end a moment in UTC; the first
 * occurrence is at it or after it.
 *
 *     repeat              every                 further members
 *     (none)              -                     it happens once, at start
 *     minutes, hours      1 to 59, 1 to 23      counted in elapsed time from start
 *     days                1 to 31               at start's time of day
 *     weekly              1 to 4 weeks          "weekday": sun, mon, ... sat
 *     monthly-by-date     1 to 12 months        "day": 1 to 31, or 0: the last; a shorter month's last day stands for
 *                                               the days it does not have
 *     monthly-by-weekday  1 to 12 months        "weekday", and "week": 1 to 4, or 5: the last one
 *
 * A time of day that a place's clock shows twice is its first; one that it leaves out comes later by what the clock is
 * put forward (RFC 5545 section 3.3.5).
 */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct site;
struct zone;

enum schedule_repeat {
    SCHEDULE_ONCE,
    SCHEDULE_MINUTES,
    SCHEDULE_HOURS,
    SCHEDULE_DAYS,
    SCHEDULE_WEEKLY,
    SCHEDULE_MONTHLY_BY_DATE,
    SCHEDULE_MONTHLY_BY_WEEKDAY,
};

enum {
    SCHEDULE_LIST_MAX = 32, /* of one deployment or collection */
    SCHEDULE_DURATION_MAX_MIN = 24 * 60 - 1,
};

#define SCHEDULE_NEVER UINT64_MAX

struct schedule {
    int64_t start_s; /* on the wall, or UTC */
    bool is_utc;
    enum schedule_repeat repeat;
    unsigned every;
    unsigned weekday; /* 0 is Sunday */
    unsigned day;     /* of the month; 0: the last */
    unsigned week;    /* 5: the last */
    unsigned duration_min;
};

/**
 * schedule_check() - whether no member is there that its kind of repetition does not have
 * @src: what schedule_parse() has let pass, from who makes it; what is kept was not always asked this
 *
 * A day that does not count would be taken for one that does. Return: 0 or SITE_E_REFUSED.
 */
int schedule_check(struct site *site, const json_t *src, const char *name);

/**
 * schedule_parse() - check and read one
 * @name: of the member it is in, for the refusal
 * @has_duration: it is a window, whose "duration_min" is 1 to SCHEDULE_DURATION_MAX_MIN
 *
 * Return: 0 or SITE_E_REFUSED.
 */
int schedule_parse(struct site *site,
                   const json_t *src,
                   const char *name,
                   bool has_duration,
                   struct schedule *ret);

/* "2026-11-22T22:00:00" or the same with "Z"; as schedule's start. Return: whether it is one. */
bool schedule_parse_time(const char *text, int64_t *ret_s, bool *ret_is_utc);

/**
 * schedule_next() - the first occurrence at or after a moment
 * @zone: of the device; NULL: UTC
 *
 * Return: microseconds since 1970 UTC, or SCHEDULE_NEVER.
 */
uint64_t schedule_next(const struct schedule *schedule, const struct zone *zone, uint64_t after_us);

/* The last occurrence at or before a moment, or SCHEDULE_NEVER if there was none. */
uint64_t
schedule_last(const struct schedule *schedule, const struct zone *zone, uint64_t before_us);
