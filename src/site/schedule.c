/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/schedule.h"

#include <stddef.h>
#include <string.h>

#include "base/civil.h"
#include "site/fields.h"
#include "site/site.h"
#include "site/zone.h"

enum {
    US_PER_S = 1000000,
    WEEK_DAYS = 7,
    WEEK_S = WEEK_DAYS * CIVIL_DAY_S,
    MONTHS = 12,
    LAST_WEEK = 5,
    /* so many occurrences may lie between an estimate and the truth: zones, short months */
    SLACK = 3,
};

static const char *const weekdays[WEEK_DAYS] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
static const struct {
    const char *name;
    unsigned every_max;
} repeats[] = {
    [SCHEDULE_ONCE] = {"never", 0},
    [SCHEDULE_MINUTES] = {"minutes", 59},
    [SCHEDULE_HOURS] = {"hours", 23},
    [SCHEDULE_DAYS] = {"days", 31},
    [SCHEDULE_WEEKLY] = {"weekly", 4},
    [SCHEDULE_MONTHLY_BY_DATE] = {"monthly-by-date", 12},
    [SCHEDULE_MONTHLY_BY_WEEKDAY] = {"monthly-by-weekday", 12},
};

#define REPEATS "never|minutes|hours|days|weekly|monthly-by-date|monthly-by-weekday"

static unsigned find_weekday(const char *name)
{
    unsigned i = 0;

    while (i < WEEK_DAYS - 1 && strcmp(weekdays[i], name) != 0)
        i++;
    return i;
}

static enum schedule_repeat find_repeat(const char *name)
{
    unsigned i = 0;

    while (strcmp(repeats[i].name, name) != 0)
        i++;
    return (enum schedule_repeat)i;
}

bool schedule_parse_time(const char *text, int64_t *ret_s, bool *ret_is_utc)
{
    size_t n = strlen(text);
    bool is_utc = n > 0 && text[n - 1] == 'Z';

    if (!civil_parse((struct bytes){(const uint8_t *)text, is_utc ? n - 1 : n}, ret_s))
        return false;
    *ret_is_utc = is_utc;
    return true;
}

/* What the kind of repetition needs and the table of fields cannot say. */
static int check_repeat(struct site *site, const json_t *src, const char *name, struct schedule *s)
{
    bool wants_weekday = s->repeat == SCHEDULE_WEEKLY || s->repeat == SCHEDULE_MONTHLY_BY_WEEKDAY;

    if (s->repeat != SCHEDULE_ONCE && s->every > repeats[s->repeat].every_max)
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"%s\": \"every\" is at most %u for \"%s\".",
                      name,
                      repeats[s->repeat].every_max,
                      repeats[s->repeat].name);
    if (wants_weekday && !json_object_get(src, "weekday"))
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"%s\": \"%s\" needs \"weekday\".",
                      name,
                      repeats[s->repeat].name);
    if (s->repeat == SCHEDULE_MONTHLY_BY_DATE && !json_object_get(src, "day"))
        return refuse(site, REFUSAL_INVALID, "\"%s\": \"monthly-by-date\" needs \"day\".", name);
    if (s->repeat == SCHEDULE_MONTHLY_BY_WEEKDAY && s->week == 0)
        return refuse(
            site, REFUSAL_INVALID, "\"%s\": \"monthly-by-weekday\" needs \"week\".", name);
    return 0;
}

