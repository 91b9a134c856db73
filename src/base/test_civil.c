/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/civil.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_day_of_a_thousand_years_is_itself_again(void **state)
{
    struct civil_date last = {1969, 12, 31};

    (void)state;
    for (uint64_t days = 0; days < 365243; days++) {
        struct civil_date d = civil_of_days(days);

        assert_int_equal(civil_days(d), days);
        if (d.day == 1)
            assert_int_equal(last.day,
                             last.year < 1970 ? 31 : civil_days_in_month(last.year, last.month));
        else
            assert_int_equal(d.day, last.day + 1);
        last = d;
    }
    assert_int_equal(last.year, 2969);
}

static void weekdays_are_those_of_the_calendar(void **state)
{
    (void)state;
    assert_int_equal(civil_weekday(0), 4);                                            /* Thursday */
    assert_int_equal(civil_weekday(civil_days((struct civil_date){2000, 2, 29})), 2); /* Tuesday */
    assert_int_equal(civil_weekday(civil_days((struct civil_date){2026, 11, 22})), 0); /* Sunday */
}

static void a_time_on_the_wall_is_read_with_or_without_its_smaller_parts(void **state)
{
    int64_t s = 0;

    (void)state;
    assert_true(civil_parse(bytes_of("2026-11-22T09:30:05"), &s));
    assert_int_equal(s, INT64_C(1795339805));
    assert_true(civil_parse(bytes_of("2026-11-22T09:30"), &s));
    assert_int_equal(s, INT64_C(1795339800));
    assert_true(civil_parse(bytes_of("2026-11-22"), &s));
    assert_int_equal(s, INT64_C(1795305600));
}

static void days_and_times_that_do_not_exist_are_not_read(void **state)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-13-01",
        "2026-00-10",
        "2026-02-29",
        "2026-04-31",
        "2026-04-00",
        "1969-12-31",
        "2026-11-22T24:00",
        "2026-11-22T10:60",
        "2026-11-22T10:00:60",
        "2026-11-22T10",
        "2026-11-22T10:00:00Z",
        "2026-11-22 10:00",
        "2026-11-22T10:00:",
        "2026-1-22",
    };
    int64_t s = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(civil_parse(bytes_of(texts[i]), &s));
    assert_int_equal(s, 7);
}

static void what_is_written_is_read_again(void **state)
{
    char text[CIVIL_TEXT_MAX];
    int64_t s = 0;

    (void)state;
    for (int64_t at = 0; at < INT64_C(100000000000); at += INT64_C(86399) * 997) {
        civil_put(text, at);
        assert_true(civil_parse(bytes_of(text), &s));
        assert_int_equal(s, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_a_thousand_years_is_itself_again),
        cmocka_unit_test(weekdays_are_those_of_the_calendar),
        cmocka_unit_test(a_time_on_the_wall_is_read_with_or_without_its_smaller_parts),
        cmocka_unit_test(days_and_times_that_do_not_exist_are_not_read),
        cmocka_unit_test(what_is_written_is_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
