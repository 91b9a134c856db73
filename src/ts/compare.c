/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/compare.h"

#include <stddef.h>
#include <string.h>

#include "base/bytes.h"

enum {
    VERSION_PARTS_MAX = 8,
    YEAR_MIN = 1601, /* as far back as the times of files go */
    YEAR_MAX = 9999,
    OFFSET_MAX_MIN = 24 * 60,
};

#define US_PER_S  INT64_C(1000000)
#define S_PER_DAY INT64_C(86400)

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;

    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

int ts_compare_text(const char *a, const char *b)
{
    for (; *a && lower(*a) == lower(*b); a++)
        b++;

    unsigned char x = lower(*a);
    unsigned char y = lower(*b);

    return (x > y) - (x < y);
}

bool ts_parse_integer(const char *text, int64_t *ret)
{
    bool is_negative = text[0] == '-';
    uint64_t n;

    if (!bytes_parse_u64(bytes_of(text + (is_negative ? 1 : 0)), 0, INT64_MAX, &n))
        return false;
    *ret = is_negative ? -(int64_t)n : (int64_t)n;
    return true;
}

int ts_compare_ordered(const char *a, const char *b)
{
    int64_t x;
    int64_t y;

    if (ts_parse_integer(a, &x) && ts_parse_integer(b, &y))
        return (x > y) - (x < y);
    return ts_compare_text(a, b);
}

static bool parse_version(const char *text, uint64_t parts[static VERSION_PARTS_MAX])
{
    memset(parts, 0, VERSION_PARTS_MAX * sizeof(parts[0]));
    for (size_t i = 0; i < VERSION_PARTS_MAX; i++) {
        size_t len = strcspn(text, ".");

        if (!bytes_parse_u64((struct bytes){(const uint8_t *)text, len}, 0, UINT32_MAX, &parts[i]))
            return false;
        text += len;
        if (*text == '\0')
            return true;
        text++;
    }
    return false;
}

bool ts_compare_versions(const char *a, const char *b, int *ret)
{
    uint64_t x[VERSION_PARTS_MAX];
    uint64_t y[VERSION_PARTS_MAX];

    if (!parse_version(a, x) || !parse_version(b, y))
        return false;
    *ret = 0;
    for (size_t i = 0; i < VERSION_PARTS_MAX && *ret == 0; i++)
        *ret = (x[i] > y[i]) - (x[i] < y[i]);
    return true;
}

bool ts_is_package_version(const char *package, const char *version)
{
    size_t epoch = strspn(package, "0123456789");
    const char *upstream = package[epoch] == ':' ? package + epoch + 1 : package;
    const char *revision = strrchr(upstream, '-');
    size_t len = revision ? (size_t)(revision - upstream) : strlen(upstream);

    return strcmp(package, version) == 0 || strcmp(upstream, version) == 0 ||
           (strlen(version) == len && strncmp(upstream, version, len) == 0);
}

bool ts_is_like(const char *text, const char *pattern)
{
    const char *star = NULL;
    const char *retry = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern && (*pattern == '?' || lower(*pattern) == lower(*text))) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* Bytes of the UTF-8 character at @text, at least 1 and never over its end. */
