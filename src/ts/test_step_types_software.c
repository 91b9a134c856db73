/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_types_parts.h"

#include "ts/test_step_types.h"

static const struct type_fact types[] = {
    {"Install Application", TS_RUN_IN_FULL_OS, false, "0", 2},
    {"Install Package", TS_RUN_IN_FULL_OS, false, "0", 0},
    {"Install Software Updates", TS_RUN_IN_FULL_OS, false, "0", 2},
    {"Download Package Content", TS_RUN_IN_BOTH, false, "0", 0},
};

static const struct property_fact properties[] = {
    {"Install Application", "OSDAppInstallRetries", "OSDAppInstallRetries", "0", 0, 0, false},
    {"Install Application",
     "OSDAppInstallRetryTimeout",
     "OSDAppInstallRetryTimeout",
     "30000",
     0,
     0,
     false},
    {"Install Application", "OSDAppClearCache", "ClearCache", NULL, 0, 0, false},
    {"Install Application", "RetryCount", "RetryCount", "2", 0, 0, false},
    {"Install Package", "_SMSSWDProgramName", "ProgramName", NULL, 0, 0, false},
    {"Install Software Updates", "SMSInstallUpdateTarget", "Target", "Mandatory", 0, 0, false},
    {"Install Software Updates",
     "SMSTSSoftwareUpdateScanUseCache",
     "UseCache",
     "true",
     0,
     0,
     false},
    {"Install Software Updates",
     "SMSTSSoftwareUpdateScanTimeout",
     "SMSTSSoftwareUpdateScanTimeout",
     "3600",
     0,
     0,
     false},
    {"Download Package Content",
     "OSDDownloadDestinationLocationType",
     "DestinationLocationType",
     "TSCache",
     0,
     0,
     false},
    {"Download Package Content",
     "OSDDownloadContinueDownloadOnError",
     "ContinueDownloadOnError",
     "true",
     0,
     0,
     false},
    {"Download Package Content",
     "OSDPackage0PackageId",
     "PackageInfo#PackageId",
     NULL,
     0,
     0,
     false},
};

static void software_steps_run_where_they_are_documented_to(void **state)
{
    (void)state;
    ASSERT_TYPES(types);
    ASSERT_NONE_LEFT_OUT(types, ts_step_types_software, n_ts_step_types_software);
}

static void software_settings_have_the_documented_names_defaults_and_limits(void **state)
{
    (void)state;
    ASSERT_PROPERTIES(properties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(software_steps_run_where_they_are_documented_to),
        cmocka_unit_test(software_settings_have_the_documented_names_defaults_and_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
