/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate_parts.h"

#include "ts/test_ts.h"

/* The ids of what is found, with blanks between them. */
static void found(const char *xml, const struct ts_site_facts *site, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(buf_fini) struct buf ids = BUF_INIT(4096);

    assert_int_equal(ts_validate_at(doc, site, &diags), 0);
    for (size_t i = 0; i < diags.n; i++)
        buf_addf(&ids, "%s%s", i > 0 ? " " : "", diags.items[i].id);
    assert_string_equal(buf_str(&ids), wanted);
}

static void each_value_is_held_against_the_kind_of_its_property(void **state)
{
    (void)state;
    found(
        SEQUENCE(
            "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s\"><defaultVarList><variable "
            "name=\"VariableName\">a b</variable><variable name=\"DoNotShowVariableValue\">x</variable>"
            "</defaultVarList></step>"),
        NULL,
        "SLW-0172 SLW-0181");
    found(SEQUENCE(STEP("a", "successCodeList=\"0 x\"")), NULL, "SLW-0181");
}

#define RUN_AS(variables) \
    SEQUENCE("<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"s\"><defaultVarList>" \
             "<variable name=\"CommandLine\">id</variable>" variables "</defaultVarList></step>")
#define USER \
    "<variable name=\"SMSTSRunCommandLineUserName\">anna</variable>" \
    "<variable name=\"SMSTSRunCommandLineUserPassword\">x</variable>"
#define FLAG(value) \
    "<variable name=\"_SMSTSRunCommandLineAsUser\" property=\"RunAsUser\">" value "</variable>"

static void an_account_and_the_switch_that_it_is_used_belong_together(void **state)
{
    (void)state;
    found(RUN_AS(FLAG("true") USER), NULL, "");
    found(RUN_AS(FLAG("%AsUser%") USER), NULL, "");
    found(RUN_AS(FLAG("false")), NULL, "");
    found(RUN_AS(""), NULL, "");
    found(RUN_AS(FLAG("false") USER), NULL, "SLW-0193");
    found(RUN_AS(USER), NULL, "SLW-0193");
    found(RUN_AS(FLAG("true")), NULL, "SLW-0193");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_and_the_switch_that_it_is_used_belong_together),
        cmocka_unit_test(each_value_is_held_against_the_kind_of_its_property),
    };

    return cmocka_run_group_tests_name("ts/validate_step", tests, NULL, NULL);
}
