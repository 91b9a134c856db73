/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/due.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdlib.h>

#include <cmocka.h>

#include "base/own.h"

static void assert_same_when_written(const json_t *schedule)
{
    OWN(buf_fini) struct buf written = BUF_INIT(256);
    OWN(buf_fini) struct buf why = BUF_INIT(256);
    json_t *again = NULL;

    due_put(schedule, &written);
    assert_true(due_parse(buf_str(&written), &again, &why));
    assert_true(json_equal(again, schedule));
    json_decref(again);
}

static void what_is_typed_becomes_a_schedule(void **state)
{
    static const char *const cases[][2] = {
        {"as-soon-as-possible", "\"as-soon-as-possible\""},
        {"2026-11-22T22:00Z", "{\"start\": \"2026-11-22T22:00Z\"}"},
        {"2026-11-22T22:00 every day",
         "{\"every\": 1, \"repeat\": \"days\", \"start\": \"2026-11-22T22:00\"}"},
        {"2026-11-22 every 30 minutes",
         "{\"every\": 30, \"repeat\": \"minutes\", \"start\": \"2026-11-22\"}"},
        {"2026-11-22 every hour",
         "{\"every\": 1, \"repeat\": \"hours\", \"start\": \"2026-11-22\"}"},
        {"2026-11-22 every 2 weeks on sun",
         "{\"every\": 2, \"repeat\": \"weekly\", \"start\": \"2026-11-22\", \"weekday\": \"sun\"}"},
        {"2026-11-22 every month on day 31",
         "{\"day\": 31, \"every\": 1, \"repeat\": \"monthly-by-date\", \"start\": \"2026-11-22\"}"},
        {"2026-11-22 every 3 months on last day",
         "{\"day\": 0, \"every\": 3, \"repeat\": \"monthly-by-date\", \"start\": \"2026-11-22\"}"},
        {"2026-11-22  every month on second tue",
         "{\"every\": 1, \"repeat\": \"monthly-by-weekday\", \"start\": \"2026-11-22\", \"week\": 2, \"weekday\": \"tue\"}"},
        {"2026-11-22 every month on last fri",
         "{\"every\": 1, \"repeat\": \"monthly-by-weekday\", \"start\": \"2026-11-22\", \"week\": 5, \"weekday\": \"fri\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(256);
        json_t *schedule = NULL;

        assert_true(due_parse(cases[i][0], &schedule, &why));

        OWN(freep) char *text = json_dumps(schedule, JSON_SORT_KEYS | JSON_ENCODE_ANY);

        assert_string_equal(text, cases[i][1]);
        assert_same_when_written(schedule);
        json_decref(schedule);
    }
}

static void what_is_none_says_the_form(void **state)
{
    static const char *const texts[] = {
        "",
        "   ",
        "2026-11-22 weekly",
        "2026-11-22 every",
        "2026-11-22 every week",
        "2026-11-22 every 2 weeks on sunday",
        "2026-11-22 every month on day 32",
        "2026-11-22 every month on fifth tue",
        "2026-11-22 every year",
        "2026-11-22 every day on mon",
        "2026-11-22 every 2 months on second tue again",
        "2026-11-22T22:00:00.000000000000000000000000000000000",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(512);
        json_t *schedule = NULL;

        assert_false(due_parse(texts[i], &schedule, &why));
        assert_null(schedule);
        assert_true(buf_bytes(&why).len > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_becomes_a_schedule),
        cmocka_unit_test(what_is_none_says_the_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
