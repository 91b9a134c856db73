/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form_parts.h"

#include "ts/test_ts.h"

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

static void the_words_for_operators_are_the_editors(void **state)
{
    (void)state;
    assert_string_equal(ts_yaml_word("not"), "none");
    assert_string_equal(ts_yaml_type("any"), "or");
    assert_null(ts_yaml_word("xor"));
    assert_null(ts_yaml_type("some"));
    assert_true(ts_yaml_is_operator("NotEquals"));
    assert_false(ts_yaml_is_operator("resembles"));
    assert_string_equal(ts_yaml_main_attribute("osExpressionGroup"), "name");
    assert_null(ts_yaml_main_attribute("condition"));
}

static void a_key_with_a_blank_is_never_an_attribute(void **state)
{
    (void)state;
    static const char *const keys[] = {TS_YAML_SPACE,
                                       TS_YAML_COMMENT_TEXT,
                                       TS_YAML_BEFORE_ALL,
                                       TS_YAML_ATTRIBUTES,
                                       TS_YAML_ORDERS};
    char key[TS_YAML_FIELD_MAX];

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_int_not_equal(xmlValidateNCName((const xmlChar *)keys[i], 0), 0);
    assert_true(ts_yaml_is_key("steps"));
    assert_false(ts_yaml_is_key("runIn"));
    assert_string_equal(ts_yaml_key_of_field("VersionOperator", key), "versionOperator");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_attributes_of_a_variable_come_from_the_table),
        cmocka_unit_test(the_words_for_operators_are_the_editors),
        cmocka_unit_test(a_key_with_a_blank_is_never_an_attribute),
    };

    return cmocka_run_group_tests_name("ts/yaml_form_words", tests, NULL, NULL);
}
