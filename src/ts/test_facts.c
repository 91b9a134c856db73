/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/facts.h"

#include "ts/test_ts.h"

DEFINE_FREEP(struct ts_table *, ts_table_free);

static void classes_are_found_by_namespace_however_it_is_written(void **state)
{
    (void)state;
    OWN(ts_table_freep) struct ts_table *table = NULL;
    static const char *const spellings[] = {"root\\cimv2",
                                            "ROOT\\CIMV2",
                                            "root/cimv2",
                                            "\\\\.\\root\\cimv2",
                                            "//./root/cimv2",
                                            "root\\cimv2\\",
                                            ""};

    assert_int_equal(ts_table_new(&table), 0);
    assert_non_null(ts_table_class(table, TS_CIMV2, "Win32_X"));
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
        assert_non_null(ts_table_find(table, spellings[i], "WIN32_x"));
    assert_null(ts_table_find(table, "root\\wmi", "Win32_X"));
    assert_null(ts_table_find(table, "root\\cimv2x", "Win32_X"));
    assert_null(ts_table_find(table, "", "Win32_Y"));
}

static void a_property_that_is_added_again_becomes_an_array(void **state)
{
    (void)state;
    OWN(ts_table_freep) struct ts_table *table = NULL;

    assert_int_equal(ts_table_new(&table), 0);

    struct ts_instance *i = ts_class_add(table, ts_table_class(table, "", "X"));

    ts_instance_add_number(table, i, "A", 1);
    assert_false(ts_instance_find(i, "a")->is_array);
    ts_instance_add_text(table, i, "a", "2");
    assert_true(ts_instance_find(i, "A")->is_array);
    assert_int_equal(ts_instance_find(i, "A")->n_values, 2);
    ts_instance_add_array(table, i, "B");
    assert_true(ts_instance_find(i, "B")->is_array);
    assert_int_equal(ts_instance_find(i, "B")->n_values, 0);
    assert_false(ts_table_failed(table));
}

static void a_table_that_is_full_says_so(void **state)
{
    (void)state;
    OWN(ts_table_freep) struct ts_table *table = NULL;

    assert_int_equal(ts_table_new(&table), 0);

    struct ts_instance *i = ts_class_add(table, ts_table_class(table, "", "X"));

    ts_instance_add_null(table, i, "A");
    for (int n = 0; n < TS_TABLE_MAX; n++)
        ts_instance_add_number(table, i, "A", n);
    assert_true(ts_table_failed(table));
    assert_null(ts_class_add(table, ts_table_class(table, "", "Y")));
}

static void a_volume_is_there_if_a_fixed_one_is(void **state)
{
    (void)state;
    static const struct {
        const char *class_name;
        int64_t type;
        bool is_there;
    } cases[] = {
        {"Win32_Volume", 3, true},
        {"Win32_LogicalDisk", 3, true},
        {"Win32_LogicalDisk", 2, false},
        {"Win32_CDROMDrive", 3, false},
    };

    assert_false(ts_facts_have_volume(NULL));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_table_freep) struct ts_table *table = NULL;

        assert_int_equal(ts_table_new(&table), 0);
        ts_instance_add_number(
            table,
            ts_class_add(table, ts_table_class(table, TS_CIMV2, cases[i].class_name)),
            "DriveType",
            cases[i].type);

        const struct ts_facts facts = ts_table_facts(table);

        assert_int_equal(ts_facts_have_volume(&facts), cases[i].is_there);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_found_by_namespace_however_it_is_written),
        cmocka_unit_test(a_property_that_is_added_again_becomes_an_array),
        cmocka_unit_test(a_table_that_is_full_says_so),
        cmocka_unit_test(a_volume_is_there_if_a_fixed_one_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
