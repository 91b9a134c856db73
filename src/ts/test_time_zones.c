/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/time_zones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void is_called(const char *name, const char *wanted, const char *older)
{
    struct ts_time_zone zone;

    assert_true(ts_time_zone_of(name, &zone));
    assert_string_equal(zone.name, wanted);
    if (older)
        assert_string_equal(zone.older, older);
    else
        assert_null(zone.older);
}

static void zones_of_windows_have_their_names(void **state)
{
    (void)state;
    is_called("w. europe standard time", "Europe/Berlin", NULL);
    is_called("Dateline Standard Time", "Etc/GMT+12", NULL);
    is_called("AUS Central Standard Time", "Australia/Darwin", NULL);
    is_called("Sri Lanka Standard Time", "Asia/Colombo", NULL);
    is_called("FLE Standard Time", "Europe/Kyiv", "Europe/Kiev");
    is_called("Kaliningrad Standard Time", "Europe/Kaliningrad", NULL);
    is_called("UTC+13", "Etc/GMT-13", NULL);
    is_called("Haiti Standard Time", "America/Port-au-Prince", NULL);
}

static void a_zone_that_was_renamed_has_both_names(void **state)
{
    (void)state;
    is_called("Nepal Standard Time", "Asia/Kathmandu", "Asia/Katmandu");
    is_called("India Standard Time", "Asia/Kolkata", "Asia/Calcutta");
}

static void names_of_one_word_are_names(void **state)
{
    (void)state;
    is_called("CET", "CET", NULL);
    is_called("japan", "Japan", NULL);
    is_called("UTC", "Etc/UTC", NULL);
    is_called("Zulu", "Zulu", NULL);
    is_called("America/Port-au-Prince", "America/Port-au-Prince", NULL);
}

static void what_is_new_in_the_database_is_taken_but_not_known(void **state)
{
    (void)state;
    is_called("Europe/Atlantis", "Europe/Atlantis", NULL);
    assert_false(ts_time_zone_is_known("Europe/Atlantis"));
    assert_true(ts_time_zone_is_known("Europe/Berlin"));
}

static void nothing_else_is_a_zone(void **state)
{
    (void)state;
    struct ts_time_zone zone;

    assert_false(ts_time_zone_of("Europe/../../etc/passwd", &zone));
    assert_false(ts_time_zone_of("/etc/passwd", &zone));
    assert_false(ts_time_zone_of("Nowhere Time", &zone));
    assert_false(ts_time_zone_of("", &zone));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_of_windows_have_their_names),
        cmocka_unit_test(a_zone_that_was_renamed_has_both_names),
        cmocka_unit_test(names_of_one_word_are_names),
        cmocka_unit_test(what_is_new_in_the_database_is_taken_but_not_known),
        cmocka_unit_test(nothing_else_is_a_zone),
    };

    return cmocka_run_group_tests_name("ts/time_zones", tests, NULL, NULL);
}
