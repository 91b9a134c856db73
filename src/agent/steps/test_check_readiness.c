/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/readiness.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/facts/facts.h"
#include "agent/steps/test_bench.h"
#include "plat/file.h"

static char root[] = "/tmp/slipway-test-XXXXXX";

static const struct readiness good = {
    .memory_mib = 8192,
    .speed_mhz = 2900,
    .disk_mib = 50000,
    .has_os = true,
    .os_bits = 64,
    .os_version = "12",
    .os_language = 1033,
    .is_on_mains = true,
    .has_network = true,
    .is_wired = true,
    .is_uefi = true,
    .has_tpm_2 = true,
};

#define ON(name)        STEP_VARIABLE(name, "true")
#define OFF(name)       STEP_VARIABLE(name, "false")
#define WITH(name, val) STEP_VARIABLE(name, val)
#define NO_DEFAULTS     OFF("OSDCheckMemory") OFF("OSDCheckProcessorSpeed") OFF("OSDCheckOSType")

struct rule {
    const char *name;
    const char *variables; /* of the step, which checks just this */
    const char *result;    /* the variable that says how it went */
    struct readiness bad;
};

static const struct rule rules[] = {
    {"memory",
     WITH("OSDMemory", "8192") ON("OSDCheckMemory"),
     "_TS_CRMEMORY",
     {.memory_mib = 8191}},
    {"speed",
     WITH("OSDProcessorSpeed", "2900") ON("OSDCheckProcessorSpeed"),
     "_TS_CRSPEED",
     {.speed_mhz = 2899}},
    {"disk",
     WITH("OSDFreeDiskSpace", "50000") ON("OSDCheckFreeDiskSpace"),
     "_TS_CRDISK",
     {.disk_mib = 49999}},
    {"type",
     WITH("OSDOSType", "client") ON("OSDCheckOSType"),
     "_TS_CROSTYPE",
     {.has_os = true, .is_server = true}},
    {"bits",
     WITH("OSDOSArchitecture", "64") ON("OSDCheckOSArchitecture"),
     "_TS_CRARCH",
     {.has_os = true, .os_bits = 32}},
    {"least version",
     WITH("OSDMinOSVersion", "12") ON("OSDCheckMinOSVersion"),
     "_TS_CRMINOSVER",
     {.has_os = true, .os_version = "11.9"}},
    {"most version",
     WITH("OSDMaxOSVersion", "12.0") ON("OSDCheckMaxOsVersion"),
     "_TS_CRMAXOSVER",
     {.has_os = true, .os_version = "12.1"}},
    {"language",
     WITH("OSDOSLanguageID", "1033") ON("OSDCheckOSLanguageID"),
     "_TS_CROSLANGUAGE",
     {.has_os = true, .os_language = 1031}},
    {"power", ON("OSDCheckPowerState"), "_TS_CRACPOWER", {.has_network = true}},
    {"network", ON("OSDCheckNetworkConnected"), "_TS_CRNETWORK", {.is_uefi = true}},
    {"wired", ON("OSDCheckNetworkWired"), "_TS_CRWIRED", {.has_network = true}},
    {"UEFI", ON("OSDCheckDeviceUEFI"), "_TS_CRUEFI", {.has_network = true}},
    {"TPM", ON("OSDCheckTPMEnabled"), "_TS_CRTPMENABLED", {.has_network = true}},
    {"TPM active", ON("OSDCheckTPMActivated"), "_TS_CRTPMACTIVATED", {.has_network = true}},
};

static void each_check_passes_and_fails_and_sets_its_variable_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        char variables[1024];

        /* what is switched on stands in front: of two variables of a name the first counts */
        (void)snprintf(variables, sizeof(variables), "%s" NO_DEFAULTS, rules[i].variables);

        OWN(step_bench_freep)
        struct step_bench *b = step_bench_new("PrestartCheckAction", "", variables);

        assert_int_equal(readiness_judge(&b->c, &good, &b->result), 0);
        assert_null(b->result.error_id);
        assert_string_equal(step_bench_get(b, rules[i].result), "1");
        assert_int_equal(readiness_judge(&b->c, &rules[i].bad, &b->result), 0);
        assert_string_equal(b->result.error_id, "SLW-0441");
        assert_int_equal(b->result.exit_code, 4316);
        assert_string_equal(step_bench_get(b, rules[i].result), "0");
        for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++)
            if (k != i)
                assert_string_equal(step_bench_get(b, rules[k].result), "");
    }
}

