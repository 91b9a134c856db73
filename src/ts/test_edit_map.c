/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/edit_parts.h"

#include "ts/test_ts.h"

static void edited(const char *xml, const char *name, const char *value, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_document_freep) struct ts_document *after = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    const struct ts_assignment assignment = {name, value};
    const struct ts_operation op = {
        TS_OP_SET, .path = "1", .assignments = &assignment, .n_assignments = 1};

    assert_int_equal(ts_edit(doc, &op, &after, &text), 0);
    assert_int_equal(ts_document_canonical(after, &text), 0);
    if (!strstr(buf_str(&text), wanted))
        fail_msg("%s lacks %s", buf_str(&text), wanted);
}

static void what_nothing_refers_to_any_more_leaves_the_list(void **state)
{
    (void)state;
    static const char xml[] = SEQUENCE(
        "<referenceList><reference package=\"A1\"/></referenceList><step name=\"a\" "
        "type=\"SMS_TaskSequence_InstallSoftwareAction\"><defaultVarList><variable name=\"PackageID\">A1"
        "</variable></defaultVarList></step>");

    edited(xml,
           "PackageID",
           "B2",
           "<referenceList><reference package=\"B2\"></reference></referenceList>");
    edited(xml, "PackageID", "", "<referenceList></referenceList>");
}

static void mdt_has_no_list_of_references(void **state)
{
    (void)state;
    edited(
        "<sequence version=\"3.00\"><step name=\"a\" type=\"SMS_TaskSequence_InstallSoftwareAction\"/></sequence>",
        "PackageID",
        "B2",
        "<sequence version=\"3.00\"><step ");
}

/* Map @from to "SLP0001A"; @wanted: what is found afterwards, NULL: it is refused. */
static void mapped(const char *xml, const char *from, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_document_freep) struct ts_document *after = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    const struct ts_mapping mapping = {from, "SLP0001A"};

    assert_int_equal(ts_refers_to(doc, from), wanted != NULL);
    assert_int_equal(ts_edit_map(doc, &mapping, 1, &after, &text), wanted ? 0 : TS_EDIT_E_REFUSED);
    if (!wanted)
        return;
    assert_int_equal(ts_document_canonical(after, &text), 0);
    if (!strstr(buf_str(&text), wanted))
        fail_msg("%s lacks %s", buf_str(&text), wanted);
}

#define INSTALLS(variables) \
    "<step type=\"SMS_TaskSequence_InstallApplicationAction\" name=\"x\"><defaultVarList>" variables \
    "</defaultVarList></step>"
#define VAR(name, text) "<variable name=\"" name "\">" text "</variable>"

static void applications_of_a_list_are_mapped(void **state)
{
    (void)state;
    mapped(SEQUENCE(INSTALLS(VAR("ApplicationName", "ScopeId_A/App_1,ScopeId_A/App_11"))),
           "ScopeId_A/App_1",
           ">SLP0001A,ScopeId_A/App_11<");
    mapped(SEQUENCE(INSTALLS(VAR("ApplicationName", "ScopeId_A/App_2, ScopeId_A/App_1"))),
           "ScopeId_A/App_1",
           ">ScopeId_A/App_2, SLP0001A<");
    mapped(SEQUENCE(INSTALLS(VAR("ApplicationName", "ScopeId_A/App_1,ScopeId_A/App_2")
                                 VAR("OSDApp0Name", "ScopeId_A/App_1"))),
           "ScopeId_A/App_1",
           ">SLP0001A,ScopeId_A/App_2</variable><variable name=\"OSDApp0Name\">SLP0001A<");
    mapped(SEQUENCE(INSTALLS(VAR("ApplicationName", "ScopeId_A/App_11"))), "ScopeId_A/App_1", NULL);
}

static void what_refers_to_nothing_is_not_mapped(void **state)
{
    (void)state;
    mapped(SEQUENCE(INSTALLS(VAR("ContinueOnInstallError", "false"))), "false", NULL);
    mapped(SEQUENCE(INSTALLS(VAR("OSDApp0DisplayName", "One") VAR("OSDApp0Name", "One"))),
           "One",
           ">One</variable><variable name=\"OSDApp0Name\">SLP0001A<");
    mapped(SEQUENCE("<referenceList><reference package=\"AAA00001\"/></referenceList>" INSTALLS(
               VAR("OSDApp0DisplayName", "AAA00001"))),
           "AAA00001",
           ">AAA00001<");
}

static void what_is_put_into_a_list_is_mapped(void **state)
{
    (void)state;
    mapped(
        SEQUENCE(
            "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s\"><defaultVarList>" VAR(
                "VariableName", "Tool001")
                VAR("VariableValue",
                    "AAA00001:Install") "</defaultVarList></step>"
                                        "<step type=\"SMS_TaskSequence_InstallSoftwareAction\" name=\"i\"><defaultVarList>" VAR(
                                            "BaseVariableName", "Tool") "</defaultVarList></step>"),
        "AAA00001",
        ">SLP0001A:Install<");
    mapped(SEQUENCE(
               "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s\"><defaultVarList>" VAR(
                   "VariableName", "Other")
                   VAR("VariableValue", "AAA00001") "</defaultVarList></step>"),
           "AAA00001",
           NULL);
}

static void references_that_become_one_stand_there_once(void **state)
{
    (void)state;
    mapped(SEQUENCE("<referenceList>\n  <reference application=\"SLP0001A\"/>\n  <reference "
                    "application=\"A/1\"/>\n  <reference application=\"A/2\"/>\n"
                    "</referenceList>" INSTALLS(VAR("ApplicationName", "A/1"))),
           "A/1",
           "<referenceList>\n  <reference application=\"SLP0001A\"></reference>\n  <reference "
           "application=\"A/2\"></reference>\n</referenceList>");
    mapped(SEQUENCE("<referenceList><reference package=\"A1\"/><reference package=\"A1\"/>"
                    "<reference package=\"A2\"/></referenceList>"),
           "A1",
           "<referenceList><reference package=\"SLP0001A\"></reference><reference "
           "package=\"A2\"></reference></referenceList>");
}

static void each_application_of_a_list_is_in_the_list_of_references(void **state)
{
    (void)state;
    edited(SEQUENCE(INSTALLS("")),
           "ApplicationName",
           "SLP00001,SLP00002",
           "<reference application=\"SLP00001\"></reference><reference application=\"SLP00002\">");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applications_of_a_list_are_mapped),
        cmocka_unit_test(what_refers_to_nothing_is_not_mapped),
        cmocka_unit_test(what_is_put_into_a_list_is_mapped),
        cmocka_unit_test(references_that_become_one_stand_there_once),
        cmocka_unit_test(each_application_of_a_list_is_in_the_list_of_references),
        cmocka_unit_test(what_nothing_refers_to_any_more_leaves_the_list),
        cmocka_unit_test(mdt_has_no_list_of_references),
    };

    return cmocka_run_group_tests_name("ts/edit_map", tests, NULL, NULL);
}
