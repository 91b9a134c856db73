/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void backoff_doubles_up_to_30_seconds(void **state)
{
    (void)state;
    static const uint64_t want_ms[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    uint64_t delay = 0;

    for (size_t i = 0; i < sizeof(want_ms) / sizeof(want_ms[0]); i++) {
        delay = backoff_next(delay, 0);
        assert_int_equal(delay, want_ms[i] * 1000);
    }
}

static void backoff_forgets_after_60_seconds_of_life(void **state)
{
    (void)state;
    assert_int_equal(backoff_next(8000000, 59999999), 16000000);
    assert_int_equal(backoff_next(8000000, 60000000), 500000);
    assert_int_equal(backoff_next(30000000, UINT64_MAX), 500000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_doubles_up_to_30_seconds),
        cmocka_unit_test(backoff_forgets_after_60_seconds_of_life),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
