/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form_reader.h"

#include "ts/test_ts.h"
#include "ts/yaml_form.h"

static void becomes(const char *rest, const char *wanted)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);
    OWN(buf_fini) struct buf xml = BUF_INIT(65536);

    buf_addf(&yaml, "sequence: '3.10'\n%s", rest);
    assert_int_equal(ts_yaml_parse(buf_bytes(&yaml), &doc, &diags), 0);
    assert_int_equal(ts_document_canonical(doc, &xml), 0);
    if (!strstr(buf_str(&xml), wanted))
        fail_msg("%s", buf_str(&xml));
}

static void what_stands_between_elements_is_put_in_its_place(void **state)
{
    (void)state;
    becomes(
        "steps: [{comment: a}, {comment text: b}, {white space: ' '}, {xml: <c/><d/>}, {step: e}]",
        "<!-- a --><!--b--> <c></c><d></d><step name=\"e\"></step>");
    becomes("steps: [{step: a, before action: [{comment: b}], action: c}]",
            "<step name=\"a\"><!-- b --><action>c</action></step>");
    becomes("namespaces: {o: 'urn:o'}\nsteps: [{xml: '<o:a/>'}]",
            "<sequence xmlns:o=\"urn:o\" version=\"3.10\"><o:a></o:a></sequence>");
}

static void a_variable_may_stand_in_a_mapping_or_a_list(void **state)
{
    (void)state;
    static const char wanted[] =
        "<defaultVarList><variable name=\"x\">1</variable></defaultVarList>";

    becomes("steps: [{step: a, variables: {x: 1}}]", wanted);
    becomes("steps: [{step: a, variables: [{x: {text: 1}}]}]", wanted);
    becomes("steps: [{step: a, variables: [{x: 1}]}]", wanted);
    becomes("steps: [{step: a, variables: [{comment: {text: 1}}, {comment: b}]}]",
            "<variable name=\"comment\">1</variable><!-- b -->");
}

static void a_script_becomes_what_the_editor_stores(void **state)
{
    (void)state;
    becomes(
        "steps: [{step: a, type: SMS_TaskSequence_RunPowerShellScriptAction, variables: "
        "{OSDRunPowerShellScriptSourceScript: {script: a}}}]",
        "<variable name=\"OSDRunPowerShellScriptSourceScript\" property=\"SourceScript\">//5hAA==</variable>");
}

/* Of "other attributes" and of namespaces. */
static void too_many_attributes_are_refused_where_the_first_of_them_is(void **state)
{
    (void)state;
    for (int is_over = 0; is_over < 2; is_over++) {
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        OWN(ts_document_freep) struct ts_document *doc = NULL;
        OWN(buf_fini) struct buf yaml = BUF_INIT(65536);
        int n = TS_XML_MAX_ATTRIBUTES - 1 + is_over; /* and the name */

        buf_adds(&yaml, "sequence: '3.10'\nsteps:\n- step: a\n  other attributes:\n");
        for (int i = 0; i < n; i++)
            buf_addf(&yaml, "    a%d: ''\n", i);
        assert_int_equal(ts_yaml_parse(buf_bytes(&yaml), &doc, &diags),
                         is_over ? TS_E_MALFORMED : 0);
        assert_int_equal(diags.n, is_over);
        if (is_over)
            assert_int_equal(diags.items[0].line, 4 + TS_XML_MAX_ATTRIBUTES);
    }
    for (int is_over = 0; is_over < 2; is_over++) {
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        OWN(ts_document_freep) struct ts_document *doc = NULL;
        OWN(buf_fini) struct buf yaml = BUF_INIT(65536);
        int n = is_over ? 5000 : TS_XML_MAX_ATTRIBUTES - 1; /* and the version */

        buf_adds(&yaml, "sequence: '3.10'\nnamespaces:\n");
        for (int i = 0; i < n; i++)
            buf_addf(&yaml, "  a%d: 'urn:%d'\n", i, i);
        assert_int_equal(ts_yaml_parse(buf_bytes(&yaml), &doc, &diags),
                         is_over ? TS_E_MALFORMED : 0);
        assert_int_equal(diags.n, is_over);
        if (is_over)
            assert_int_equal(diags.items[0].line, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_between_elements_is_put_in_its_place),
        cmocka_unit_test(a_variable_may_stand_in_a_mapping_or_a_list),
        cmocka_unit_test(too_many_attributes_are_refused_where_the_first_of_them_is),
        cmocka_unit_test(a_script_becomes_what_the_editor_stores),
    };

    return cmocka_run_group_tests_name("ts/yaml_form_reader", tests, NULL, NULL);
}
