/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/engine_vars.h"

#include "ts/facts.h"
#include "ts/test_ts.h"

DEFINE_FREEP(struct ts_table *, ts_table_free);

static void a_start_sets_what_a_computer_is_told(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_engine_set(
                         &(struct ts_engine_start){
                             .is_os_deployment = true,
                             .package_id = "SLP00003",
                             .management_point = "https://10.77.0.1:8443",
                             .deployment_id = "SLP20001",
                         },
                         vars),
                     0);
    assert_string_equal(ts_vars_get(vars, "_SMSTSInWinPE"), "true");
    assert_string_equal(ts_vars_get(vars, "_SMSTSSiteCode"), "SLP");
    assert_string_equal(ts_vars_get(vars, "_SMSTSAdvertID"), "SLP20001");
    assert_string_equal(ts_vars_get(vars, "_SMSTSMPPort"), "8443");
    assert_string_equal(ts_vars_get(vars, "_SMSTSType"), "2");
    assert_string_equal(ts_vars_get(vars, "_SMSTSUserStarted"), "false");
    assert_string_equal(ts_vars_get(vars, "_SMSTSLaunchMode"), "PXE");
    assert_string_equal(ts_vars_get(vars, "_SMSTSPackageName"), "");
}

static void the_progress_text_is_the_one_of_the_site_or_the_name(void **state)
{
    static const char name[] = "_SMSTSCustomProgressDialogMessage";
    const struct ts_engine_start start = {.package_name = "Debian"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        OWN(ts_vars_freep) struct ts_vars *vars = NULL;

        assert_int_equal(ts_vars_new(&vars), 0);
        if (i == 1)
            assert_int_equal(ts_vars_set(vars, name, "Please wait", TS_BY_ENGINE), 0);
        assert_int_equal(ts_engine_set(&start, vars), 0);
        assert_string_equal(ts_vars_get(vars, name), i == 0 ? "Running: Debian" : "Please wait");
    }
}

static void the_content_option_says_where_content_is_used_from(void **state)
{
    static const char *const expected[][2] = {
        [TS_ENGINE_STREAM] = {"false", "true"},
        [TS_ENGINE_DOWNLOAD_WHEN_NEEDED] = {"true", "false"},
        [TS_ENGINE_DOWNLOAD_ALL_FIRST] = {"false", "false"},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        OWN(ts_vars_freep) struct ts_vars *vars = NULL;

        assert_int_equal(ts_vars_new(&vars), 0);
        assert_int_equal(
            ts_engine_set(&(struct ts_engine_start){.content = (enum ts_engine_content)i}, vars),
            0);
        assert_string_equal(ts_vars_get(vars, "_SMSTSDownloadOnDemand"), expected[i][0]);
        assert_string_equal(ts_vars_get(vars, "_SMSTSRunFromDP"), expected[i][1]);
    }
}

static void a_value_that_is_there_stays_if_that_is_wanted(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "_SMSTSLaunchMode", "SMS", TS_BY_ENGINE), 0);
    assert_int_equal(ts_engine_set(&(struct ts_engine_start){.keeps_values = true}, vars), 0);
    assert_string_equal(ts_vars_get(vars, "_SMSTSLaunchMode"), "SMS");
    assert_string_equal(ts_vars_get(vars, "_SMSTSMediaType"), "PXE");
    assert_int_equal(ts_engine_set(&(struct ts_engine_start){0}, vars), 0);
    assert_string_equal(ts_vars_get(vars, "_SMSTSLaunchMode"), "PXE");
}

static void addresses_are_those_of_the_facts_and_of_ipv4(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_table_freep) struct ts_table *table = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_table_new(&table), 0);
    for (int i = 0; i < 2; i++) {
        struct ts_instance *nic = ts_class_add(
            table, ts_table_class(table, TS_CIMV2, "Win32_NetworkAdapterConfiguration"));

        ts_instance_add_array(table, nic, "IPAddress");
        ts_instance_add_text(table, nic, "IPAddress", i == 0 ? "10.0.0.5" : "10.1.0.5");
        ts_instance_add_text(table, nic, "IPAddress", "fe80::1");
        ts_instance_add_text(table, nic, "MACAddress", i == 0 ? "52:54:00:00:00:01" : "");
    }
    ts_instance_add_text(
        table,
        ts_class_add(table, ts_table_class(table, TS_CIMV2, "Win32_ComputerSystem")),
        "Model",
        "of the facts");

    const struct ts_facts facts = ts_table_facts(table);

    assert_int_equal(ts_vars_set(vars, "_SMSTSModel", "given", TS_BY_ENGINE), 0);
    assert_int_equal(ts_engine_set_machine(&facts, vars), 0);
    assert_string_equal(ts_vars_get(vars, "_SMSTSIPAddresses"), "10.0.0.5,10.1.0.5");
    assert_string_equal(ts_vars_get(vars, "_SMSTSMacAddresses"), "52:54:00:00:00:01");
    assert_string_equal(ts_vars_get(vars, "_SMSTSModel"), "given");
    assert_string_equal(ts_vars_get(vars, "_SMSTSDefaultGateways"), "");
}

static void a_sequence_is_of_type_2_if_it_makes_an_operating_system(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *generic = parse_ok(SEQUENCE(STEP("a", "")));
    OWN(ts_document_freep)
    struct ts_document *osd = parse_ok(SEQUENCE(
        "<group name=\"g\"><step type=\"SMS_TaskSequence_ApplyOperatingSystemAction\" name=\"a\">"
        "<action/></step></group>"));

    assert_false(ts_engine_is_os_deployment(generic));
    assert_true(ts_engine_is_os_deployment(osd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_sets_what_a_computer_is_told),
        cmocka_unit_test(the_progress_text_is_the_one_of_the_site_or_the_name),
        cmocka_unit_test(the_content_option_says_where_content_is_used_from),
        cmocka_unit_test(a_value_that_is_there_stays_if_that_is_wanted),
        cmocka_unit_test(addresses_are_those_of_the_facts_and_of_ipv4),
        cmocka_unit_test(a_sequence_is_of_type_2_if_it_makes_an_operating_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
