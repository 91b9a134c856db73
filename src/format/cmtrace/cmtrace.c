/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/cmtrace/cmtrace.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/civil.h"

static const char text_start[] = "<![LOG[";
static const char text_end[] = "]LOG]!>";

enum {
    US_PER_MS = 1000,
    MS_PER_DAY = 24 * 60 * 60 * 1000,
    MS_PER_MIN = 60 * 1000,
    BIAS_MAX_MIN = 24 * 60,
};

static bool ends_text(struct bytes rest)
{
    size_t n = sizeof(text_end) - 1;

    return rest.len >= n && memcmp(rest.ptr, text_end, n) == 0;
}

static void put_text(struct buf *dst, struct bytes text)
{
    for (size_t i = 0; i < text.len && i < CMTRACE_TEXT_MAX; i++) {
        uint8_t c = text.ptr[i];

        if ((c < ' ' && c != '\t') || c == 0x7f ||
            ends_text((struct bytes){text.ptr + i, text.len - i}))
            c = '?';
        buf_add(dst, (struct bytes){&c, 1});
    }
}

/* A field's value: what could end it becomes '?'. */
static void put_name(struct buf *dst, const char *name)
{
    for (size_t i = 0; name[i] != '\0' && i < CMTRACE_NAME_MAX - 1; i++) {
        uint8_t c = (uint8_t)name[i];

        if (c < ' ' || c == 0x7f || c == '"' || c == '>')
            c = '?';
        buf_add(dst, (struct bytes){&c, 1});
    }
}

void cmtrace_put(struct buf *dst, const struct cmtrace_line *line, struct bytes text)
{
    int64_t bias_ms = (int64_t)line->bias_min * MS_PER_MIN;
    uint64_t ms = line->wall_us / US_PER_MS;
    bool is_local =
        line->bias_min >= -BIAS_MAX_MIN && line->bias_min <= BIAS_MAX_MIN && (int64_t)ms >= bias_ms;
    int bias_min = is_local ? line->bias_min : 0;

    ms -= (uint64_t)(is_local ? bias_ms : 0);

    struct civil_date d = civil_of_days(ms / MS_PER_DAY);
    uint32_t in_day = (uint32_t)(ms % MS_PER_DAY);

    buf_adds(dst, text_start);
    put_text(dst, text);
    buf_addf(dst,
             "%s<time=\"%02u:%02u:%02u.%03u%c%03d\" date=\"%02u-%02u-%04u\" component=\"",
             text_end,
             in_day / 3600000,
             in_day / 60000 % 60,
             in_day / 1000 % 60,
             in_day % 1000,
             bias_min < 0 ? '-' : '+',
             bias_min < 0 ? -bias_min : bias_min,
             d.month,
             d.day,
             d.year);
    put_name(dst, line->component);
    buf_addf(dst,
             "\" context=\"\" type=\"%u\" thread=\"%" PRIu32 "\" file=\"",
             line->type,
             line->thread);
    put_name(dst, line->file);
    buf_adds(dst, "\">\n");
}

/* Split off what is before @c, and @c. */
static bool take_until(struct bytes *src, char c, struct bytes *ret)
{
    const uint8_t *at = src->len > 0 ? memchr(src->ptr, c, src->len) : NULL;

    if (!at)
        return false;
    *ret = (struct bytes){src->ptr, (size_t)(at - src->ptr)};
    *src = (struct bytes){at + 1, src->len - ret->len - 1};
    return true;
}

static bool take_number(struct bytes *src, char end, uint64_t max, uint64_t *ret)
{
    struct bytes digits;

    return take_until(src, end, &digits) && bytes_parse_u64(digits, 0, max, ret);
}

/* "HH:MM:SS.mmm" with an optional bias in minutes, to milliseconds of the day in UTC, which may be
   negative or more than a day. */
static bool parse_time(struct bytes value, int64_t *ret)
{
    uint64_t hour;
    uint64_t minute;
    uint64_t second;
    uint64_t ms;
    uint64_t bias = 0;
    size_t n = 0;

    if (!take_number(&value, ':', 23, &hour) || !take_number(&value, ':', 59, &minute) ||
        !take_number(&value, '.', 59, &second))
        return false;
    while (n < value.len && value.ptr[n] >= '0' && value.ptr[n] <= '9')
        n++;
    if (n != 3 || !bytes_parse_u64((struct bytes){value.ptr, n}, 0, 999, &ms))
        return false;
    if (n < value.len &&
        ((value.ptr[n] != '+' && value.ptr[n] != '-') ||
         !bytes_parse_u64((struct bytes){value.ptr + n + 1, value.len - n - 1}, 0, 1440, &bias)))
        return false;

    int64_t bias_ms = (int64_t)bias * 60000;

    if (n < value.len && value.ptr[n] == '-')
        bias_ms = -bias_ms;
    *ret = (int64_t)(((hour * 60 + minute) * 60 + second) * 1000 + ms) + bias_ms;
    return true;
}