static size_t character(const char *text)
{
    size_t n = 1;

    while (((unsigned char)text[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* The set behind '[' at @set, and the character at @text. @ret_end is behind ']', or NULL if there is none. */
static bool is_in_set(const char *set, const char *text, const char **ret_end)
{
    bool is_inverted = *set == '^' || *set == '!';
    bool is_found = false;
    unsigned char c = lower(*text);
    const char *p = set + (is_inverted ? 1 : 0);

    *ret_end = NULL;
    for (const char *first = p; *p && (*p != ']' || p == first); p++) {
        if (p[1] == '-' && p[2] != '\0' && p[2] != ']') {
            is_found |= c >= lower(p[0]) && c <= lower(p[2]);
            p += 2;
        } else {
            is_found |= c == lower(*p);
        }
    }
    if (*p != ']')
        return false;
    *ret_end = p + 1;
    return is_found != is_inverted;
}

/* Whether one element of the pattern takes one character; how much of both it was. */
static bool matches_one(const char **pattern, const char **text)
{
    const char *end = NULL;

    if (**pattern == '_') {
        *text += character(*text);
        (*pattern)++;
        return true;
    }
    if (**pattern == '[') {
        bool is_in = is_in_set(*pattern + 1, *text, &end);

        if (end) {
            *pattern = end;
            *text += character(*text);
            return is_in;
        }
    }
    if (lower(**pattern) != lower(**text))
        return false;
    (*pattern)++;
    (*text)++;
    return true;
}

bool ts_is_like_wql(const char *text, const char *pattern)
{
    const char *star = NULL;
    const char *retry = NULL;

    while (*text) {
        const char *p = pattern;
        const char *t = text;

        if (*pattern == '%') {
            star = pattern++;
            retry = text;
        } else if (*pattern && matches_one(&p, &t)) {
            pattern = p;
            text = t;
        } else if (star) {
            pattern = star + 1;
            retry += character(retry);
            text = retry;
        } else {
            return false;
        }
    }
    while (*pattern == '%')
        pattern++;
    return *pattern == '\0';
}

/* Days from 1970-01-01, in the Gregorian calendar. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = (month + 9) % 12; /* March is 0: the leap day is the last of its year */

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool is_date(int64_t year, int64_t month, int64_t day)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return year >= YEAR_MIN && year <= YEAR_MAX && month >= 1 && month <= 12 && day >= 1 &&
           day <= lengths[month - 1];
}

/* Exactly @n digits at *@text, which moves behind them. */
static bool take_digits(const char **text, size_t n, int64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < n; i++) {
        char c = (*text)[i];

        if (c < '0' || c > '9')
            return false;
        *ret = *ret * 10 + (c - '0');
    }
    *text += n;
    return true;
}

static bool take_char(const char **text, const char *any)
{
    if (**text == '\0' || !strchr(any, **text))
        return false;
    (*text)++;
    return true;
}

struct clock_time {
    int64_t hour, minute, second, us, offset_min;
};

/* "030405.000000+060" */
static bool take_cim_time(const char **text, struct clock_time *ret)
{
    bool is_east = true;

    if (!take_digits(text, 2, &ret->hour) || !take_digits(text, 2, &ret->minute) ||
        !take_digits(text, 2, &ret->second))
        return false;
    if (!take_char(text, "."))
        return **text == '\0';
    if (!take_digits(text, 6, &ret->us))
        return false;
    if (**text == '\0')
        return true;
    is_east = **text == '+';
    if (!take_char(text, "+-") || !take_digits(text, 3, &ret->offset_min) ||
        ret->offset_min > OFFSET_MAX_MIN)
        return false;
    ret->offset_min = is_east ? ret->offset_min : -ret->offset_min;
    return true;
}

/* "03:04" or "03:04:05", and perhaps "Z" */
static bool take_plain_time(const char **text, struct clock_time *ret)
{
    if (!take_digits(text, 2, &ret->hour) || !take_char(text, ":") ||
        !take_digits(text, 2, &ret->minute))
        return false;
    if (take_char(text, ":") && !take_digits(text, 2, &ret->second))
        return false;
    (void)take_char(text, "Zz");
    return true;
}

static bool take_day(const char **text, int64_t *year, int64_t *month, int64_t *day)
{
    const char *start = *text;

    if (take_digits(text, 2, month) && take_char(text, "/"))
        return take_digits(text, 2, day) && take_char(text, "/") && take_digits(text, 4, year);
    *text = start;
    if (!take_digits(text, 4, year))
        return false;
    if (take_char(text, "-"))
        return take_digits(text, 2, month) && take_char(text, "-") && take_digits(text, 2, day);
    return take_digits(text, 2, month) && take_digits(text, 2, day);
}

bool ts_parse_date(const char *text, int64_t *ret_us)
{
    struct clock_time t = {0};
    int64_t year;
    int64_t month;
    int64_t day;

    if (!take_day(&text, &year, &month, &day) || !is_date(year, month, day))
        return false;
    if (*text >= '0' && *text <= '9') {
        if (!take_cim_time(&text, &t))
            return false;
    } else if (take_char(&text, "T ")) {
        if (!take_plain_time(&text, &t))
            return false;
    }
    if (*text != '\0' || t.hour > 23 || t.minute > 59 || t.second > 60)
        return false;
    *ret_us = ((days_since_1970(year, month, day) * S_PER_DAY + t.hour * 3600 + t.minute * 60 +
                t.second - t.offset_min * 60) *
               US_PER_S) +
              t.us;
    return true;
}
