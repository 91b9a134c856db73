/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/when.h"

#include <inttypes.h>
#include <stddef.h>
#include <time.h>

enum {
    US_PER_S = 1000000,
};

/* The fields of RFC 3339 with fixed places, and the byte behind each. */
static const struct field {
    uint8_t n_digits;
    char end; /* NUL: anything */
    uint64_t min;
    uint64_t max;
} fields[] = {
    {4, '-', 1970, 9999},
    {2, '-', 1, 12},
    {2, 'T', 1, 31},
    {2, ':', 0, 23},
    {2, ':', 0, 59},
    {2, '\0', 0, 60},
};

enum {
    FIELDS_COUNT = sizeof(fields) / sizeof(fields[0]),
};

static bool take_fields(struct bytes *src, uint64_t values[static FIELDS_COUNT])
{
    for (size_t i = 0; i < FIELDS_COUNT; i++) {
        const struct field *field = &fields[i];
        struct bytes digits;
        uint8_t end;

        if (!bytes_take(src, field->n_digits, &digits))
            return false;
        if (!bytes_parse_u64(digits, field->min, field->max, &values[i]))
            return false;
        if (field->end && (!bytes_take_u8(src, &end) || end != (uint8_t)field->end))
            return false;
    }
    return true;
}

/* "Z" or ".123Z" */
static bool is_utc_end(struct bytes src)
{
    uint64_t fraction;

    if (src.len == 0 || src.ptr[src.len - 1] != 'Z')
        return false;
    src.len--;
    if (src.len == 0)
        return true;
    return src.ptr[0] == '.' &&
           bytes_parse_u64((struct bytes){src.ptr + 1, src.len - 1}, 0, 999999999, &fraction);
}

bool when_parse(struct bytes src, uint64_t *ret)
{
    uint64_t v[FIELDS_COUNT];
    struct tm tm = {0};
    time_t seconds;

    if (!take_fields(&src, v) || !is_utc_end(src))
        return false;
    tm.tm_year = (int)v[0] - 1900;
    tm.tm_mon = (int)v[1] - 1;
    tm.tm_mday = (int)v[2];
    tm.tm_hour = (int)v[3];
    tm.tm_min = (int)v[4];
    tm.tm_sec = (int)v[5];
    seconds = timegm(&tm);
    if (seconds < 0)
        return false;
    *ret = (uint64_t)seconds * US_PER_S;
    return true;
}

void when_put_span(struct buf *dst, uint64_t us)
{
    uint64_t s = us / US_PER_S;

    if (s < 60)
        buf_addf(dst, "%" PRIu64 " s", s);
    else if (s < 3600)
        buf_addf(dst, "%" PRIu64 " m %02" PRIu64 " s", s / 60, s % 60);
    else
        buf_addf(dst, "%" PRIu64 " h %02" PRIu64 " m", s / 3600, s / 60 % 60);
}

void when_put_bytes(struct buf *dst, uint64_t n)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    uint64_t tenths = n;
    size_t unit = 0;

    if (n < 1000) {
        buf_addf(dst, "%" PRIu64 " B", n);
        return;
    }
    /* Tenths of the unit, rounded down; 999.9 of one unit is the most that is shown. */
    for (tenths = n / 100; tenths >= 10000 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        tenths /= 1000;
    buf_addf(dst, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[unit]);
}