static void all_checks_run_even_if_the_first_fails(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new("PrestartCheckAction",
                                          "",
                                          WITH("OSDMemory", "999999") WITH("OSDProcessorSpeed", "1")
                                              ON("OSDCheckPowerState") ON("OSDCheckDeviceUEFI"));
    struct readiness found = good;

    found.is_uefi = false;
    assert_int_equal(readiness_judge(&b->c, &found, &b->result), 0);
    assert_string_equal(step_bench_get(b, "_TS_CRMEMORY"), "0");
    assert_string_equal(step_bench_get(b, "_TS_CRSPEED"), "1");
    assert_string_equal(step_bench_get(b, "_TS_CRACPOWER"), "1");
    assert_string_equal(step_bench_get(b, "_TS_CRUEFI"), "0");
    assert_non_null(strstr(b->result.message, "Memory (8192 MB, wanted 999999 MB)"));
    assert_non_null(strstr(b->result.message, "UEFI"));
    assert_null(strstr(b->result.message, "speed"));
}

static void a_step_without_settings_has_the_documented_defaults(void **state)
{
    (void)state;
    OWN(step_bench_freep) struct step_bench *b = step_bench_new("PrestartCheckAction", "", "");
    struct readiness found = good;

    found.memory_mib = 511;
    found.speed_mhz = 799;
    found.is_server = true;
    assert_int_equal(readiness_judge(&b->c, &found, &b->result), 0);
    assert_string_equal(step_bench_get(b, "_TS_CRMEMORY"), "0");
    assert_string_equal(step_bench_get(b, "_TS_CRSPEED"), "0");
    assert_string_equal(step_bench_get(b, "_TS_CROSTYPE"), "0");
    assert_string_equal(step_bench_get(b, "_TS_CRDISK"), "");
    assert_int_equal(readiness_judge(&b->c, &good, &b->result), 0);
    assert_null(b->result.error_id);
}

static void what_is_about_a_running_system_is_not_asked_in_the_boot_image(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b =
        step_bench_new("PrestartCheckAction",
                       "",
                       ON("OSDCheckMinOSVersion") WITH("OSDMinOSVersion", "10.0.16299"));
    struct readiness found = good;

    found.has_os = false;
    step_bench_set(b, "_TS_CRMINOSVER", "1"); /* of a step before */
    assert_int_equal(readiness_judge(&b->c, &found, &b->result), 0);
    assert_null(b->result.error_id);
    assert_string_equal(step_bench_get(b, "_TS_CRMINOSVER"), "");
    assert_string_equal(step_bench_get(b, "_TS_CROSTYPE"), "");
}

static void put(const char *path, const char *text)
{
    char full[512];

    (void)snprintf(full, sizeof(full), "%s/%s", root, path);
    char *slash = strrchr(full, '/');

    *slash = '\0';
    assert_int_equal(dir_make(full, 0700), 0);
    *slash = '/';
    assert_int_equal(file_write(full, bytes_of(text), 0600), 0);
}

