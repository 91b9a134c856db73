/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/notice.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/steps/test_bench.h"
#include "plat/clock.h"

enum {
    US_PER_S = 1000 * 1000,
};

static void a_wait_lasts_as_many_seconds_as_it_says(void **state)
{
    (void)state;
    OWN(step_bench_freep) struct step_bench *b = step_bench_new("RebootAction", "", "");
    uint64_t begun_us = clock_monotonic_us();

    assert_true(notice_wait(&b->c, 0, "nothing"));
    assert_true(clock_monotonic_us() - begun_us < US_PER_S);
    assert_true(notice_wait(&b->c, 1, "a second"));
    assert_true(clock_monotonic_us() - begun_us >= US_PER_S);
}

static void a_wait_ends_at_once_when_the_site_cancels(void **state)
{
    (void)state;
    OWN(step_bench_freep) struct step_bench *b = step_bench_new("RebootAction", "", "");
    uint64_t begun_us = clock_monotonic_us();

    b->is_cancelled = true;
    assert_false(notice_wait(&b->c, 24 * 60 * 60, "a day"));
    assert_true(clock_monotonic_us() - begun_us < US_PER_S);
}

static void in_the_boot_image_nobody_is_signed_in_to_be_told(void **state)
{
    (void)state;
    OWN(step_bench_freep) struct step_bench *b = step_bench_new("RebootAction", "", "");

    b->c.environment = STEP_IN_BOOT_IMAGE;
    notice_give(&b->c, "The computer restarts", 60);
    assert_int_equal(b->log.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_lasts_as_many_seconds_as_it_says),
        cmocka_unit_test(a_wait_ends_at_once_when_the_site_cancels),
        cmocka_unit_test(in_the_boot_image_nobody_is_signed_in_to_be_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
