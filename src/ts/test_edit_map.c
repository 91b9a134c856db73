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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nothing_refers_to_any_more_leaves_the_list),
        cmocka_unit_test(mdt_has_no_list_of_references),
    };

    return cmocka_run_group_tests_name("ts/edit_map", tests, NULL, NULL);
}
