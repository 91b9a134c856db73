/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form_parts.h"

#include "ts/test_ts.h"
#include "ts/yaml_form.h"

static void whole(const char *xml, bool is_whole)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);

    assert_int_equal(ts_yaml_put(doc, &yaml), 0);
    assert_int_equal(strncmp(buf_str(&yaml), "xml:", 4) == 0, is_whole);
}

static void only_what_would_not_come_back_is_written_as_one_text(void **state)
{
    (void)state;
    whole(SEQUENCE(STEP("a", "")), false);
    whole(SEQUENCE("\n<step name=\"a\"/>\n"), false);
    whole(SEQUENCE("<!-- c -->" STEP("a", "")), false);
    whole(SEQUENCE("<group name=\"g\">" STEP("a", "") "<action/><condition></condition>" STEP(
              "b", "") "</group>"),
          false);
    whole(SEQUENCE("\n\n  " STEP("a", "") "   "), true);
    whole("<!-- before --><sequence version=\"3.10\"/>", true);
}

static void the_usual_attributes_of_a_variable_come_from_the_table(void **state)
{
    (void)state;
    const struct ts_step_type *type = ts_step_type_find("Format and Partition Disk");
    struct ts_yaml_usual usual;

    ts_yaml_usual(type, "OSDPartitions12Size", &usual);
    assert_string_equal(usual.property, "Partitions12Size");
    assert_false(usual.is_hidden);
    ts_yaml_usual(type, "OSDPartitions", &usual);
    assert_true(usual.is_hidden);
    ts_yaml_usual(NULL, "x1", &usual);
    assert_string_equal(usual.property, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_would_not_come_back_is_written_as_one_text),
        cmocka_unit_test(the_usual_attributes_of_a_variable_come_from_the_table),
    };

    return cmocka_run_group_tests_name("ts/yaml_form_put", tests, NULL, NULL);
}
