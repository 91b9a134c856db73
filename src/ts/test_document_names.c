/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/document_names.h"

#include "ts/test_ts.h"

static void put_letters(struct buf *dst, int n)
{
    for (int i = 0; i < n; i++)
        buf_adds(dst, "x");
}

static void each_name_that_is_too_long_is_told_with_its_path_and_so_is_the_rest(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(buf_fini) struct buf xml = BUF_INIT(4096);

    buf_adds(&xml, "<sequence version=\"3.10\">\n<group name=\"G\" description=\"");
    put_letters(&xml, TS_DESCRIPTION_MAX + 1);
    buf_adds(&xml, "\">\n<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s\"/>\n");
    buf_adds(&xml, "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"t\">");
    buf_adds(&xml, "<action>true</action><defaultVarList><variable name=\"");
    put_letters(&xml, TS_VARIABLE_NAME_MAX + 1);
    buf_adds(&xml, "\"/></defaultVarList></step></group></sequence>");
    assert_int_equal(ts_document_parse(buf_bytes(&xml), &doc, &diags), TS_E_MALFORMED);
    assert_null(doc);
    assert_int_equal(diags.n, 3);
    assert_string_equal(diags.items[0].path, "G");
    assert_string_equal(diags.items[0].id, "SLW-0171");
    assert_int_equal(diags.items[0].line, 2);
    assert_true(diags.items[0].column > 0);
    assert_string_equal(diags.items[1].path, "G/s");
    assert_string_equal(diags.items[1].id, "SLW-0180");
    assert_string_equal(diags.items[2].path, "G/t");
    assert_string_equal(diags.items[2].id, "SLW-0171");
    assert_int_equal(diags.items[2].line, 4);
}

static void a_document_with_names_that_fit_is_not_looked_at_further(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc =
        parse_ok(SEQUENCE("<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s\"/>"));
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_document_check_names(doc, &diags), 0);
    assert_int_equal(diags.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_that_is_too_long_is_told_with_its_path_and_so_is_the_rest),
        cmocka_unit_test(a_document_with_names_that_fit_is_not_looked_at_further),
    };

    return cmocka_run_group_tests_name("ts/document_names", tests, NULL, NULL);
}
