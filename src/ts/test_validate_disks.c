/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/test_validate.h"

#define PART(i, type, more) VALUE("OSDPartitions" #i "Type", type) more
#define SIZE(i, size, units) \
    VALUE("OSDPartitions" #i "Size", size) VALUE("OSDPartitions" #i "SizeUnits", units)
#define FS(i, file_system) VALUE("OSDPartitions" #i "FileSystem", file_system)
#define MBR                VALUE("OSDPartitionStyle", "MBR")
#define GPT                VALUE("OSDPartitionStyle", "GPT")
#define ROOT(i)            PART(i, "Primary", FS(i, "ext4"))
#define SMALL(i)           PART(i, "Primary", SIZE(i, "500", "MB") FS(i, "ext4"))

static void partitions_that_no_disk_can_have_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *values;
        const char *wanted;
    } cases[] = {
        {"", ""}, /* the step makes its own */
        {GPT PART(0, "EFI", SIZE(0, "500", "MB")) PART(1, "MSR", SIZE(1, "128", "MB")) ROOT(2), ""},
        {MBR SMALL(0) SMALL(1) SMALL(2) ROOT(3), ""},
        {MBR SMALL(0) SMALL(1) SMALL(2) SMALL(3) ROOT(4), "SLW-0454!"},
        {SMALL(0) SMALL(1) SMALL(2) SMALL(3) ROOT(4), ""}, /* by UEFI it is a GPT disk */
        {MBR SMALL(0) PART(1, "Extended", "") PART(2, "Logical", FS(2, "ext4")), ""},
        {MBR SMALL(0) PART(1, "Logical", FS(1, "ext4")), "SLW-0454!"},
        {MBR SMALL(0) PART(1, "Extended", SIZE(1, "5", "GB")) PART(2, "Extended", ""), "SLW-0454!"},
        {GPT SMALL(0) PART(1, "Extended", ""), "SLW-0454!"},
        {PART(0, "MSR", SIZE(0, "16", "MB")) PART(1, "Logical", "") ROOT(2), "SLW-0454!"},
        {PART(0, "MSR", SIZE(0, "16", "MB")) PART(1, "Extended", "")
             PART(2, "Logical", FS(2, "ext4")),
         "SLW-0454!"}, /* each on some disk, but no disk has them all */
        {MBR PART(0, "MSR", SIZE(0, "16", "MB")) ROOT(1), "SLW-0454!"},
        {MBR PART(0, "EFI", SIZE(0, "500", "MB")) ROOT(1), ""},
        {ROOT(0) ROOT(1), "SLW-0452!"}, /* nothing is left for the second */
        {ROOT(0) ROOT(1) ROOT(2), "SLW-0452! SLW-0452!"},
        {PART(0, "Primary", SIZE(0, "60", "Percent") FS(0, "ext4"))
             PART(1, "Primary", SIZE(1, "60", "Percent") FS(1, "ext4")),
         ""}, /* of what is left */
        {PART(0, "Primary", SIZE(0, "100", "Percent") FS(0, "ext4")) SMALL(1), "SLW-0452!"},
        {PART(0, "Primary", SIZE(0, "101", "%") FS(0, "ext4")), "SLW-0454!"},
        {PART(0, "Primary", SIZE(0, "0", "MB") FS(0, "ext4")), "SLW-0454!"},
        {PART(0, "Primary", SIZE(0, "1", "TB") FS(0, "ext4")), "SLW-0454!"},
        {PART(0, "Secondary", FS(0, "ext4")), "SLW-0454!"},
        {PART(0, "Primary", FS(0, "ext3")), "SLW-0454!"},
        {PART(0, "Primary", FS(0, "vfat")) ROOT(1), "SLW-0452!"},
        {PART(0, "Primary", FS(0, "ext4") VALUE("OSDPartitions0VolumeLetterVariable", "_x")),
         "SLW-0454!"},
        {PART(0, "EFI", SIZE(0, "20", "MB")) ROOT(1), "SLW-0452!"}, /* FAT32 is larger */
        {PART(0, "Primary", SIZE(0, "100", "MB") FS(0, "xfs")) ROOT(1), "SLW-0452!"},
        {MBR PART(0, "Primary", SIZE(0, "20", "GB") VALUE("OSDPartitions0Bootable", "true"))
             PART(1, "Primary", FS(1, "ext4") VALUE("OSDPartitions1Bootable", "true")),
         "SLW-0454!"},
        {PART(0, "Primary", FS(0, "FAT32")), "SLW-0452!"}, /* no place for the operating system */
        {PART(0, "Primary", SIZE(0, "200", "MB") FS(0, "ext4")), "SLW-0452!"},
        {ROOT(0) SIZE(1, "5", "GB"), "SLW-0454"}, /* it has no type */
        {VALUE("OSDPartitionStyle", "APM") ROOT(0) ROOT(1), "SLW-0181!"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(8192);
        OWN(buf_fini) struct buf values = BUF_INIT(8192);

        buf_addf(&values, "%s", cases[i].values);
        buf_addf(&xml, SEQUENCE(STEP_OF("PartitionDisk", "%s")), buf_str(&values));
        finds(buf_str(&xml), cases[i].wanted);
    }
}