static void a_laptop_on_battery_with_wireless_network_is_seen_as_one(void **state)
{
    (void)state;
    OWN(step_bench_freep) struct step_bench *b = step_bench_new("PrestartCheckAction", "", "");
    struct readiness found;

    step_bench_set_facts(
        b,
        "{\"version\": 1, \"classes\": {"
        "\"Win32_ComputerSystem\": [{\"TotalPhysicalMemory\": 8000000000}],"
        "\"Win32_PhysicalMemory\": [{\"Capacity\": 4294967296}, {\"Capacity\": \"4294967296\"}],"
        "\"Win32_Processor\": [{\"MaxClockSpeed\": 1600}],"
        "\"Win32_LogicalDisk\": [{\"DriveType\": 3, \"FreeSpace\": 1048576000},"
        "                        {\"DriveType\": 2, \"FreeSpace\": 9048576000}],"
        "\"Win32_DiskDrive\": [{\"Partitions\": 0, \"MediaType\": \"Fixed hard disk media\", \"Size\": 2097152000},"
        "    {\"Partitions\": 1, \"MediaType\": \"Fixed hard disk media\", \"Size\": 9097152000}],"
        "\"Win32_OperatingSystem\": [{\"Version\": \"41\", \"OSLanguage\": 1031}]}}");
    put("sys/class/power_supply/AC/type", "Mains\n");
    put("sys/class/power_supply/AC/online", "0\n");
    put("sys/class/net/lo/carrier", "1\n");
    put("sys/class/net/wlan0/device/x", "");
    put("sys/class/net/wlan0/phy80211/x", "");
    put("sys/class/net/wlan0/carrier", "1\n");
    put("sys/class/net/eth0/device/x", "");
    put("sys/class/net/eth0/carrier", "0\n");
    put("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "3400000\n");
    put("etc/os-release", "ID=fedora\nVARIANT_ID=server\n");
    b->machine.is_uefi = true;
    readiness_look(root, &b->c, &found);
    assert_int_equal(found.memory_mib, 8192);
    assert_int_equal(found.speed_mhz, 3400);
    assert_int_equal(found.disk_mib, 2000);
    assert_true(found.has_network);
    assert_false(found.is_wired);
    assert_false(found.is_on_mains);
    assert_true(found.is_uefi);
    assert_false(found.has_tpm_2);
    assert_true(found.is_server);
    assert_string_equal(found.os_version, "41");
    assert_int_equal(found.os_language, 1031);
    put("sys/class/power_supply/AC/online", "1\n");
    put("sys/class/net/eth0/carrier", "1\n");
    put("etc/os-release", "ID=debian\n");
    put("etc/systemd/system/display-manager.service", "");
    readiness_look(root, &b->c, &found);
    assert_true(found.is_on_mains);
    assert_true(found.is_wired);
    assert_false(found.is_server);
}

static void a_step_as_it_is_added_passes_on_a_linux_without_editions(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new("PrestartCheckAction",
                                          "",
                                          WITH("OSDMemory", "64") WITH("OSDProcessorSpeed", "100")
                                              ON("OSDCheckOSType") WITH("OSDOSType", "CLIENT"));
    static const char *const releases[] = {"ID=debian\n", "ID=debian\nVARIANT_ID=cloud\n"};
    struct readiness found = good;

    char full[512];

    (void)snprintf(full, sizeof(full), "%s/etc/systemd/system/display-manager.service", root);
    assert_true(remove(full) == 0 || errno == ENOENT);
    for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
        put("etc/os-release", releases[i]);
        readiness_look(root, &b->c, &found);
        found.memory_mib = good.memory_mib;
        found.speed_mhz = good.speed_mhz;
        found.has_os = true;
        assert_int_equal(readiness_judge(&b->c, &found, &b->result), 0);
        assert_null(b->result.error_id);
        assert_string_equal(step_bench_get(b, "_TS_CROSTYPE"), "1");
    }
    assert_non_null(strstr(buf_str(&b->log), "\"CLIENT\" is met"));
    put("etc/os-release", "ID=fedora\nVARIANT_ID=\"server\"\n");
    readiness_look(root, &b->c, &found);
    found.has_os = true;
    assert_int_equal(readiness_judge(&b->c, &found, &b->result), 0);
    assert_string_equal(step_bench_get(b, "_TS_CROSTYPE"), "0");
}

static void this_computer_meets_what_every_computer_meets(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new("PrestartCheckAction",
                                          "",
                                          WITH("OSDMemory", "64") WITH("OSDProcessorSpeed", "100")
                                              OFF("OSDCheckOSType"));

    assert_int_equal(machine_collect(&b->machine), 0);
    assert_int_equal(facts_gather("", &b->machine, &b->table), 0);
    b->facts = ts_table_facts(b->table);
    b->c.facts = &b->facts;
    assert_null(step_bench_run(b));
    assert_string_equal(step_bench_get(b, "_TS_CRMEMORY"), "1");
    assert_string_equal(step_bench_get(b, "_TS_CRSPEED"), "1");
    assert_non_null(strstr(buf_str(&b->log), "Memory: met: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_check_passes_and_fails_and_sets_its_variable_and_no_other),
        cmocka_unit_test(all_checks_run_even_if_the_first_fails),
        cmocka_unit_test(a_step_without_settings_has_the_documented_defaults),
        cmocka_unit_test(what_is_about_a_running_system_is_not_asked_in_the_boot_image),
        cmocka_unit_test(a_laptop_on_battery_with_wireless_network_is_seen_as_one),
        cmocka_unit_test(a_step_as_it_is_added_passes_on_a_linux_without_editions),
        cmocka_unit_test(this_computer_meets_what_every_computer_meets),
    };

    if (!mkdtemp(root))
        return 1;

    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    (void)dir_remove(root);
    return n_failed;
}
