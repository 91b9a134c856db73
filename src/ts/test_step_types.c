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

static void every_type_says_where_it_runs_and_what_it_runs(void **state)
{
    (void)state;
    const struct ts_step_type *type;

    for (size_t i = 0; (type = ts_step_type_at(i)) != NULL; i++) {
        assert_true(type->run_in >= TS_RUN_IN_BOOT_IMAGE && type->run_in <= TS_RUN_IN_BOTH);
        assert_true(type->success_codes[0] == '0');
        if (strcmp(type->type, "SMS_TaskSequence_SubTasksequence") != 0)
            assert_true(type->command[0] != '\0');
        assert_true(type->n_properties > 0);
    }
}

static void no_property_is_named_twice(void **state)
{
    (void)state;
    const struct ts_step_type *type;

    for (size_t i = 0; (type = ts_step_type_at(i)) != NULL; i++)
        for (size_t k = 0; k < type->n_properties; k++)
            for (size_t m = 0; m < k; m++)
                assert_string_not_equal(type->properties[k].variable, type->properties[m].variable);
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
    assert_true(ts_name_is_secret("UserPwdHash"));
    assert_true(ts_name_is_secret("CLIENT_SECRET_VALUE"));
    assert_true(ts_name_is_secret("DbPasswdText"));
    assert_true(ts_name_is_secret("AccessToken"));
    assert_false(ts_name_is_secret("TokenGroups"));
    assert_false(ts_name_is_secret("Shipping"));
    assert_false(ts_name_is_secret("ScriptName"));
}

/* "Whether there is to be a password" is none. */
static void a_name_is_as_secret_as_the_table_says(void **state)
{
    (void)state;
    const struct ts_step_type *type;

    for (size_t i = 0; (type = ts_step_type_at(i)) != NULL; i++) {
        for (size_t k = 0; k < type->n_properties; k++) {
            const struct ts_property *p = &type->properties[k];

            if (ts_property_is_secret(p))
                continue;
            if (ts_name_is_secret(p->name) || ts_name_is_secret(p->variable))
                fail_msg("%s %s", p->name, p->variable);
        }
    }
    assert_true(ts_name_is_secret("OSDBitLockerRecoveryPassword"));
}

static void there_are_no_more_types_than_is_said(void **state)
{
    (void)state;
    size_t n = 0;

    while (ts_step_type_at(n))
        n++;
    assert_true(n > 30 && n <= TS_STEP_TYPES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_no_more_types_than_is_said),
        cmocka_unit_test(the_table_has_every_documented_type_and_the_two_legacy_ones),
        cmocka_unit_test(every_type_says_where_it_runs_and_what_it_runs),
        cmocka_unit_test(no_property_is_named_twice),
        cmocka_unit_test(each_property_is_found_by_its_name_and_by_its_variable),
        cmocka_unit_test(an_element_of_an_array_is_found_by_its_number),
        cmocka_unit_test(passwords_and_keys_are_secret),
        cmocka_unit_test(a_name_is_as_secret_as_the_table_says),
    };

    return cmocka_run_group_tests_name("ts/step_types", tests, NULL, NULL);
}
