/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void escape_leaves_plain_text_alone(void **state)
{
    (void)state;
    char shown[64];

    assert_string_equal(log_escape(shown, sizeof(shown), "a b/c", 5), "a b/c");
    assert_string_equal(log_escape(shown, sizeof(shown), "gr\xc3\xbc\xc3\x9f \xe2\x82\xac", 10),
                        "gr\xc3\xbc\xc3\x9f \xe2\x82\xac");
    assert_string_equal(log_escape(shown, sizeof(shown), "", 0), "");
}

static void escape_makes_harmless_what_is_not(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *shown;
    } cases[] = {
        {"\n", "\\x0a"},
        {"\x1b[2J", "\\x1b[2J"},
        {"\x7f", "\\x7f"},
        {"\"'\\", "\\x22\\x27\\x5c"},
        {"\xc3", "\\xc3"},                            /* cut off */
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},          /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond Unicode */
        {"\xc2\x9b", "\\xc2\\x9b"},                   /* C1: control sequence introducer */
        {"\xe2\x80\xae", "\\xe2\\x80\\xae"},          /* right-to-left override */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char shown[64];

        assert_string_equal(log_escape(shown, sizeof(shown), cases[i].text, strlen(cases[i].text)),
                            cases[i].shown);
    }
}

static void escape_stays_inside_every_capacity(void **state)
{
    (void)state;
    static const char text[] = "ab\ncd\xc3\xbc"
                               "efghijklmnop";

    for (size_t cap = 8; cap <= 32; cap++) {
        char *shown = malloc(cap); /* exactly its size, for AddressSanitizer */

        assert_non_null(shown);
        assert_ptr_equal(log_escape(shown, cap, text, sizeof(text) - 1), shown);
        assert_true(strlen(shown) < cap);
        if (cap <= sizeof(text))
            assert_string_equal(shown + strlen(shown) - 3, "...");
        free(shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escape_leaves_plain_text_alone),
        cmocka_unit_test(escape_makes_harmless_what_is_not),
        cmocka_unit_test(escape_stays_inside_every_capacity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
