/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate_parts.h"

#include "ts/test_ts.h"

#define SET(name) \
    "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s\"><defaultVarList><variable " \
    "name=\"VariableName\">" name "</variable><variable name=\"VariableValue\">1</variable>" \
    "</defaultVarList></step>"

/* The first finding about a variable without effect; "" if there is none. */
static void found(const char *xml, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    const char *message = "";

    assert_int_equal(ts_validate_at(doc, NULL, &diags), 0);
    for (size_t i = diags.n; i > 0; i--)
        if (strcmp(diags.items[i - 1].id, "SLW-0467") == 0) {
            assert_int_equal(diags.items[i - 1].severity, TS_WARNING);
            message = diags.items[i - 1].message;
        }
    assert_string_equal(message, wanted);
}

static void a_step_that_sets_what_nothing_reads_is_told_of(void **state)
{
    (void)state;
    found(
        SEQUENCE(SET("smstsmp")),
        "SMSTSMP has no effect here: the agent speaks with the site whose key it was booted with");
    found(SEQUENCE(SET("SMSTSRebootRequested")), "");
    found(SEQUENCE(SET("MyOwn")), "");
}

static void so_are_dynamic_variables_and_those_of_the_whole_sequence(void **state)
{
    (void)state;
    found(
        SEQUENCE(
            "<step type=\"SMS_TaskSequence_SetDynamicVariablesAction\" name=\"d\">"
            "<defaultVarList><variable name=\"Rules\">&lt;Rules&gt;&lt;Rule&gt;"
            "&lt;Variables&gt;&lt;Variable Name=\"Mine\" IsSecret=\"false\"&gt;1&lt;/Variable&gt;"
            "&lt;Variable Name=\"SMSTSPeerRequestPort\" IsSecret=\"false\"&gt;8003&lt;/Variable&gt;"
            "&lt;/Variables&gt;&lt;/Rule&gt;&lt;/Rules&gt;</variable></defaultVarList></step>"),
        "SMSTSPeerRequestPort has no effect here: computers do not give one another content");
    found(
        SEQUENCE("<globalVarList><variable name=\"SMSTSPeerDownload\">true</variable>"
                 "</globalVarList>" STEP("a", "")),
        "globalVarList: SMSTSPeerDownload has no effect here: computers do not give one another content");
}

/* site/affinity_take.c makes primary users of them. */
static void users_of_the_device_are_no_variables_without_effect(void **state)
{
    (void)state;
    found(SEQUENCE(SET("SMSTSUDAUsers")), "");
    found(SEQUENCE(SET("SMSTSAssignUsersMode")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_that_sets_what_nothing_reads_is_told_of),
        cmocka_unit_test(so_are_dynamic_variables_and_those_of_the_whole_sequence),
        cmocka_unit_test(users_of_the_device_are_no_variables_without_effect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
