/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/time_zone.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/own.h"

/* By rules, not by names: what the test computer has installed does not matter. */
static void expect(const char *tz, const char *want)
{
    OWN(buf_fini) struct buf text = BUF_INIT(512);

    assert_int_equal(setenv("TZ", tz, 1), 0);         // NOLINT(concurrency-mt-unsafe): one thread
    time_zone_put(&text, UINT64_C(1795253405000000)); /* 2026-11-21 */
    assert_string_equal(buf_str(&text), want);
}

static void a_zone_without_daylight_time_has_no_changes(void **state)
{
    (void)state;
    expect("UTC0", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,UTC,UTC");
    expect("IST-5:30", "-330,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,IST,IST");
}

static void both_hemispheres_have_their_rules(void **state)
{
    (void)state;
    expect("CET-1CEST,M3.5.0,M10.5.0/3", "-60,0,-60,0,10,0,5,3,0,0,0,0,3,0,5,2,0,0,0,CET,CEST");
    expect("EST5EDT,M3.2.0,M11.1.0", "300,0,-60,0,11,0,1,2,0,0,0,0,3,0,2,2,0,0,0,EST,EDT");
    expect("AEST-10AEDT,M10.1.0,M4.1.0/3", "-600,0,-60,0,4,0,1,3,0,0,0,0,10,0,1,2,0,0,0,AEST,AEDT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_without_daylight_time_has_no_changes),
        cmocka_unit_test(both_hemispheres_have_their_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
