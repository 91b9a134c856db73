/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/week_rules.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdlib.h>

#include <cmocka.h>

#include "base/own.h"

enum {
    WHY_MAX_BYTES = 512,
};

static void assert_rules(const char *text, enum week_rules_value value, const char *wanted)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    OWN(freep) char *found = NULL;
    json_t *rules = NULL;

    assert_true(week_rules_parse(text, value, &rules, &why));
    found = json_dumps(rules, JSON_COMPACT);
    json_decref(rules);
    assert_string_equal(found, wanted);
}

static void days_hours_and_words_become_rules(void **state)
{
    (void)state;
    assert_rules(
        "mon-wed 8-18 high-only; sat,sun 0-24 open",
        WEEK_RULES_ALLOW,
        "[{\"days\":[\"mon\",\"tue\",\"wed\"],\"from_hour\":8,\"to_hour\":18,\"allow\":\"high-only\"},"
        "{\"days\":[\"sat\",\"sun\"],\"from_hour\":0,\"to_hour\":24,\"allow\":\"open\"}]");
    assert_rules("  all   22-6  closed ;",
                 WEEK_RULES_ALLOW,
                 "[{\"days\":[],\"from_hour\":22,\"to_hour\":6,\"allow\":\"closed\"}]");
}

static void a_span_of_days_may_go_over_the_weekend(void **state)
{
    (void)state;
    assert_rules("Sat-mon 2-5",
                 WEEK_RULES_NOTHING,
                 "[{\"days\":[\"sat\",\"sun\",\"mon\"],\"from_hour\":2,\"to_hour\":5}]");
}

static void rates_have_units(void **state)
{
    (void)state;
    assert_rules("fri 8-9 10M",
                 WEEK_RULES_RATE,
                 "[{\"days\":[\"fri\"],\"from_hour\":8,\"to_hour\":9,\"bytes_per_s\":10485760}]");
}

static void none_is_no_rule(void **state)
{
    (void)state;
    assert_rules("none", WEEK_RULES_ALLOW, "[]");
}

static void what_is_no_rule_is_refused_and_shown(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum week_rules_value value;
    } cases[] = {
        {"", WEEK_RULES_ALLOW},
        {"mon", WEEK_RULES_NOTHING},
        {"mon 8", WEEK_RULES_NOTHING},
        {"mon 8-25", WEEK_RULES_NOTHING},
        {"mon 8-9 x", WEEK_RULES_NOTHING},
        {"mon 8-9", WEEK_RULES_ALLOW},
        {"monday 8-9 open", WEEK_RULES_ALLOW},
        {"mon- 8-9 open; x", WEEK_RULES_ALLOW},
        {"mon,mon-sun,tue 8-9 open", WEEK_RULES_ALLOW},
        {"mon 8-9 10X", WEEK_RULES_RATE},
        {"mon 8-9 -1", WEEK_RULES_RATE},
        {"; mon 8-9 open", WEEK_RULES_ALLOW},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
        json_t *rules = NULL;

        assert_false(week_rules_parse(cases[i].text, cases[i].value, &rules, &why));
        assert_null(rules);
        assert_true(why.len > 0);
    }
}

static void sizes_are_digits_and_a_unit(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "K", "1k", "-1", "1.5G", "18446744073709551616", "99999999999T", " 1"};
    uint64_t n = 0;

    assert_true(size_parse("0", &n));
    assert_int_equal(n, 0);
    assert_true(size_parse("3K", &n));
    assert_int_equal(n, 3072);
    assert_true(size_parse("2T", &n));
    assert_int_equal(n, UINT64_C(2) << 40);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(size_parse(bad[i], &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_hours_and_words_become_rules),
        cmocka_unit_test(a_span_of_days_may_go_over_the_weekend),
        cmocka_unit_test(rates_have_units),
        cmocka_unit_test(none_is_no_rule),
        cmocka_unit_test(what_is_no_rule_is_refused_and_shown),
        cmocka_unit_test(sizes_are_digits_and_a_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