int schedule_check(struct site *site, const json_t *src, const char *name)
{
    enum schedule_repeat repeat = find_repeat(field_text(src, "repeat", "never"));
    bool is_by_weekday = repeat == SCHEDULE_MONTHLY_BY_WEEKDAY;
    const struct {
        const char *name;
        bool has;
    } members[] = {
        {"every", repeat != SCHEDULE_ONCE},
        {"weekday", repeat == SCHEDULE_WEEKLY || is_by_weekday},
        {"day", repeat == SCHEDULE_MONTHLY_BY_DATE},
        {"week", is_by_weekday},
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (!members[i].has && json_object_get(src, members[i].name))
            return refuse(
                site,
                REFUSAL_INVALID,
                "\"%s\": what repeats \"%s\" has no \"%s\"; leave it out, or say another \"repeat\".",
                name,
                repeats[repeat].name,
                members[i].name);
    return 0;
}

int schedule_parse(
    struct site *site, const json_t *src, const char *name, bool has_duration, struct schedule *ret)
{
    const struct field fields[] = {
        {"start", FIELD_LINE, true, 1, CIVIL_TEXT_MAX, NULL},
        {"repeat", FIELD_CHOICE, false, 0, 0, REPEATS},
        {"every", FIELD_NUMBER, false, 1, 59, NULL},
        {"weekday", FIELD_CHOICE, false, 0, 0, "sun|mon|tue|wed|thu|fri|sat"},
        {"day", FIELD_NUMBER, false, 0, 31, NULL},
        {"week", FIELD_NUMBER, false, 1, LAST_WEEK, NULL},
        {has_duration ? "duration_min" : NULL,
         FIELD_NUMBER,
         true,
         1,
         SCHEDULE_DURATION_MAX_MIN,
         NULL},
        {0},
    };
    struct schedule s = {0};
    int r;

    if (!json_is_object(src))
        return refuse(site, REFUSAL_INVALID, "\"%s\" must be an object with a \"start\".", name);
    r = fields_check(site, src, fields, false, REFUSAL_INVALID);
    if (r != 0)
        return r;
    if (!schedule_parse_time(field_text(src, "start", ""), &s.start_s, &s.is_utc))
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"%s\": \"%s\" is no time; write \"2026-11-22T22:00:00\" for the site's "
                      "own time or \"2026-11-22T22:00:00Z\" for UTC.",
                      name,
                      field_text(src, "start", ""));
    s.repeat = find_repeat(field_text(src, "repeat", "never"));
    s.every = (unsigned)field_number(src, "every", 1);
    s.weekday = find_weekday(field_text(src, "weekday", "sun"));
    s.day = (unsigned)field_number(src, "day", 0);
    s.week = (unsigned)field_number(src, "week", 0);
    s.duration_min = (unsigned)field_number(src, "duration_min", 0);
    r = check_repeat(site, src, name, &s);
    if (r == 0)
        *ret = s;
    return r;
}

static uint64_t days_of(int64_t wall_s)
{
    return (uint64_t)wall_s / CIVIL_DAY_S;
}

/* The day of the month that a monthly schedule means, in the month @n_months after that of its start. */
static int64_t in_month(const struct schedule *s, uint64_t n_months)
{
    struct civil_date date = civil_of_days(days_of(s->start_s));
    uint64_t month = date.month - 1 + n_months;
    unsigned n_days;

    date.year += (unsigned)(month / MONTHS);
    date.month = (unsigned)(month % MONTHS) + 1;
    date.day = 1;
    n_days = civil_days_in_month(date.year, date.month);
    if (s->repeat == SCHEDULE_MONTHLY_BY_DATE) {
        date.day = s->day == 0 || s->day > n_days ? n_days : s->day;
    } else {
        unsigned first = (s->weekday + WEEK_DAYS - civil_weekday(civil_days(date))) % WEEK_DAYS;

        date.day += first + (s->week - 1) * WEEK_DAYS;
        if (date.day > n_days)
            date.day -= WEEK_DAYS;
    }
    return (int64_t)(civil_days(date) * CIVIL_DAY_S) + s->start_s % CIVIL_DAY_S;
}

