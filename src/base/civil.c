/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/civil.h"

#include <stddef.h>
#include <stdio.h>

enum {
    DAYS_PER_ERA = 146097,     /* 400 years */
    DAYS_BEFORE_1970 = 719468, /* since 0000-03-01 */
    MARCH_FIRST_MONTH = 3,
    THURSDAY = 4,
    DAYS_PER_WEEK = 7,
};

/* Years are counted from March, so that the leap day is the last of its year. */
struct civil_date civil_of_days(uint64_t days)
{
    uint64_t shifted = days + DAYS_BEFORE_1970;
    uint64_t era = shifted / DAYS_PER_ERA;
    uint32_t day_of_era = (uint32_t)(shifted % DAYS_PER_ERA);
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t m = (5 * day_of_year + 2) / 153; /* 0 is March */
    struct civil_date d;

    d.day = day_of_year - (153 * m + 2) / 5 + 1;
    d.month = m < 10 ? m + MARCH_FIRST_MONTH : m - 9;
    d.year = (uint32_t)(era * 400) + year_of_era + (d.month < MARCH_FIRST_MONTH ? 1 : 0);
    return d;
}

uint64_t civil_days(struct civil_date date)
{
    uint32_t year = date.month < MARCH_FIRST_MONTH ? date.year - 1 : date.year;
    uint32_t m = date.month < MARCH_FIRST_MONTH ? date.month + 9 : date.month - MARCH_FIRST_MONTH;
    uint64_t era = year / 400;
    uint32_t year_of_era = year % 400;
    uint32_t day_of_year = (153 * m + 2) / 5 + date.day - 1;
    uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970;
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

unsigned civil_days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

unsigned civil_weekday(uint64_t days)
{
    return (unsigned)((days + THURSDAY) % DAYS_PER_WEEK);
}

/* @n digits and what follows them, which is @end, or with '\0' the end of the text. */
static bool take(struct bytes *src, size_t n, char end, uint64_t min, uint64_t max, unsigned *ret)
{
    struct bytes digits;
    uint64_t number;
    uint8_t c;

    if (!bytes_take(src, n, &digits) || !bytes_parse_u64(digits, min, max, &number))
        return false;
    *ret = (unsigned)number;
    return end == '\0' || (bytes_take_u8(src, &c) && c == (uint8_t)end);
}

static bool take_date(struct bytes *src, struct civil_date *ret)
{
    return take(src, 4, '-', CIVIL_YEAR_MIN, CIVIL_YEAR_MAX, &ret->year) &&
           take(src, 2, '-', 1, 12, &ret->month) &&
           take(src, 2, '\0', 1, civil_days_in_month(ret->year, ret->month), &ret->day);
}

static bool take_time(struct bytes *src, unsigned *ret_s)
{
    unsigned hour;
    unsigned minute;
    unsigned second = 0;
    uint8_t c;

    if (!bytes_take_u8(src, &c) || c != 'T' || !take(src, 2, ':', 0, 23, &hour) ||
        !take(src, 2, '\0', 0, 59, &minute))
        return false;
    if (src->len > 0 &&
        (!bytes_take_u8(src, &c) || c != ':' || !take(src, 2, '\0', 0, 59, &second)))
        return false;
    *ret_s = hour * 3600 + minute * 60 + second;
    return src->len == 0;
}

bool civil_parse(struct bytes src, int64_t *ret)
{
    struct civil_date date;
    unsigned in_day = 0;

    if (!take_date(&src, &date) || (src.len > 0 && !take_time(&src, &in_day)))
        return false;
    *ret = (int64_t)(civil_days(date) * CIVIL_DAY_S + in_day);
    return true;
}

void civil_put(char dst[static CIVIL_TEXT_MAX], int64_t wall_s)
{
    uint64_t seconds = wall_s > 0 ? (uint64_t)wall_s : 0;
    struct civil_date d = civil_of_days(seconds / CIVIL_DAY_S);
    unsigned in_day = (unsigned)(seconds % CIVIL_DAY_S);

    (void)snprintf(dst,
                   CIVIL_TEXT_MAX,
                   "%04u-%02u-%02uT%02u:%02u:%02u",
                   d.year % (CIVIL_YEAR_MAX + 1),
                   d.month % 100,
                   d.day % 100,
                   in_day / 3600 % 24,
                   in_day / 60 % 60,
                   in_day % 60);
}
