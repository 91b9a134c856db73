/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diag.h"

#include "ts/test_ts.h"

static void findings_are_kept_in_order_up_to_the_limit(void **state)
{
    (void)state;
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    for (int i = 0; i < TS_DIAGS_MAX; i++)
        ts_diags_add(&diags, TS_WARNING, 7, 2, "finding %d", i);
    assert_false(diags.is_cut);
    assert_false(ts_diags_has_error(&diags));
    ts_diags_add(&diags, TS_ERROR, 1, 1, "one too many");
    assert_true(diags.is_cut);
    assert_int_equal(diags.n, TS_DIAGS_MAX);
    assert_string_equal(diags.items[255].message, "finding 255");
    assert_int_equal(diags.items[0].line, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_kept_in_order_up_to_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
