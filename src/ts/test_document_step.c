/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/test_ts.h"

static void a_variable_may_be_called_as_the_property_is(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(
        "<sequence version=\"3.00\"><step type=\"SMS_TaskSequence_RebootAction\" name=\"r\"><defaultVarList>"
        "<variable name=\"Target\" property=\"Target\">HD</variable></defaultVarList></step></sequence>");
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    assert_string_equal(ts_step_variable(&steps[0], "SMSRebootTarget")->text, "HD");
    assert_null(ts_step_variable(&steps[0], "SMSRebootMessage"));
}

static void success_codes_are_numbers_with_anything_between_them(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(SEQUENCE(STEP("a", "") STEP(
        "b", "successCodeList=\"0 3010\"") STEP("c", "successCodeList=\"-1,2;x\"")));
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    assert_true(ts_step_is_success(&steps[0], 0));
    assert_false(ts_step_is_success(&steps[0], 3010));
    assert_true(ts_step_is_success(&steps[1], 3010));
    assert_false(ts_step_is_success(&steps[2], 0));
    assert_true(ts_step_is_success(&steps[2], -1));
    assert_true(ts_step_is_success(&steps[2], 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_may_be_called_as_the_property_is),
        cmocka_unit_test(success_codes_are_numbers_with_anything_between_them),
    };

    return cmocka_run_group_tests_name("ts/document_step", tests, NULL, NULL);
}
