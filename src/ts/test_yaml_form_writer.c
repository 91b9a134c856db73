/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form_writer.h"

#include "ts/test_ts.h"
#include "ts/yaml_form.h"

static void has(const char *xml, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);

    assert_int_equal(ts_yaml_put(doc, &yaml), 0);
    if (!strstr(buf_str(&yaml), wanted))
        fail_msg("%s", buf_str(&yaml));
}

#define LIST(text) SEQUENCE("<step name=\"a\"><defaultVarList>" text "</defaultVarList></step>")

static void variables_that_a_mapping_cannot_hold_are_a_list(void **state)
{
    (void)state;
    has(LIST("<variable name=\"x\">1</variable>"), "    variables:\n      x: \"1\"\n");
    has(LIST(""), "    variables: {}\n");
    has(LIST("<variable name=\"x\">1</variable><variable name=\"x\">2</variable>"),
        "    variables:\n      - x:\n          text: \"1\"\n      - x:\n          text: \"2\"\n");
    has(LIST("<variable name=\"x\" script=\"1\"/><odd/>"),
        "      - xml: '<variable name=\"x\" script=\"1\"/>'\n      - xml: \"<odd/>\"\n");
}

static void a_comment_is_written_without_the_blanks_around_it(void **state)
{
    (void)state;
    has(SEQUENCE("<!-- a -->"), "  - comment: a\n");
    has(SEQUENCE("<!--a-->"), "  - comment text: a\n");
    has(SEQUENCE("<!--  a -->"), "  - comment text: \"  a \"\n");
    has(SEQUENCE("<!---->"), "  - comment text: \"\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_that_a_mapping_cannot_hold_are_a_list),
        cmocka_unit_test(a_comment_is_written_without_the_blanks_around_it),
    };

    return cmocka_run_group_tests_name("ts/yaml_form_writer", tests, NULL, NULL);
}
