/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_types.h"

#include "ts/test_ts.h"

static void the_table_has_every_documented_type_and_the_two_legacy_ones(void **state)
{
    (void)state;
    const struct ts_step_type *type;
    size_t n_documented = 0;
    size_t n_legacy = 0;

    for (size_t i = 0; (type = ts_step_type_at(i)) != NULL; i++) {
        n_documented += type->is_legacy ? 0 : 1;
        n_legacy += type->is_legacy ? 1 : 0;
        assert_true(type->is_legacy == (type->documented[0] == '\0'));
        assert_ptr_equal(ts_step_type_find(type->type), type);
        assert_ptr_equal(ts_step_type_find(type->display_name), type);
        assert_non_null(ts_category_name(type->category));
    }
    assert_int_equal(n_documented, 34);
    assert_int_equal(n_legacy, 2);
}

static void each_property_is_found_by_its_name_and_by_its_variable(void **state)
{
    (void)state;
    const struct ts_step_type *type;

    for (size_t i = 0; (type = ts_step_type_at(i)) != NULL; i++) {
        for (size_t k = 0; k < type->n_properties; k++) {
            const struct ts_property *p = &type->properties[k];

            assert_non_null(p->name);
            assert_non_null(p->label);
            assert_non_null(ts_kind_name(p->kind));
            assert_true((p->kind == TS_KIND_CHOICE) == (p->choices != NULL));
            assert_true(p->min <= p->max);
            if (!strchr(p->variable, '#'))
                assert_ptr_equal(ts_property_find(type, p->variable), p);
        }
    }
}

static void an_element_of_an_array_is_found_by_its_number(void **state)
{
    (void)state;
    const struct ts_step_type *type = ts_step_type_find("format and partition disk");

    assert_string_equal(ts_property_find(type, "osdpartitions12size")->name, "Partitions#Size");
    assert_string_equal(ts_property_find(type, "Partitions0Type")->variable, "OSDPartitions#Type");
    assert_null(ts_property_find(type, "OSDPartitionsSize"));
    assert_null(ts_property_find(type, "OSDPartitions1SizeX"));
    assert_null(ts_property_find(NULL, "OSDDiskIndex"));
}

static void passwords_and_keys_are_secret(void **state)
{
    (void)state;
    const struct ts_step_type *join =
        ts_step_type_find("SMS_TaskSequence_JoinDomainWorkgroupAction");

    assert_true(ts_property_is_secret(ts_property_find(join, "OSDJoinPassword")));
    assert_false(ts_property_is_secret(ts_property_find(join, "OSDJoinAccount")));
    assert_true(ts_name_is_secret("SafeModeAdminPassword"));
    assert_true(ts_name_is_secret("OsProductKey"));
    assert_false(ts_name_is_secret("ScriptName"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_every_documented_type_and_the_two_legacy_ones),
        cmocka_unit_test(each_property_is_found_by_its_name_and_by_its_variable),
        cmocka_unit_test(an_element_of_an_array_is_found_by_its_number),
        cmocka_unit_test(passwords_and_keys_are_secret),
    };

    return cmocka_run_group_tests_name("ts/step_types", tests, NULL, NULL);
}
