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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_reads_like_a_sentence),
    };

    return cmocka_run_group_tests_name("ts/condition_text", tests, NULL, NULL);
}
