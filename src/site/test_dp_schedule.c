/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/dp_schedule.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <time.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/fixture.h"

enum {
    SUNDAY = 0,
    MONDAY = 24,
    SATURDAY = 6 * 24,
};

static void without_a_rule_everything_is_open_and_without_a_limit(void **state)
{
    (void)state;
    OWN(json_freep) json_t *rules = json_array();

    assert_int_equal(dp_schedule_ranks(rules, MONDAY), DP_SCHEDULE_OPEN);
    assert_int_equal(dp_schedule_rate(rules, MONDAY), 0);
    assert_false(dp_schedule_fits(rules, MONDAY));
}

static void a_rule_holds_from_its_first_hour_to_before_its_last(void **state)
{
    (void)state;
    OWN(json_freep)
    json_t *rules =
        fixture_json("[{'days': ['mon'], 'from_hour': 8, 'to_hour': 18, 'allow': 'high-only'}]");

    assert_int_equal(dp_schedule_ranks(rules, MONDAY + 7), 3);
    assert_int_equal(dp_schedule_ranks(rules, MONDAY + 8), 1);
    assert_int_equal(dp_schedule_ranks(rules, MONDAY + 17), 1);
    assert_int_equal(dp_schedule_ranks(rules, MONDAY + 18), 3);
    assert_int_equal(dp_schedule_ranks(rules, SUNDAY + 8), 3);
}

static void each_word_lets_its_priorities_pass(void **state)
{
    (void)state;
    static const struct {
        const char *allow;
        unsigned ranks;
    } cases[] = {{"closed", 0}, {"high-only", 1}, {"medium-and-high", 2}, {"open", 3}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(json_freep)
        json_t *rules =
            json_pack("[{s:i,s:i,s:s}]", "from_hour", 0, "to_hour", 24, "allow", cases[i].allow);

        assert_int_equal(dp_schedule_ranks(rules, SATURDAY + 23), cases[i].ranks);
    }
}

static void a_night_belongs_to_the_day_it_begins_on(void **state)
{
    (void)state;
    OWN(json_freep)
    json_t *rules =
        fixture_json("[{'days': ['sat'], 'from_hour': 22, 'to_hour': 6, 'bytes_per_s': 5}]");

    assert_int_equal(dp_schedule_rate(rules, SATURDAY + 21), 0);
    assert_int_equal(dp_schedule_rate(rules, SATURDAY + 22), 5);
    assert_int_equal(dp_schedule_rate(rules, SUNDAY + 5), 5);
    assert_int_equal(dp_schedule_rate(rules, SUNDAY + 6), 0);
    assert_int_equal(dp_schedule_rate(rules, SATURDAY + 5), 0);
    assert_int_equal(dp_schedule_rate(rules, MONDAY + 5), 0);
}

static void equal_hours_are_the_whole_day(void **state)
{
    (void)state;
    OWN(json_freep)
    json_t *rules = fixture_json("[{'days': ['mon'], 'from_hour': 3, 'to_hour': 3}]");

    assert_true(dp_schedule_fits(rules, MONDAY));
    assert_true(dp_schedule_fits(rules, MONDAY + 23));
    assert_false(dp_schedule_fits(rules, MONDAY + 24));
}

static void the_last_rule_that_fits_counts(void **state)
{
    (void)state;
    OWN(json_freep)
    json_t *rules =
        fixture_json("[{'from_hour': 0, 'to_hour': 24, 'bytes_per_s': 9},"
                     "{'days': ['mon'], 'from_hour': 8, 'to_hour': 9, 'bytes_per_s': 1}]");

    assert_int_equal(dp_schedule_rate(rules, MONDAY + 8), 1);
    assert_int_equal(dp_schedule_rate(rules, MONDAY + 9), 9);
}

/* Of the server's time zone, whichever it is; a week without a change of clocks. */
static void the_week_begins_on_sunday_at_midnight(void **state)
{
    (void)state;
    const uint64_t hour_us = UINT64_C(3600) * 1000000;
    const uint64_t start_us = UINT64_C(1000000) * 1800000000; /* in January 2027 */
    const unsigned first = dp_schedule_hour_of_week(start_us);
    time_t at = 1800000000;
    struct tm tm = {0};

    assert_non_null(localtime_r(&at, &tm));
    assert_int_equal(first, tm.tm_wday * 24 + tm.tm_hour);
    for (unsigned i = 0; i < 2 * 168; i++)
        assert_int_equal(dp_schedule_hour_of_week(start_us + i * hour_us), (first + i) % 168);
}

static void check_refuses_what_is_no_rule(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    static const char *const bad[] = {
        "{}",
        "[1]",
        "[{'to_hour': 3, 'allow': 'open'}]",
        "[{'from_hour': 25, 'to_hour': 3, 'allow': 'open'}]",
        "[{'from_hour': 1, 'to_hour': 3}]",
        "[{'from_hour': 1, 'to_hour': 3, 'allow': 'often'}]",
        "[{'from_hour': 1, 'to_hour': 3, 'allow': 'open', 'days': ['monday']}]",
        "[{'from_hour': 1, 'to_hour': 3, 'allow': 'open', 'days': [1]}]",
        "[{'from_hour': 1, 'to_hour': 3, 'allow': 'open', 'x': 1}]",
    };
    OWN(json_freep)
    json_t *good =
        fixture_json("[{'from_hour': 0, 'to_hour': 24, 'allow': 'open', 'days': ['sun']}]");

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(json_freep) json_t *rules = fixture_json(bad[i]);

        assert_int_equal(dp_schedule_check(site, rules, "schedule", DP_SCHEDULE_ALLOW),
                         SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_INVALID);
    }
    assert_int_equal(dp_schedule_check(site, good, "schedule", DP_SCHEDULE_ALLOW), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_rule_everything_is_open_and_without_a_limit),
        cmocka_unit_test(a_rule_holds_from_its_first_hour_to_before_its_last),
        cmocka_unit_test(each_word_lets_its_priorities_pass),
        cmocka_unit_test(a_night_belongs_to_the_day_it_begins_on),
        cmocka_unit_test(equal_hours_are_the_whole_day),
        cmocka_unit_test(the_last_rule_that_fits_counts),
        cmocka_unit_test(the_week_begins_on_sunday_at_midnight),
        cmocka_unit_test(check_refuses_what_is_no_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
