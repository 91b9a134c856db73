/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Dates of the Gregorian calendar, and a clock on the wall: seconds that some place counts since 1970-01-01T00:00:00
 * there. Such seconds are no moment before a time zone is named.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    CIVIL_YEAR_MIN = 1970,
    CIVIL_YEAR_MAX = 9999,
    CIVIL_DAY_S = 24 * 60 * 60,
    CIVIL_TEXT_MAX = 20, /* "2026-11-21T09:30:05" and the NUL */
};

struct civil_date {
    unsigned year;
    unsigned month; /* 1..12 */
    unsigned day;   /* 1..31 */
};

/* Days since 1970-01-01. @date: of CIVIL_YEAR_MIN or later; a month of 1 to 12. */
uint64_t civil_days(struct civil_date date);
struct civil_date civil_of_days(uint64_t days);

/* 28 to 31. */
unsigned civil_days_in_month(unsigned year, unsigned month);

/* 0 is Sunday. */
unsigned civil_weekday(uint64_t days);

/**
 * civil_parse() - "2026-11-21T09:30:05", also without the seconds, or a date alone, which is its midnight
 * @ret: seconds of the clock on the wall; untouched unless true is returned
 *
 * Return: whether @src is such a text, and the day and the time exist.
 */
bool civil_parse(struct bytes src, int64_t *ret);

/* @wall_s: of a year that has four digits. */
void civil_put(char dst[static CIVIL_TEXT_MAX], int64_t wall_s);