static void the_rest_is_told_as_well(void **state)
{
    (void)state;
    finds(SEQUENCE(STEP_OF("PartitionDisk",
                           MBR SMALL(0) PART(1, "MSR", SIZE(1, "16", "MB"))
                               PART(2, "Logical", SIZE(2, "5", "GB"))
                                   PART(3, "Primary", SIZE(3, "1", "MB") FS(3, "ext4")) ROOT(4))),
          "SLW-0454! SLW-0454! SLW-0452!");
    finds(SEQUENCE(STEP_OF("PartitionDisk",
                           MBR PART(0, "Primary", SIZE(0, "120", "Percent"))
                               PART(1, "MSR", SIZE(1, "16", "MB")) ROOT(2))),
          "SLW-0454! SLW-0454!");
}

static void what_a_variable_decides_is_not_told(void **state)
{
    (void)state;
    finds(
        SEQUENCE(STEP_OF("PartitionDisk",
                         MBR SMALL(0) SMALL(1) SMALL(2) SMALL(3) PART(4, "%Type%", FS(4, "ext4")))),
        "");
    finds(SEQUENCE(STEP_OF("PartitionDisk", ROOT(0) PART(1, "Primary", SIZE(1, "%Size%", "MB")))),
          "SLW-0452!"); /* whatever it is: nothing is left */
    finds(SEQUENCE(STEP_OF("PartitionDisk",
                           PART(0, "Primary", SIZE(0, "%Percent%", "Percent") FS(0, "%FS%"))
                               ROOT(1))),
          "");
    finds(SEQUENCE(STEP_OF("PartitionDisk", PART(0, "Primary", FS(0, "%FS%")))), "");
    finds(SEQUENCE(STEP_OF("SetVariable",
                           VALUE("VariableName", "OSDPartitionStyle") VALUE("VariableValue", "GPT"))
                       STEP_OF("PartitionDisk", MBR SMALL(0) SMALL(1) SMALL(2) SMALL(3) ROOT(4))),
          "");
}

static void a_second_disk_needs_no_place_for_the_operating_system(void **state)
{
    (void)state;
    finds(SEQUENCE(STEP_OF("PartitionDisk", ROOT(0)) STEP_OF(
              "PartitionDisk", VALUE("OSDDiskIndex", "1") PART(0, "Primary", FS(0, "FAT32")))),
          "");
}

static void a_variable_that_chooses_the_disk_is_held_against_the_same_rules(void **state)
{
    (void)state;
    finds(SEQUENCE(STEP_OF("SetVariable",
                           VALUE("VariableName", "OSDDiskTransport")
                               VALUE("VariableValue", "floppy")) STEP_OF("PartitionDisk", "")),
          "SLW-0181");
    finds(SEQUENCE(STEP_OF("SetVariable",
                           VALUE("VariableName", "OSDDiskTransport") VALUE("VariableValue", "nvme"))
                       STEP_OF("PartitionDisk", "")),
          "");
    finds(SEQUENCE(STEP_OF("SetVariable",
                           VALUE("VariableName", "OSDDiskTransport")
                               VALUE("VariableValue", "floppy"))),
          ""); /* nobody reads it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_that_no_disk_can_have_are_told),
        cmocka_unit_test(the_rest_is_told_as_well),
        cmocka_unit_test(what_a_variable_decides_is_not_told),
        cmocka_unit_test(a_second_disk_needs_no_place_for_the_operating_system),
        cmocka_unit_test(a_variable_that_chooses_the_disk_is_held_against_the_same_rules),
    };

    return cmocka_run_group_tests_name("ts/validate_disks", tests, NULL, NULL);
}
