/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/own.h"

enum {
    TEXT_MAX_BYTES = 64,
};

static void parse_reads_utc_times_only(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_time;
        uint64_t us;
    } cases[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"2000-02-29T23:59:59Z", true, 951868799000000},
        {"2026-11-21T09:30:05Z", true, 1795253405000000},
        {"2026-11-21T09:30:05.123456Z", true, 1795253405000000},
        {"2026-11-21T09:30:05", false, 0},
        {"2026-11-21T09:30:05+01:00", false, 0},
        {"2026-11-21 09:30:05Z", false, 0},
        {"2026-13-21T09:30:05Z", false, 0},
        {"2026-11-21T24:30:05Z", false, 0},
        {"2026-11-21T09:30:05.Z", false, 0},
        {"2026-11-21T09:30:0Z", false, 0},
        {"1969-12-31T23:59:59Z", false, 0},
        {"", false, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t us = 42;

        assert_int_equal(when_parse(bytes_of(cases[i].text), &us), cases[i].is_time);
        assert_int_equal(us, cases[i].is_time ? cases[i].us : 42);
    }
}

static void put_span_shows_two_units_at_most(void **state)
{
    (void)state;
    static const struct {
        uint64_t s;
        const char *text;
    } cases[] = {
        {0, "0 s"},
        {59, "59 s"},
        {60, "1 m 00 s"},
        {3599, "59 m 59 s"},
        {3600, "1 h 00 m"},
        {90000, "25 h 00 m"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

        when_put_span(&text, cases[i].s * 1000000 + 999999);
        assert_string_equal(buf_str(&text), cases[i].text);
    }
}

static void put_bytes_keeps_one_decimal(void **state)
{
    (void)state;
    static const struct {
        uint64_t n;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {999, "999 B"},
        {1000, "1.0 kB"},
        {999999, "999.9 kB"},
        {1000000, "1.0 MB"},
        {304087040, "304.0 MB"},
        {4294967296, "4.2 GB"},
        {UINT64_MAX, "18.4 EB"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

        when_put_bytes(&text, cases[i].n);
        assert_string_equal(buf_str(&text), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_utc_times_only),
        cmocka_unit_test(put_span_shows_two_units_at_most),
        cmocka_unit_test(put_bytes_keeps_one_decimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
