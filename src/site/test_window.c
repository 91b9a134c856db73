/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/window.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */

#include <cmocka.h>

#include "base/civil.h"

#define MINUTE_US (UINT64_C(60) * 1000000)

static int64_t seconds(const char *text)
{
    int64_t s = 0;

    assert_true(civil_parse(bytes_of(text), &s));
    return s;
}

static uint64_t utc(const char *text)
{
    return (uint64_t)seconds(text) * 1000000;
}

/* Every day from @start on, for so long. */
static struct schedule daily(const char *start, unsigned duration_min)
{
    return (struct schedule){.start_s = seconds(start),
                             .is_utc = true,
                             .repeat = SCHEDULE_DAYS,
                             .every = 1,
                             .duration_min = duration_min};
}

static void without_windows_everything_is_open(void **state)
{
    const struct windows none = {0};

    (void)state;
    assert_true(window_open_until(&none, 1) == SCHEDULE_NEVER);
    assert_true(window_start(&none, 1, 1000) == 1);
}

static void a_window_is_open_from_its_start_to_before_its_end(void **state)
{
    const struct schedule list[] = {daily("2026-11-22T22:00", 120)};
    const struct windows windows = {list, 1, NULL};

    (void)state;
    assert_true(window_open_until(&windows, utc("2026-11-22T21:59")) == 0);
    assert_true(window_open_until(&windows, utc("2026-11-22T22:00")) == utc("2026-11-23T00:00"));
    assert_true(window_open_until(&windows, utc("2026-11-22T23:59")) == utc("2026-11-23T00:00"));
    assert_true(window_open_until(&windows, utc("2026-11-23T00:00")) == 0);
}

static void windows_that_overlap_or_touch_are_one(void **state)
{
    const struct schedule list[] = {daily("2026-11-22T20:00", 120),
                                    daily("2026-11-22T21:30", 60),
                                    daily("2026-11-22T22:30", 30)};
    const struct windows windows = {list, 3, NULL};

    (void)state;
    assert_true(window_open_until(&windows, utc("2026-11-22T20:00")) == utc("2026-11-22T23:00"));
    assert_true(window_start(&windows, utc("2026-11-22T20:00"), 180 * MINUTE_US) ==
                utc("2026-11-22T20:00"));
}

static void what_does_not_fit_into_the_rest_waits_for_the_next_window(void **state)
{
    const struct schedule list[] = {daily("2026-11-22T22:00", 120)};
    const struct windows windows = {list, 1, NULL};

    (void)state;
    assert_true(window_start(&windows, utc("2026-11-22T23:00"), 60 * MINUTE_US) ==
                utc("2026-11-22T23:00"));
    assert_true(window_start(&windows, utc("2026-11-22T23:01"), 60 * MINUTE_US) ==
                utc("2026-11-23T22:00"));
    assert_true(window_start(&windows, utc("2026-11-22T12:00"), 120 * MINUTE_US) ==
                utc("2026-11-22T22:00"));
    assert_true(window_start(&windows, utc("2026-11-22T23:59"), 0) == utc("2026-11-22T23:59"));
}

static void what_fits_into_no_window_never_begins(void **state)
{
    struct schedule list[] = {daily("2026-11-22T22:00", 120)};
    const struct windows windows = {list, 1, NULL};

    (void)state;
    assert_true(window_start(&windows, utc("2026-11-22T12:00"), 121 * MINUTE_US) == SCHEDULE_NEVER);
    list[0].repeat = SCHEDULE_ONCE;
    assert_true(window_start(&windows, utc("2026-11-23T12:00"), 0) == SCHEDULE_NEVER);
}

static void what_never_closes_has_no_end_and_no_next_opening(void **state)
{
    const struct schedule list[] = {{.start_s = seconds("2026-11-22T22:00"),
                                     .is_utc = true,
                                     .repeat = SCHEDULE_MINUTES,
                                     .every = 5,
                                     .duration_min = 60}};
    const struct windows windows = {list, 1, NULL};

    (void)state;
    assert_true(window_open_until(&windows, utc("2026-11-22T21:59")) == 0);
    assert_true(window_next_opening(&windows, utc("2026-11-22T21:59")) == utc("2026-11-22T22:00"));
    assert_true(window_open_until(&windows, utc("2026-11-22T23:00")) == SCHEDULE_NEVER);
    assert_true(window_next_opening(&windows, utc("2026-11-22T23:00")) == SCHEDULE_NEVER);
    assert_true(window_start(&windows, utc("2026-11-22T23:00"), 600 * MINUTE_US) ==
                utc("2026-11-22T23:00"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_windows_everything_is_open),
        cmocka_unit_test(a_window_is_open_from_its_start_to_before_its_end),
        cmocka_unit_test(windows_that_overlap_or_touch_are_one),
        cmocka_unit_test(what_does_not_fit_into_the_rest_waits_for_the_next_window),
        cmocka_unit_test(what_never_closes_has_no_end_and_no_next_opening),
        cmocka_unit_test(what_fits_into_no_window_never_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
