/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/compare.h"

#include "ts/test_ts.h"

static void numbers_compare_as_numbers_and_text_without_case(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        int order;
    } cases[] = {{"9", "10", -1},
                 {"-2", "-10", 1},
                 {"10", "10", 0},
                 {"a9", "a10", 1},
                 {"ABC", "abc", 0},
                 {"", "a", -1},
                 {"1.5", "1.10", 1}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(ts_compare_ordered(cases[i].a, cases[i].b), cases[i].order);
}

static void versions_compare_part_by_part(void **state)
{
    (void)state;
    int order;

    assert_true(ts_compare_versions("10.0.9", "10.0.19041", &order));
    assert_int_equal(order, -1);
    assert_true(ts_compare_versions("5.0", "5", &order));
    assert_int_equal(order, 0);
    assert_false(ts_compare_versions("5.x", "5", &order));
    assert_false(ts_compare_versions("", "5", &order));
    assert_false(ts_compare_versions("1.2.3.4.5.6.7.8.9", "5", &order));
}

static void patterns_match_whole_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *pattern;
        bool is_like;
    } cases[] = {{"Latitude 7490", "latitude*", true},
                 {"abc", "a?c", true},
                 {"abc", "ab", false},
                 {"", "*", true},
                 {"aXbXc", "*x*x*", true},
                 {"abc", "", false}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(ts_is_like(cases[i].text, cases[i].pattern), cases[i].is_like);
    assert_true(ts_is_like_wql("a-z", "a[-]z"));
    assert_true(ts_is_like_wql("a]z", "a[]]z"));
    assert_true(ts_is_like_wql("[x", "[x")); /* a set that does not end is text */
    assert_false(ts_is_like_wql("abc", "a[^b]c"));
    assert_true(ts_is_like_wql("\xc3\xa4rger", "_rger"));
}

static void dates_are_moments_in_utc(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t s;
    } cases[] = {
        {"19700101000000.000000+000", 0},
        {"20240229120000.500000+060", 1709204400},
        {"2024-02-29T11:00:00Z", 1709204400},
        {"2024-02-29 11:00", 1709204400},
        {"02/29/2024", 1709164800},
        {"20240229", 1709164800},
        {"19691231230000.000000-060", 0},
    };
    static const char *const bad[] = {"",
                                      "soon",
                                      "2024",
                                      "20241301",
                                      "20240100",
                                      "2024010112",
                                      "20240101******.******+***",
                                      "2024-01-01T25:00",
                                      "20240101000000.000000+9",
                                      "01/02/2024 x"};
    int64_t us;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(ts_parse_date(cases[i].text, &us));
        assert_true(us / 1000000 == cases[i].s);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (ts_parse_date(bad[i], &us))
            fail_msg("%s", bad[i]);
}

static void a_package_is_of_the_version_that_its_maker_gave_it(void **state)
{
    (void)state;
    assert_true(ts_is_package_version("1:2.4.57-1+deb12u1", "1:2.4.57-1+deb12u1"));
    assert_true(ts_is_package_version("1:2.4.57-1+deb12u1", "2.4.57-1+deb12u1"));
    assert_true(ts_is_package_version("1:2.4.57-1+deb12u1", "2.4.57"));
    assert_true(ts_is_package_version("2.0-rc1-3", "2.0-rc1"));
    assert_true(ts_is_package_version("20240101", "20240101"));
    assert_false(ts_is_package_version("1:2.4.57-1", "2.4"));
    assert_false(ts_is_package_version("1:2.4.57-1", "2.4.57-2"));
    assert_false(ts_is_package_version("2.4", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_package_is_of_the_version_that_its_maker_gave_it),
        cmocka_unit_test(numbers_compare_as_numbers_and_text_without_case),
        cmocka_unit_test(versions_compare_part_by_part),
        cmocka_unit_test(patterns_match_whole_texts),
        cmocka_unit_test(dates_are_moments_in_utc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
