/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_types_parts.h"

#include "ts/test_step_types.h"

static const struct type_fact types[] = {
    {"Format and Partition Disk", TS_RUN_IN_BOOT_IMAGE, false, "0", 0},
    {"Convert Disk to Dynamic", TS_RUN_IN_BOTH, true, "0", 0},
    {"Enable BitLocker", TS_RUN_IN_FULL_OS, true, "0", 0},
    {"Disable BitLocker", TS_RUN_IN_FULL_OS, true, "0", 0},
    {"Pre-provision BitLocker", TS_RUN_IN_BOOT_IMAGE, true, "0", 0},
    {"Request State Store", TS_RUN_IN_BOTH, true, "0", 0},
    {"Capture User State", TS_RUN_IN_BOTH, true, "0", 0},
    {"Restore User State", TS_RUN_IN_FULL_OS, true, "0", 0},
    {"Release State Store", TS_RUN_IN_BOTH, true, "0", 0},
    {"Auto Apply Drivers", TS_RUN_IN_BOOT_IMAGE, true, "0", 0},
    {"Apply Driver Package", TS_RUN_IN_BOOT_IMAGE, true, "0", 0},
};

static const struct property_fact properties[] = {
    {"Format and Partition Disk", "OSDDiskIndex", "DiskIndex", NULL, 0, 10000, false},
    {"Format and Partition Disk", "OSDDiskIndexVariable", "DiskIndexVariable", NULL, 0, 0, false},
    {"Format and Partition Disk", "OSDGPTBootDisk", "GPTBootDisk", "false", 0, 0, false},
    {"Format and Partition Disk", "OSDPartitionStyle", "PartitionStyle", NULL, 0, 0, false},
    {"Format and Partition Disk",
     "OSDPartitions0SizeUnits",
     "Partitions#SizeUnits",
     "MB",
     0,
     0,
     false},
    {"Format and Partition Disk",
     "OSDPartitions0VolumeLetterVariable",
     "Partitions#VolumeLetterVariable",
     NULL,
     0,
     0,
     false},
    {"Format and Partition Disk",
     "OSDPartitions0QuickFormat",
     "Partitions#QuickFormat",
     NULL,
     0,
     0,
     false},
    {"Convert Disk to Dynamic", "OSDConvertDiskIndex", "DiskIndex", NULL, 0, 0, false},
    {"Enable BitLocker", "OSDBitLockerMode", "Mode", NULL, 0, 0, false},
    {"Enable BitLocker", "OSDBitLockerEncryptMethod", "EncryptMethod", NULL, 0, 0, false},
    {"Enable BitLocker",
     "OSDRecoveryKeyPollingFrequency",
     "OSDRecoveryKeyPollingFrequency",
     "300",
     0,
     0,
     false},
    {"Enable BitLocker",
     "OSDRecoveryKeyPollingTimeout",
     "OSDRecoveryKeyPollingTimeout",
     "1800",
     0,
     0,
     false},
    {"Disable BitLocker", "OSDBitLockerRebootCount", "RebootCount", "1", 1, 15, false},
    {"Capture User State", "OSDMigrateMode", "Mode", "Simple", 0, 0, false},
    {"Capture User State",
     "OSDMigrateContinueOnLockedFiles",
     "ContinueOnLockedFiles",
     "true",
     0,
     0,
     false},
    {"Capture User State",
     "OSDMigrateSkipEncryptedFiles",
     "SkipEncryptedFiles",
     "false",
     0,
     0,
     false},
    {"Restore User State", "OSDMigrateContinueOnRestore", "ContinueOnRestore", "true", 0, 0, false},
    {"Restore User State", "OSDMigrateLocalAccounts", "LocalAccounts", "false", 0, 0, false},
    {"Auto Apply Drivers", "OSDAutoApplyDriverBestMatch", "BestMatch", "true", 0, 0, false},
    {"Request State Store", "OSDStateFallbackToNAA", "FallbackToNAA", "false", 0, 0, false},
};

static void disks_steps_run_where_they_are_documented_to(void **state)
{
    (void)state;
    ASSERT_TYPES(types);
    for (size_t i = 0; i < n_ts_step_types_disks; i++) { /* none is left out above */
        bool is_known = false;

        for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
            is_known |= strcmp(types[k].name, ts_step_types_disks[i].display_name) == 0;
        if (!is_known)
            fail_msg("nothing is said of \"%s\"", ts_step_types_disks[i].display_name);
    }
}

static void disks_settings_have_the_documented_names_defaults_and_limits(void **state)
{
    (void)state;
    ASSERT_PROPERTIES(properties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disks_steps_run_where_they_are_documented_to),
        cmocka_unit_test(disks_settings_have_the_documented_names_defaults_and_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
