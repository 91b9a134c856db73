/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/http_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void match_takes_apart_what_fits(void **state)
{
    (void)state;
    OWN(http_values_fini) struct http_values values = {.n = 0};

    assert_int_equal(http_values_match("/a/{x}/b/{y}", "/a/1%2f2/b/%C3%BC", &values), 0);
    assert_string_equal(http_values_find(&values, "x"), "1/2");
    assert_string_equal(http_values_find(&values, "y"), "\xc3\xbc");
    assert_null(http_values_find(&values, "z"));
}

static void match_refuses_what_does_not(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"/a/{x}", "/a"},
        {"/a/{x}", "/a/"},
        {"/a/{x}", "/a/1/"},
        {"/a/{x}", "/a/1/2"},
        {"/a/{x}", "/b/1"},
        {"/a/{x}", "a/1"},
        {"/a/{x}", "//a/1"},
        {"/a", "/A"},
        {"/a", "/%61"}, /* only variables are decoded */
        {"/{x}", "/%"},
        {"/{x}", "/%4"},
        {"/{x}", "/%4g"},
        {"/{x}", "/%00"},
        {"/{x}", "/%ff"},
        {"/{x}", "/%c3%28"},
        {"/{x}", "/%ed%a0%80"},
        {"/a", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(http_values_fini) struct http_values values = {.n = 0};

        assert_int_equal(http_values_match(cases[i][0], cases[i][1], &values), 1);
    }
}

static void add_refuses_one_too_many(void **state)
{
    (void)state;
    OWN(http_values_fini) struct http_values values = {.n = 0};

    for (unsigned i = 0; i < HTTP_VALUES_MAX; i++)
        assert_int_equal(http_values_add(&values, "a", "b"), 0);
    assert_int_equal(http_values_add(&values, "a", "b"), 1);
    assert_int_equal(http_values_add_encoded(&values, "a", "b", 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_takes_apart_what_fits),
        cmocka_unit_test(match_refuses_what_does_not),
        cmocka_unit_test(add_refuses_one_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
