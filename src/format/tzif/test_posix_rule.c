/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/tzif/posix_rule.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"

static int64_t utc(const char *text)
{
    int64_t s = 0;

    assert_true(civil_parse(bytes_of(text), &s));
    return s;
}

static void the_offset_follows_the_rule(void **state)
{
    static const struct {
        const char *rule;
        const char *utc;
        int32_t offset_s;
    } cases[] = {
        {"UTC0", "2026-07-01", 0},
        {"<+0330>-3:30", "2026-07-01", 12600},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T06:59:59", -18000},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00", -14400},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-11-01T05:59:59", -14400},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-11-01T06:00:00", -18000},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59", 3600},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00", 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T00:59:59", 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00", 3600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01T00:00:00", 39600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-01T00:00:00", 36000},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59", -7200},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00", -3600},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-01T00:00:00", 0},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-01T00:00:00", 3600},
        {"AAA3BBB,J60,J300", "2028-03-01T04:59:59", -10800},
        {"AAA3BBB,J60,J300", "2028-03-01T05:00:00", -7200},
        {"AAA3BBB,59/0,300", "2028-02-29T03:00:00", -7200},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct posix_rule rule;

        assert_true(posix_rule_parse(bytes_of(cases[i].rule), &rule));
        assert_int_equal(posix_rule_offset_s(&rule, utc(cases[i].utc)), cases[i].offset_s);
    }
}

static void what_is_no_rule_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "UT0",
        "UTC",
        "<UTC0",
        "UTC25",
        "UTC0:60",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/168",
        "CET-1CEST,J0,J300",
        "CET-1CEST,366,300",
        "CET-1CEST,M3.5.0,M10.5.0,",
        "UTC0 ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct posix_rule rule = {.standard_s = 77};

        assert_false(posix_rule_parse(bytes_of(texts[i]), &rule));
        assert_int_equal(rule.standard_s, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_offset_follows_the_rule),
        cmocka_unit_test(what_is_no_rule_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
