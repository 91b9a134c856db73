/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/filter_lex.h"

enum {
    MONTHS = 12,
    DAY_S = 24 * 3600,
    DATE_LEN = 10,  /* 2026-10-01 */
    STAMP_LEN = 20, /* 2026-10-01T12:30:00Z */
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '.';
}

/* Behind the closing quote of the text at @at, or 0: there is none. */
static size_t end_of_text(struct bytes src, size_t at)
{
    for (size_t i = at + 1; i < src.len; i++) {
        if (src.ptr[i] == '\0')
            return 0;
        if (src.ptr[i] != '\'')
            continue;
        if (i + 1 >= src.len || src.ptr[i + 1] != '\'')
            return i + 1;
        i++;
    }
    return 0;
}

static size_t end_of_number(struct bytes src, size_t at, enum filter_lex_kind *ret)
{
    size_t i = at;

    *ret = FILTER_LEX_NUMBER;
    while (i < src.len && (is_word(src.ptr[i]) || src.ptr[i] == '-' || src.ptr[i] == ':')) {
        if (!is_digit(src.ptr[i]))
            *ret = FILTER_LEX_TIME;
        i++;
    }
    return i;
}

static size_t end_of_word(struct bytes src, size_t at)
{
    while (at < src.len && is_word(src.ptr[at]))
        at++;
    return at;
}

static enum filter_lex_kind kind_of(uint8_t c)
{
    switch (c) {
    case '(':
        return FILTER_LEX_OPEN;
    case ')':
        return FILTER_LEX_CLOSE;
    case ',':
        return FILTER_LEX_COMMA;
    case '\'':
        return FILTER_LEX_TEXT;
    default:
        if (is_digit(c))
            return FILTER_LEX_NUMBER;
        return is_word(c) ? FILTER_LEX_WORD : FILTER_LEX_WRONG;
    }
}

struct filter_lex filter_lex_next(struct bytes src, size_t *at)
{
    struct filter_lex lex = {.kind = FILTER_LEX_END};
    size_t begin = *at;
    size_t end;

    while (begin < src.len && is_space(src.ptr[begin]))
        begin++;
    lex.column = begin + 1;
    *at = begin;
    if (begin >= src.len)
        return lex;
    lex.kind = kind_of(src.ptr[begin]);
    end = begin + 1;
    if (lex.kind == FILTER_LEX_TEXT)
        end = end_of_text(src, begin);
    else if (lex.kind == FILTER_LEX_NUMBER)
        end = end_of_number(src, begin, &lex.kind);
    else if (lex.kind == FILTER_LEX_WORD)
        end = end_of_word(src, begin);
    if (end == 0) {
        lex.kind = FILTER_LEX_WRONG;
        end = src.len;
    }
    lex.text = (struct bytes){src.ptr + begin, end - begin};
    *at = end;
    return lex;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar; @year from 1970. */
static uint64_t days_of(uint64_t year, uint64_t month, uint64_t day)
{
    static const unsigned before[MONTHS] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    uint64_t last = year - 1;
    uint64_t leaps = last / 4 - last / 100 + last / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);

    return (year - 1970) * 365 + leaps + before[month - 1] + (is_leap && month > 2) + day - 1;
}

static bool take_digits(struct bytes src, size_t at, size_t n, uint64_t max, uint64_t *ret)
{
    return bytes_parse_u64((struct bytes){src.ptr + at, n}, 0, max, ret);
}

static bool take_date(struct bytes src, uint64_t *ret)
{
    static const unsigned lengths[MONTHS] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t year;
    uint64_t month;
    uint64_t day;

    if (!take_digits(src, 0, 4, 9999, &year) || year < 1970 || src.ptr[4] != '-')
        return false;
    if (!take_digits(src, 5, 2, MONTHS, &month) || month == 0 || src.ptr[7] != '-')
        return false;
    if (!take_digits(src, 8, 2, 31, &day) || day == 0)
        return false;
    if (day > lengths[month - 1] &&
        !(month == 2 && day == 29 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
        return false;
    *ret = days_of(year, month, day) * DAY_S;
    return true;
}

bool filter_parse_time(struct bytes src, uint64_t *ret)
{
    uint64_t hour = 0;
    uint64_t minute = 0;
    uint64_t second = 0;
    uint64_t s;

    if (src.len != DATE_LEN && src.len != STAMP_LEN)
        return false;
    if (!take_date(src, &s))
        return false;
    if (src.len == STAMP_LEN &&
        (src.ptr[10] != 'T' || !take_digits(src, 11, 2, 23, &hour) || src.ptr[13] != ':' ||
         !take_digits(src, 14, 2, 59, &minute) || src.ptr[16] != ':' ||
         !take_digits(src, 17, 2, 59, &second) || src.ptr[19] != 'Z'))
        return false;
    *ret = (s + hour * 3600 + minute * 60 + second) * 1000000;
    return true;
}
