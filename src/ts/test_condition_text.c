/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/condition_text.h"

#include "ts/test_ts.h"
#include "ts/tree.h"

static void check(const char *condition, const char *wanted)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(4096);
    OWN(buf_fini) struct buf text = BUF_INIT(4096);
    OWN(ts_document_freep) struct ts_document *doc = NULL;

    buf_addf(&xml, SEQUENCE("<group name=\"g\">%s</group>"), condition);
    doc = parse_ok(buf_str(&xml));
    ts_condition_text(
        ts_node_child(xmlDocGetRootElement(ts_document_tree(doc))->children, "condition"), &text);
    assert_string_equal(buf_str(&text), wanted);
}

static void a_condition_reads_like_a_sentence(void **state)
{
    (void)state;
    check("", "");
    check("<condition/>", "");
    check("<condition>" VARIABLE_IS("A", "like", "x*")
              VARIABLE_IS("B", "exists", "") "</condition>",
          "A like \"x*\" and B exists");
    check("<condition><operator type=\"not\">" WMI "</operator></condition>",
          "none of (WMI \"select * from x\")");
    check(
        "<condition><expression type=\"SMS_TaskSequence_FileConditionExpression\"><variable name=\"Path\">/x"
        "</variable></expression></condition>",
        "file (Path \"/x\")");
    check(
        "<condition><osConditionGroup type=\"or\"><osExpressionGroup name=\"W\"/></osConditionGroup></condition>",
        "(OS is \"W\")");
}

static void what_is_unknown_is_shown_as_it_is_and_says_so(void **state)
{
    (void)state;
    check("<condition><operator type=\"xor\">" VARIABLE_IS("A", "exists", "") WMI
          "</operator></condition>",
          "unknown operator \"xor\" (A exists, WMI \"select * from x\")");
    check("<condition>" VARIABLE_IS("A", "exists", "") "<operator/></condition>",
          "A exists and unknown operator \"\" ()");
    check("<condition><moon phase=\"full\">bright</moon></condition>",
          "unknown <moon phase=\"full\"> (bright)");
    check("<condition><expression type=\"Foo\"/></condition>", "unknown expression \"Foo\" ()");
}

static void an_operator_is_shown_as_it_is_evaluated(void **state)
{
    (void)state;
    check("<condition><operator type=\"OR\">" VARIABLE_IS("A", "exists", "")
              VARIABLE_IS("B", "exists", "") "</operator></condition>",
          "A exists or B exists");
    check("<condition type=\"not\">" VARIABLE_IS("A", "exists", "") "</condition>",
          "none of (A exists)");
    check("<condition><osConditionGroup><osExpressionGroup name=\"W\"/><osExpressionGroup "
          "name=\"X\"/></osConditionGroup></condition>",
          "(OS is \"W\" or OS is \"X\")");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_reads_like_a_sentence),
        cmocka_unit_test(what_is_unknown_is_shown_as_it_is_and_says_so),
        cmocka_unit_test(an_operator_is_shown_as_it_is_evaluated),
    };

    return cmocka_run_group_tests_name("ts/condition_text", tests, NULL, NULL);
}