/* "MM-DD-YYYY" */
static bool parse_date(struct bytes value, uint64_t *ret_days)
{
    uint64_t month;
    uint64_t day;
    uint64_t year;

    if (!take_number(&value, '-', 12, &month) || !take_number(&value, '-', 31, &day) ||
        !bytes_parse_u64(value, CIVIL_YEAR_MIN, CIVIL_YEAR_MAX, &year) || month == 0 || day == 0)
        return false;
    *ret_days = civil_days((struct civil_date){(unsigned)year, (unsigned)month, (unsigned)day});
    return true;
}

static void copy_name(char *dst, struct bytes value)
{
    size_t n = value.len < CMTRACE_NAME_MAX - 1 ? value.len : CMTRACE_NAME_MAX - 1;

    if (n > 0)
        memcpy(dst, value.ptr, n);
    dst[n] = '\0';
}

struct fields {
    int64_t ms;
    uint64_t days;
    bool has_time;
    bool has_date;
};

static bool
parse_field(struct bytes name, struct bytes value, struct fields *f, struct cmtrace_parsed *ret)
{
    uint64_t n;

    if (bytes_eq(name, bytes_of("time")))
        return f->has_time = parse_time(value, &f->ms);
    if (bytes_eq(name, bytes_of("date")))
        return f->has_date = parse_date(value, &f->days);
    if (bytes_eq(name, bytes_of("type"))) {
        if (!bytes_parse_u64(value, 0, CMTRACE_ERROR, &n))
            return false;
        ret->type = n == 0 ? CMTRACE_INFORMATION : (enum cmtrace_type)n;
    } else if (bytes_eq(name, bytes_of("thread"))) {
        if (!bytes_parse_u64(value, 0, UINT32_MAX, &n))
            return false;
        ret->thread = (uint32_t)n;
    } else if (bytes_eq(name, bytes_of("component"))) {
        copy_name(ret->component, value);
    } else if (bytes_eq(name, bytes_of("file"))) {
        copy_name(ret->file, value);
    }
    return true;
}

static bool take_literal(struct bytes *src, const char *literal)
{
    size_t n = strlen(literal);

    if (src->len < n || memcmp(src->ptr, literal, n) != 0)
        return false;
    *src = (struct bytes){src->ptr + n, src->len - n};
    return true;
}

static bool take_text(struct bytes *src, struct bytes *ret)
{
    for (size_t i = 0; i < src->len; i++) {
        if (!ends_text((struct bytes){src->ptr + i, src->len - i}))
            continue;
        *ret = (struct bytes){src->ptr, i};
        *src = (struct bytes){src->ptr + i, src->len - i};
        return take_literal(src, text_end);
    }
    return false;
}

bool cmtrace_take(struct bytes *src, struct cmtrace_parsed *ret, struct bytes *ret_text)
{
    struct bytes rest = *src;
    struct bytes text;
    struct bytes name;
    struct bytes value;
    struct cmtrace_parsed line = {.type = CMTRACE_INFORMATION};
    struct fields f = {0};

    if (!take_literal(&rest, text_start) || !take_text(&rest, &text) || !take_literal(&rest, "<"))
        return false;
    while (!take_literal(&rest, ">")) {
        (void)take_literal(&rest, " ");
        if (!take_until(&rest, '=', &name) || !take_literal(&rest, "\"") ||
            !take_until(&rest, '"', &value) || !parse_field(name, value, &f, &line))
            return false;
    }
    if (!f.has_time || !f.has_date)
        return false;

    int64_t ms = (int64_t)(f.days * MS_PER_DAY) + f.ms; /* the bias may lead out of the range */

    if (ms < 0 || civil_of_days((uint64_t)ms / MS_PER_DAY).year > CIVIL_YEAR_MAX)
        return false;
    (void)take_literal(&rest, "\r");
    (void)take_literal(&rest, "\n");
    line.wall_us = (uint64_t)ms * US_PER_MS;
    *ret = line;
    *ret_text = text;
    *src = rest;
    return true;
}
