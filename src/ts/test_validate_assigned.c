/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/test_validate.h"

static void what_steps_and_the_list_of_the_sequence_set_is_known(void **state)
{
    (void)state;
    static const char xml[] = "<sequence version=\"3.10\"><globalVarList>" VALUE(
        "One", "1") "</globalVarList>" STEP_OF("SetVariable",
                                               VALUE("VariableName", "Two")
                                                   VALUE("VariableValue", "2"))
        STEP_OF("SetDynamicVariables",
                VALUE("OSDSetDynamicVariablesRules",
                      "&lt;Rules>&lt;Rule>&lt;Variables>&lt;Variable Name='Three'>3&lt;/Variable>"
                      "&lt;/Variables>&lt;/Rule>&lt;/Rules>"))
            STEP_OF(
                "RunCommandLine",
                VALUE("CommandLine", "id") VALUE(
                    "SMSTSRunCommandLineOutputVariableName",
                    "Four")) "<group name=\"g\" disable=\"true\">" STEP_OF("SetVariable",
                                                                           VALUE(
                                                                               "VariableName",
                                                                               "Five")) "</group></sequence>";
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    struct ts_check c = {.doc = doc};

    assert_int_equal(ts_assigned_read(doc, &c.assigned), 0);
    assert_int_equal(c.assigned.n, 4);
    assert_true(ts_check_is_assigned(&c, "one"));
    assert_true(ts_check_is_assigned(&c, "TWO"));
    assert_true(ts_check_is_assigned(&c, "Three"));
    assert_true(ts_check_is_assigned(&c, "Four"));
    assert_false(ts_check_is_assigned(&c, "Five"));
    assert_false(ts_check_is_assigned(&c, ""));
    ts_assigned_fini(&c.assigned);
    ts_assigned_fini(&c.assigned);
    assert_false(ts_check_is_assigned(&c, "one"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_steps_and_the_list_of_the_sequence_set_is_known),
    };

    return cmocka_run_group_tests_name("ts/validate_assigned", tests, NULL, NULL);
}
