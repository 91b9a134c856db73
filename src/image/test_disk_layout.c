/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/disk_layout.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */

#include <cmocka.h>

#define MIB ((uint64_t)1024 * 1024)
#define GIB (1024 * MIB)

static struct disk_wish wish(enum disk_size_unit unit, uint64_t size)
{
    return (struct disk_wish){
        .type = DISK_TYPE_PRIMARY, .file_system = DISK_FS_EXT4, .unit = unit, .size = size};
}

static void plan_places_one_behind_the_other_from_the_first_mebibyte(void **state)
{
    (void)state;
    const struct disk_wish wishes[] = {
        wish(DISK_SIZE_BYTES, 100 * MIB + 1), /* rounded up */
        wish(DISK_SIZE_PERCENT, 50),
        wish(DISK_SIZE_REST, 0),
    };
    struct disk_layout layout;

    assert_int_equal(disk_layout_plan(DISK_STYLE_GPT, wishes, 3, GIB, &layout), 0);
    assert_int_equal(layout.partitions[0].start_bytes, MIB);
    assert_int_equal(layout.partitions[0].size_bytes, 101 * MIB);
    assert_int_equal(layout.partitions[1].start_bytes, 102 * MIB);
    assert_int_equal(layout.partitions[1].size_bytes, 460 * MIB); /* half of 1023 - 102, down */
    assert_int_equal(layout.partitions[2].start_bytes, 562 * MIB);
    assert_int_equal(layout.partitions[2].size_bytes, (1023 - 562) * MIB);
}

static void plan_refuses_what_does_not_fit(void **state)
{
    (void)state;
    const struct disk_wish exact[] = {wish(DISK_SIZE_BYTES, 1022 * MIB)};
    const struct disk_wish more[] = {wish(DISK_SIZE_BYTES, 1022 * MIB + 1)};
    const struct disk_wish huge[] = {wish(DISK_SIZE_BYTES, UINT64_MAX)};
    const struct disk_wish after[] = {wish(DISK_SIZE_REST, 0), wish(DISK_SIZE_REST, 0)};
    struct disk_layout layout;

    assert_int_equal(disk_layout_plan(DISK_STYLE_GPT, exact, 1, GIB, &layout), 0);
    assert_int_equal(disk_layout_plan(DISK_STYLE_GPT, more, 1, GIB, &layout),
                     DISK_LAYOUT_E_TOO_SMALL);
    assert_int_equal(disk_layout_plan(DISK_STYLE_GPT, huge, 1, GIB, &layout),
                     DISK_LAYOUT_E_TOO_SMALL);
    assert_int_equal(disk_layout_plan(DISK_STYLE_GPT, after, 2, GIB, &layout),
                     DISK_LAYOUT_E_TOO_SMALL);
    assert_int_equal(disk_layout_plan(DISK_STYLE_GPT, exact, 1, 0, &layout),
                     DISK_LAYOUT_E_TOO_SMALL);
}

static void plan_keeps_the_limits_of_an_mbr(void **state)
{
    (void)state;
    const struct disk_wish five[5] = {
        wish(DISK_SIZE_BYTES, MIB),
        wish(DISK_SIZE_BYTES, MIB),
        wish(DISK_SIZE_BYTES, MIB),
        wish(DISK_SIZE_BYTES, MIB),
        wish(DISK_SIZE_BYTES, MIB),
    };
    const struct disk_wish rest[] = {wish(DISK_SIZE_REST, 0)};
    struct disk_layout layout;

    assert_int_equal(disk_layout_plan(DISK_STYLE_MBR, five, 5, GIB, &layout),
                     DISK_LAYOUT_E_TOO_MANY);
    assert_int_equal(disk_layout_plan(DISK_STYLE_MBR, five, 4, GIB, &layout), 0);
    assert_int_equal(disk_layout_plan(DISK_STYLE_GPT, five, 5, GIB, &layout), 0);
    assert_int_equal(disk_layout_plan(DISK_STYLE_MBR, rest, 1, 4096 * GIB, &layout), 0);
    assert_true(layout.partitions[0].start_bytes + layout.partitions[0].size_bytes <= 2048 * GIB);
}

static void default_fits_the_firmware(void **state)
{
    (void)state;
    struct disk_wish wishes[DISK_MBR_PARTITIONS_MAX];

    assert_int_equal(disk_layout_default(true, DISK_STYLE_GPT, 4 * GIB, wishes), 2);
    assert_int_equal(wishes[0].type, DISK_TYPE_EFI);
    assert_int_equal(wishes[0].size, 64 * MIB);
    assert_int_equal(wishes[1].file_system, DISK_FS_EXT4);
    assert_int_equal(disk_layout_default(true, DISK_STYLE_GPT, 8 * GIB, wishes), 2);
    assert_int_equal(wishes[0].size, 512 * MIB);
    assert_int_equal(disk_layout_default(false, DISK_STYLE_MBR, 8 * GIB, wishes), 1);
    assert_true(wishes[0].is_bootable);
    assert_int_equal(disk_layout_default(false, DISK_STYLE_GPT, 8 * GIB, wishes), 2);
    assert_int_equal(wishes[0].type, DISK_TYPE_BIOS_BOOT);
}

static void root_is_the_largest_primary_partition_with_a_file_system(void **state)
{
    (void)state;
    struct disk_wish wishes[] = {
        wish(DISK_SIZE_BYTES, 10 * MIB),
        wish(DISK_SIZE_BYTES, 20 * MIB),
        wish(DISK_SIZE_BYTES, 30 * MIB),
        wish(DISK_SIZE_BYTES, 40 * MIB),
    };
    struct disk_layout layout;

    wishes[2].type = DISK_TYPE_RECOVERY;
    wishes[3].file_system = DISK_FS_NONE;
    assert_int_equal(disk_layout_plan(DISK_STYLE_GPT, wishes, 4, GIB, &layout), 0);
    assert_int_equal(disk_layout_root(&layout), 1);
    layout.n_partitions = 0;
    assert_int_equal(disk_layout_root(&layout), 0);
}

static void partition_path_separates_digits(void **state)
{
    (void)state;
    char path[64];

    disk_partition_path("/dev/vda", 2, path, sizeof(path));
    assert_string_equal(path, "/dev/vda2");
    disk_partition_path("/dev/nvme0n1", 12, path, sizeof(path));
    assert_string_equal(path, "/dev/nvme0n1p12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_places_one_behind_the_other_from_the_first_mebibyte),
        cmocka_unit_test(plan_refuses_what_does_not_fit),
        cmocka_unit_test(plan_keeps_the_limits_of_an_mbr),
        cmocka_unit_test(default_fits_the_firmware),
        cmocka_unit_test(root_is_the_largest_primary_partition_with_a_file_system),
        cmocka_unit_test(partition_path_separates_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