/* The @k-th candidate, on the wall; they grow with @k, and the first may lie before the start. */
static int64_t candidate(const struct schedule *s, uint64_t k)
{
    unsigned to_weekday;

    switch (s->repeat) {
    case SCHEDULE_DAYS:
        return s->start_s + (int64_t)(k * s->every) * CIVIL_DAY_S;
    case SCHEDULE_WEEKLY:
        to_weekday = (s->weekday + WEEK_DAYS - civil_weekday(days_of(s->start_s))) % WEEK_DAYS;
        return s->start_s + (int64_t)to_weekday * CIVIL_DAY_S + (int64_t)(k * s->every) * WEEK_S;
    case SCHEDULE_MONTHLY_BY_DATE:
    case SCHEDULE_MONTHLY_BY_WEEKDAY:
        return in_month(s, k * s->every);
    case SCHEDULE_ONCE:
    case SCHEDULE_MINUTES:
    case SCHEDULE_HOURS:
    default:
        return s->start_s;
    }
}

/* The longest that may lie between two candidates, so that an estimate is never too late. */
static uint64_t longest_s(const struct schedule *s)
{
    switch (s->repeat) {
    case SCHEDULE_DAYS:
        return (uint64_t)s->every * CIVIL_DAY_S;
    case SCHEDULE_WEEKLY:
        return (uint64_t)s->every * WEEK_S;
    case SCHEDULE_MONTHLY_BY_DATE:
    case SCHEDULE_MONTHLY_BY_WEEKDAY:
        /* 400 years have 4800 months of 146097 days */
        return (uint64_t)s->every * 146097 * CIVIL_DAY_S / 4800;
    case SCHEDULE_ONCE:
    case SCHEDULE_MINUTES:
    case SCHEDULE_HOURS:
    default:
        return UINT64_MAX;
    }
}

static uint64_t to_utc(const struct schedule *s, const struct zone *zone, int64_t wall_s)
{
    return zone_utc_us(s->is_utc ? NULL : zone, wall_s);
}

/* Of what is counted in elapsed time. */
static uint64_t step_us(const struct schedule *s)
{
    return (uint64_t)s->every * (s->repeat == SCHEDULE_MINUTES ? 60 : 3600) * US_PER_S;
}

static bool is_elapsed(const struct schedule *s)
{
    return s->repeat == SCHEDULE_MINUTES || s->repeat == SCHEDULE_HOURS;
}

/* A candidate that is not after those at or after @at_us, a few before them. */
static uint64_t estimate(const struct schedule *s, const struct zone *zone, uint64_t at_us)
{
    int64_t wall_s = zone_wall_s(s->is_utc ? NULL : zone, at_us);
    uint64_t k;

    if (wall_s <= s->start_s)
        return 0;
    k = (uint64_t)(wall_s - s->start_s) / longest_s(s);
    return k > SLACK ? k - SLACK : 0;
}

uint64_t schedule_next(const struct schedule *schedule, const struct zone *zone, uint64_t after_us)
{
    uint64_t start_us = to_utc(schedule, zone, schedule->start_s);
    uint64_t at_us;

    if (after_us < start_us)
        after_us = start_us;
    if (schedule->repeat == SCHEDULE_ONCE)
        return after_us == start_us ? start_us : SCHEDULE_NEVER;
    if (is_elapsed(schedule)) {
        uint64_t step = step_us(schedule);

        return start_us + (after_us - start_us + step - 1) / step * step;
    }
    for (uint64_t k = estimate(schedule, zone, after_us);; k++) {
        at_us = to_utc(schedule, zone, candidate(schedule, k));
        if (at_us >= after_us)
            return at_us;
    }
}

uint64_t schedule_last(const struct schedule *schedule, const struct zone *zone, uint64_t before_us)
{
    uint64_t start_us = to_utc(schedule, zone, schedule->start_s);
    uint64_t last_us = SCHEDULE_NEVER;

    if (before_us < start_us)
        return SCHEDULE_NEVER;
    if (schedule->repeat == SCHEDULE_ONCE)
        return start_us;
    if (is_elapsed(schedule))
        return start_us + (before_us - start_us) / step_us(schedule) * step_us(schedule);
    for (uint64_t k = estimate(schedule, zone, before_us);; k++) {
        uint64_t at_us = to_utc(schedule, zone, candidate(schedule, k));

        if (at_us > before_us)
            return last_us;
        if (at_us >= start_us)
            last_us = at_us;
    }
}
