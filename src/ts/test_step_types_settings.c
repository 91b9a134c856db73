/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_types_parts.h"

#include "ts/test_step_types.h"

static const struct type_fact types[] = {
    {"Capture Network Settings", TS_RUN_IN_FULL_OS, false, "0", 0},
    {"Capture Windows Settings", TS_RUN_IN_BOTH, false, "0", 0},
    {"Apply Network Settings", TS_RUN_IN_BOOT_IMAGE, false, "0", 0},
    {"Apply Windows Settings", TS_RUN_IN_BOOT_IMAGE, false, "0", 0},
};

static const struct property_fact properties[] = {
    {"Capture Network Settings",
     "OSDMigrateAdapterSettings",
     "MigrateAdapterSettings",
     "true",
     0,
     0,
     false},
    {"Capture Windows Settings",
     "OSDMigrateComputerName",
     "MigrateComputerName",
     "true",
     0,
     0,
     false},
    {"Capture Windows Settings",
     "OSDMigrateRegistrationInfo",
     "MigrateRegistrationInfo",
     "true",
     0,
     0,
     false},
    {"Capture Windows Settings", "OSDMigrateTimeZone", "MigrateTimeZone", "true", 0, 0, false},
    {"Apply Network Settings", "OSDNetworkJoinType", "NetworkJoinType", NULL, 0, 0, false},
    {"Apply Network Settings", "OSDWorkgroupName", "WorkgroupName", NULL, 1, 32, false},
    {"Apply Network Settings",
     "OSDAdapter0MacAddress",
     "AdapterInfo#MacAddress",
     NULL,
     0,
     0,
     false},
    {"Apply Network Settings",
     "OSDAdapter0EnableDHCP",
     "AdapterInfo#EnableDHCP",
     NULL,
     0,
     0,
     false},
    {"Apply Network Settings",
     "OSDEnableTCPIPFiltering",
     "EnableTCPIPFiltering",
     "false",
     0,
     0,
     true},
    {"Apply Windows Settings",
     "OSDComputerName",
     "ComputerName",
     "%_SMSTSMachineName%",
     0,
     0,
     false},
    {"Apply Windows Settings",
     "OSDRandomAdminPassword",
     "RandomAdminPassword",
     "true",
     0,
     0,
     false},
    {"Apply Windows Settings", "SLWUserName", "SLWUserName", NULL, 0, 0, false},
    {"Apply Windows Settings", "SLWUserPassword", "SLWUserPassword", NULL, 0, 0, false},
    {"Apply Windows Settings", "SLWUserSSHKey", "SLWUserSSHKey", NULL, 0, 0, false},
    {"Apply Windows Settings", "OSDTimeZone", "TimeZone", NULL, 0, 0, false},
    {"Apply Windows Settings", "OSDProductKey", "ProductKey", NULL, 1, 255, true},
    {"Apply Windows Settings",
     "OSDServerLicenseConnectionLimit",
     "ServerLicenseConnectionLimit",
     NULL,
     5,
     9999,
     true},
};

static void settings_steps_run_where_they_are_documented_to(void **state)
{
    (void)state;
    ASSERT_TYPES(types);
    ASSERT_NONE_LEFT_OUT(types, ts_step_types_settings, n_ts_step_types_settings);
}

static void settings_settings_have_the_documented_names_defaults_and_limits(void **state)
{
    (void)state;
    ASSERT_PROPERTIES(properties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_steps_run_where_they_are_documented_to),
        cmocka_unit_test(settings_settings_have_the_documented_names_defaults_and_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
