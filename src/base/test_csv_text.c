/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/csv_text.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */

#include <cmocka.h>

#include "base/own.h"

static void assert_inside(const char *text, bool is_first, const char *wanted)
{
    OWN(buf_fini) struct buf got = BUF_INIT(256);

    csv_put_inside(&got, text, is_first);
    assert_string_equal(buf_str(&got), wanted);
}

static void quotes_are_doubled_and_all_else_stays(void **state)
{
    (void)state;
    assert_inside("", true, "");
    assert_inside("a \"b\", c\nd", true, "a \"\"b\"\", c\nd");
}

static void what_begins_a_field_is_no_formula(void **state)
{
    (void)state;
    static const char *const formulas[] = {"=1", "+1", "-1", "@a", "\ta", "\ra"};

    for (size_t i = 0; i < sizeof(formulas) / sizeof(formulas[0]); i++) {
        OWN(buf_fini) struct buf wanted = BUF_INIT(16);

        buf_addf(&wanted, "'%s", formulas[i]);
        assert_inside(formulas[i], true, buf_str(&wanted));
        assert_inside(formulas[i], false, formulas[i]);
    }
    assert_inside("a=1", true, "a=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_are_doubled_and_all_else_stays),
        cmocka_unit_test(what_begins_a_field_is_no_formula),
    };

    return cmocka_run_group_tests_name("base/csv_text", tests, NULL, NULL);
}
