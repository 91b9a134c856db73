/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/dp_schedule.h"

#include <string.h>
#include <time.h>

#include "site/fields.h"
#include "site/site.h"

enum {
    HOURS_A_DAY = 24,
    DAYS_A_WEEK = 7,
};

#define RATE_MAX_BYTES_PER_S (UINT64_C(1) << 40)

static const char *const days[DAYS_A_WEEK] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static int check_days(struct site *site, const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        bool is_known = false;

        for (size_t day = 0; day < DAYS_A_WEEK; day++)
            is_known = is_known || (text && strcmp(text, days[day]) == 0);
        if (!is_known)
            return refuse(site,
                          REFUSAL_INVALID,
                          "\"%s\": a day is one of sun, mon, tue, wed, thu, fri and sat.",
                          name);
    }
    return 0;
}

int dp_schedule_check(struct site *site,
                      const json_t *rules,
                      const char *name,
                      enum dp_schedule_kind kind)
{
    static const struct field extra[] = {
        [DP_SCHEDULE_ALLOW] =
            {"allow", FIELD_CHOICE, true, 0, 0, "open|medium-and-high|high-only|closed"},
        [DP_SCHEDULE_RATE] = {"bytes_per_s", FIELD_NUMBER, true, 0, RATE_MAX_BYTES_PER_S, NULL},
        [DP_SCHEDULE_VALIDATION] = {0},
    };
    struct field fields[] = {
        {"days", FIELD_ARRAY, false, 0, DAYS_A_WEEK, NULL},
        {"from_hour", FIELD_NUMBER, true, 0, HOURS_A_DAY, NULL},
        {"to_hour", FIELD_NUMBER, true, 0, HOURS_A_DAY, NULL},
        extra[kind],
        {0},
    };
    int r = 0;

    if (!json_is_array(rules) || json_array_size(rules) > DP_SCHEDULE_RULES_MAX)
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"%s\" must be a list of at most %d rules.",
                      name,
                      DP_SCHEDULE_RULES_MAX);
    for (size_t i = 0; r == 0 && i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);

        if (!json_is_object(rule))
            return refuse(site, REFUSAL_INVALID, "\"%s\": a rule must be an object.", name);
        r = fields_check(site, rule, fields, false, REFUSAL_INVALID);
        if (r == 0)
            r = check_days(site, json_object_get(rule, "days"), name);
    }
    return r;
}

unsigned dp_schedule_hour_of_week(uint64_t wall_us)
{
    time_t at = (time_t)(wall_us / 1000000);
    struct tm tm = {0};

    if (!localtime_r(&at, &tm))
        return 0;
    return (unsigned)(tm.tm_wday * HOURS_A_DAY + tm.tm_hour);
}

static bool has_day(const json_t *list, unsigned day)
{
    if (json_array_size(list) == 0)
        return true;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), days[day % DAYS_A_WEEK]) == 0)
            return true;
    return false;
}

static bool fits(const json_t *rule, unsigned hour_of_week)
{
    const json_t *list = json_object_get(rule, "days");
    uint64_t from = field_number(rule, "from_hour", 0);
    uint64_t to = field_number(rule, "to_hour", 0);
    unsigned day = hour_of_week / HOURS_A_DAY;
    unsigned hour = hour_of_week % HOURS_A_DAY;

    if (from == to)
        return has_day(list, day);
    if (from < to)
        return hour >= from && hour < to && has_day(list, day);
    /* over midnight: the morning is of the night that began the day before */
    return (hour >= from && has_day(list, day)) ||
           (hour < to && has_day(list, day + DAYS_A_WEEK - 1));
}

static const json_t *last_that_fits(const json_t *rules, unsigned hour)
{
    for (size_t i = json_array_size(rules); i > 0; i--)
        if (fits(json_array_get(rules, i - 1), hour))
            return json_array_get(rules, i - 1);
    return NULL;
}

unsigned dp_schedule_ranks(const json_t *rules, unsigned hour)
{
    static const char *const words[] = {"closed", "high-only", "medium-and-high", "open"};
    const char *allow = field_text(last_that_fits(rules, hour), "allow", "open");

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(allow, words[i]) == 0)
            return i;
    return DP_SCHEDULE_OPEN;
}

uint64_t dp_schedule_rate(const json_t *rules, unsigned hour)
{
    return field_number(last_that_fits(rules, hour), "bytes_per_s", 0);
}

bool dp_schedule_fits(const json_t *rules, unsigned hour)
{
    return last_that_fits(rules, hour) != NULL;
}
