/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/base64.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void the_examples_of_the_standard_go_both_ways(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(64);
        OWN(buf_fini) struct buf back = BUF_INIT(64);

        base64_put(&text, bytes_of(cases[i][0]));
        assert_string_equal(buf_str(&text), cases[i][1]);
        assert_true(base64_parse(buf_bytes(&text), &back));
        assert_string_equal(buf_str(&back), cases[i][0]);
    }
}

static void what_is_not_base64_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"Z", "Zg", "Zg=", "Z===", "Zg==Zg==", "Zm9v!", "=", "Zg=x"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf back = BUF_INIT(64);

        if (base64_parse(bytes_of(cases[i]), &back))
            fail_msg("%s", cases[i]);
    }
}

static void white_space_is_passed_over_and_the_limit_holds(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf back = BUF_INIT(3);

    assert_true(base64_parse(bytes_of(" Zm\r\n9v\n"), &back));
    assert_string_equal(buf_str(&back), "foo");
    assert_false(base64_parse(bytes_of("Zm9v"), &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_standard_go_both_ways),
        cmocka_unit_test(what_is_not_base64_is_refused),
        cmocka_unit_test(white_space_is_passed_over_and_the_limit_holds),
    };

    return cmocka_run_group_tests_name("base/base64", tests, NULL, NULL);
}
