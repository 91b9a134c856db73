/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_types_parts.h"

#include "ts/test_step_types.h"

static const struct type_fact types[] = {
    {"Format and Partition Disk", TS_RUN_IN_BOOT_IMAGE, false, "0", 0},
    {"Convert Disk to Dynamic", TS_RUN_IN_BOTH, true, "0", 0},
    {"Enable BitLocker", TS_RUN_IN_FULL_OS, true, "0", 0},
    {"Disable BitLocker", TS_RUN_IN_FULL_OS, true, "0", 0},
    {"Pre-provision BitLocker", TS_RUN_IN_BOOT_IMAGE, true, "0", 0},
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
};

static void disks_steps_run_where_they_are_documented_to(void **state)
{
    (void)state;
    ASSERT_TYPES(types);
    ASSERT_NONE_LEFT_OUT(types, ts_step_types_disks, n_ts_step_types_disks);
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
