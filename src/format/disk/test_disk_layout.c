/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/disk/disk_layout.h"

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
        .type = DISK_TYPE_PRIMARY, .file_system = DISK_FS_NONE, .unit = unit, .size = size};
}

static struct disk_wish typed(enum disk_type type, uint64_t mib)
{
    return (struct disk_wish){
        .type = type, .unit = mib == 0 ? DISK_SIZE_REST : DISK_SIZE_BYTES, .size = mib * MIB};
}

static int plan(enum disk_style style,
                uint64_t disk_bytes,
                const struct disk_wish *wishes,
                size_t n,
                struct disk_layout *ret)
{
    return disk_layout_plan(
        &(struct disk_space){.style = style, .bytes = disk_bytes, .sector_bytes = 512},
        wishes,
        n,
        ret);
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

    assert_int_equal(plan(DISK_STYLE_GPT, GIB, wishes, 3, &layout), 0);
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

    assert_int_equal(plan(DISK_STYLE_GPT, GIB, exact, 1, &layout), 0);
    assert_int_equal(plan(DISK_STYLE_GPT, GIB, more, 1, &layout), DISK_LAYOUT_E_TOO_SMALL);
    assert_int_equal(plan(DISK_STYLE_GPT, GIB, huge, 1, &layout), DISK_LAYOUT_E_TOO_SMALL);
    assert_int_equal(plan(DISK_STYLE_GPT, GIB, after, 2, &layout), DISK_LAYOUT_E_TOO_SMALL);
    assert_int_equal(layout.n_partitions, 1); /* the one it is about */
    assert_int_equal(plan(DISK_STYLE_GPT, 0, exact, 1, &layout), DISK_LAYOUT_E_TOO_SMALL);
}

static void an_mbr_has_room_for_four_and_ends_at_two_to_the_32_sectors(void **state)
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
    struct disk_space space = {.style = DISK_STYLE_MBR, .bytes = 32768 * GIB, .sector_bytes = 4096};
    struct disk_layout layout;

    assert_int_equal(plan(DISK_STYLE_MBR, GIB, five, 5, &layout), DISK_LAYOUT_E_TOO_MANY);
    assert_int_equal(layout.n_partitions, 4);
    assert_int_equal(plan(DISK_STYLE_MBR, GIB, five, 4, &layout), 0);
    assert_int_equal(plan(DISK_STYLE_GPT, GIB, five, 5, &layout), 0);
    assert_int_equal(plan(DISK_STYLE_MBR, 4096 * GIB, rest, 1, &layout), 0);
    assert_true(layout.partitions[0].start_bytes + layout.partitions[0].size_bytes <= 2048 * GIB);
    assert_int_equal(disk_layout_plan(&space, rest, 1, &layout), 0);
    assert_true(layout.partitions[0].size_bytes > 16383 * GIB);
    assert_true(layout.partitions[0].start_bytes + layout.partitions[0].size_bytes <= 16384 * GIB);
}

static void logical_partitions_lie_in_the_extended_one_behind_their_tables(void **state)
{
    (void)state;
    const struct disk_wish wishes[] = {
        typed(DISK_TYPE_PRIMARY, 100),
        typed(DISK_TYPE_EXTENDED, 500),
        typed(DISK_TYPE_LOGICAL, 200),
        typed(DISK_TYPE_LOGICAL, 0),
        typed(DISK_TYPE_PRIMARY, 0),
    };
    struct disk_layout layout;

    assert_int_equal(plan(DISK_STYLE_MBR, GIB, wishes, 5, &layout), 0);
    assert_int_equal(layout.partitions[1].start_bytes, 101 * MIB);
    assert_int_equal(layout.partitions[1].number, 2);
    assert_int_equal(layout.partitions[2].start_bytes, 102 * MIB);
    assert_int_equal(layout.partitions[2].number, 5);
    assert_int_equal(layout.partitions[3].start_bytes, 303 * MIB);
    assert_int_equal(layout.partitions[3].size_bytes, (601 - 303) * MIB);
    assert_int_equal(layout.partitions[3].number, 6);
    assert_int_equal(layout.partitions[4].start_bytes, 601 * MIB);
    assert_int_equal(layout.partitions[4].number, 3);
}

static void percent_of_a_logical_partition_is_of_what_the_extended_one_has_left(void **state)
{
    (void)state;
    struct disk_wish wishes[] = {
        typed(DISK_TYPE_EXTENDED, 201),
        typed(DISK_TYPE_LOGICAL, 0),
    };
    struct disk_layout layout;

    wishes[1].unit = DISK_SIZE_PERCENT;
    wishes[1].size = 50;
    assert_int_equal(plan(DISK_STYLE_MBR, GIB, wishes, 2, &layout), 0);
    assert_int_equal(layout.partitions[1].size_bytes, 100 * MIB);
}

static void what_a_style_does_not_have_is_refused(void **state)
{
    (void)state;
    const struct disk_wish extended[] = {
        typed(DISK_TYPE_EXTENDED, 100), typed(DISK_TYPE_LOGICAL, 0), typed(DISK_TYPE_EXTENDED, 0)};
    const struct disk_wish msr[] = {typed(DISK_TYPE_MSR, 16)};
    struct disk_layout layout;

    assert_int_equal(plan(DISK_STYLE_GPT, GIB, extended, 1, &layout), DISK_LAYOUT_E_STYLE);
    assert_int_equal(plan(DISK_STYLE_GPT, GIB, extended + 1, 1, &layout), DISK_LAYOUT_E_STYLE);
    assert_int_equal(plan(DISK_STYLE_MBR, GIB, msr, 1, &layout), DISK_LAYOUT_E_STYLE);
    assert_int_equal(plan(DISK_STYLE_GPT, GIB, msr, 1, &layout), 0);
    assert_int_equal(plan(DISK_STYLE_MBR, GIB, extended, 2, &layout), 0);
    assert_int_equal(plan(DISK_STYLE_MBR, GIB, extended + 1, 1, &layout), DISK_LAYOUT_E_EXTENDED);
    assert_int_equal(plan(DISK_STYLE_MBR, GIB, extended, 3, &layout), DISK_LAYOUT_E_EXTENDED);
}

static void an_mbr_has_one_active_partition_and_it_is_no_logical_one(void **state)
{
    (void)state;
    struct disk_wish wishes[] = {
        typed(DISK_TYPE_PRIMARY, 10), typed(DISK_TYPE_EXTENDED, 100), typed(DISK_TYPE_LOGICAL, 10)};
    struct disk_layout layout;

    wishes[2].is_bootable = true;
    assert_int_equal(plan(DISK_STYLE_MBR, GIB, wishes, 3, &layout), DISK_LAYOUT_E_ACTIVE);
    wishes[2] = typed(DISK_TYPE_PRIMARY, 10);
    wishes[0].is_bootable = true;
    assert_int_equal(plan(DISK_STYLE_MBR, GIB, wishes, 3, &layout), 0);
    wishes[2].is_bootable = true;
    assert_int_equal(plan(DISK_STYLE_MBR, GIB, wishes, 3, &layout), DISK_LAYOUT_E_ACTIVE);
}

static void a_partition_too_small_for_its_file_system_is_refused(void **state)
{
    (void)state;
    struct disk_wish fat[] = {typed(DISK_TYPE_EFI, 33)};
    struct disk_space space = {.style = DISK_STYLE_GPT, .bytes = GIB, .sector_bytes = 4096};
    struct disk_layout layout;

    fat[0].file_system = DISK_FS_FAT32;
    assert_int_equal(plan(DISK_STYLE_GPT, GIB, fat, 1, &layout), 0);
    assert_int_equal(disk_layout_plan(&space, fat, 1, &layout), DISK_LAYOUT_E_FILE_SYSTEM);
    fat[0] = disk_layout_efi(&space);
    assert_int_equal(disk_layout_plan(&space, fat, 1, &layout), 0);
    space.sector_bytes = 520;
    assert_int_equal(disk_layout_plan(&space, fat, 1, &layout), DISK_LAYOUT_E_SECTOR_BYTES);
}

static void grubs_partition_does_not_change_the_numbers_of_the_others(void **state)
{
    (void)state;
    const struct disk_wish wishes[] = {
        typed(DISK_TYPE_BIOS_BOOT, 1), typed(DISK_TYPE_PRIMARY, 100), typed(DISK_TYPE_PRIMARY, 0)};
    struct disk_layout layout;

    assert_int_equal(plan(DISK_STYLE_GPT, GIB, wishes, 3, &layout), 0);
    assert_int_equal(layout.partitions[0].number, 3);
    assert_int_equal(layout.partitions[1].number, 1);
    assert_int_equal(layout.partitions[2].number, 2);
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static struct disk_wish any_wish(uint32_t *seed)
{
    struct disk_wish w = {
        .type = (enum disk_type)(next(seed) % 8),
        .file_system = (enum disk_file_system)(next(seed) % 7),
        .unit = (enum disk_size_unit)(next(seed) % 3),
        .is_bootable = next(seed) % 8 == 0,
    };

    w.size = w.unit == DISK_SIZE_PERCENT ? 1 + next(seed) % 100 : 1 + next(seed) % 500 * MIB;
    return w;
}

static bool is_apart(const struct disk_partition *a, const struct disk_partition *b)
{
    bool is_within = a->wish.type == DISK_TYPE_EXTENDED && b->wish.type == DISK_TYPE_LOGICAL &&
                     b->start_bytes >= a->start_bytes + MIB &&
                     b->start_bytes + b->size_bytes <= a->start_bytes + a->size_bytes;

    return is_within || b->start_bytes >= a->start_bytes + a->size_bytes;
}

static void check_layout(const struct disk_layout *layout, const struct disk_space *space)
{
    for (size_t i = 0; i < layout->n_partitions; i++) {
        const struct disk_partition *p = &layout->partitions[i];

        assert_true(p->size_bytes > 0 && p->number > 0);
        assert_int_equal(p->start_bytes % MIB, 0);
        assert_int_equal(p->size_bytes % MIB, 0);
        assert_true(p->start_bytes >= MIB && p->start_bytes + p->size_bytes <= space->bytes - MIB);
        for (size_t k = 0; k < i; k++) {
            const struct disk_partition *q = &layout->partitions[k];
            bool in_turn = q->wish.type != DISK_TYPE_LOGICAL || p->wish.type == DISK_TYPE_LOGICAL;

            assert_int_not_equal(p->number, q->number);
            assert_true(in_turn ? is_apart(q, p) : is_apart(q, p) || is_apart(p, q));
        }
    }
}

static void whatever_is_wished_partitions_are_aligned_in_order_apart_and_on_the_disk(void **state)
{
    (void)state;
    uint32_t seed = 7;
    size_t n_planned = 0;

    for (int round = 0; round < 20000; round++) {
        struct disk_wish wishes[8];
        size_t n = 1 + next(&seed) % 8;
        struct disk_space space = {.style = next(&seed) % 2 ? DISK_STYLE_GPT : DISK_STYLE_MBR,
                                   .bytes = (uint64_t)next(&seed) * 1000,
                                   .sector_bytes = next(&seed) % 2 ? 512 : 4096};
        struct disk_layout layout;

        for (size_t i = 0; i < n; i++)
            wishes[i] = any_wish(&seed);
        if (disk_layout_plan(&space, wishes, n, &layout) != 0)
            continue;
        assert_int_equal(layout.n_partitions, n);
        check_layout(&layout, &space);
        n_planned++;
    }
    assert_true(n_planned > 1000);
}

static void default_fits_the_firmware(void **state)
{
    (void)state;
    struct disk_wish wishes[DISK_MBR_PARTITIONS_MAX];
    struct disk_space small = {.style = DISK_STYLE_GPT, .bytes = 4 * GIB, .sector_bytes = 512};
    struct disk_space large = {.style = DISK_STYLE_GPT, .bytes = 8 * GIB, .sector_bytes = 512};

    assert_int_equal(disk_layout_default(true, &small, wishes), 2);
    assert_int_equal(wishes[0].type, DISK_TYPE_EFI);
    assert_int_equal(wishes[0].size, 64 * MIB);
    assert_int_equal(wishes[1].file_system, DISK_FS_EXT4);
    small.sector_bytes = 4096;
    assert_int_equal(disk_layout_default(true, &small, wishes), 2);
    assert_true(wishes[0].size > 256 * MIB);
    assert_int_equal(disk_layout_default(true, &large, wishes), 2);
    assert_int_equal(wishes[0].size, 512 * MIB);
    assert_int_equal(disk_layout_default(false, &large, wishes), 2);
    assert_int_equal(wishes[0].type, DISK_TYPE_BIOS_BOOT);
    large.style = DISK_STYLE_MBR;
    assert_int_equal(disk_layout_default(false, &large, wishes), 1);
    assert_true(wishes[0].is_bootable);
    assert_int_equal(disk_layout_data(wishes), 1);
    assert_false(wishes[0].is_bootable);
}

static void root_is_the_largest_partition_with_a_file_system_of_linux_then_of_windows(void **state)
{
    (void)state;
    struct disk_wish wishes[] = {
        typed(DISK_TYPE_PRIMARY, 10),
        typed(DISK_TYPE_PRIMARY, 20),
        typed(DISK_TYPE_RECOVERY, 30),
        typed(DISK_TYPE_PRIMARY, 40),
        typed(DISK_TYPE_PRIMARY, 50),
    };
    struct disk_layout layout;

    wishes[0].file_system = DISK_FS_EXT4;
    wishes[1].file_system = DISK_FS_EXT4;
    wishes[2].file_system = DISK_FS_EXT4;
    wishes[4].file_system = DISK_FS_NTFS;
    assert_int_equal(plan(DISK_STYLE_GPT, GIB, wishes, 5, &layout), 0);
    assert_int_equal(disk_layout_root(&layout), 1);
    layout.partitions[0].wish.file_system = DISK_FS_FAT32;
    layout.partitions[1].wish.file_system = DISK_FS_SWAP;
    assert_int_equal(disk_layout_root(&layout), 4);
    layout.n_partitions = 0;
    assert_int_equal(disk_layout_root(&layout), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_places_one_behind_the_other_from_the_first_mebibyte),
        cmocka_unit_test(plan_refuses_what_does_not_fit),
        cmocka_unit_test(an_mbr_has_room_for_four_and_ends_at_two_to_the_32_sectors),
        cmocka_unit_test(logical_partitions_lie_in_the_extended_one_behind_their_tables),
        cmocka_unit_test(percent_of_a_logical_partition_is_of_what_the_extended_one_has_left),
        cmocka_unit_test(what_a_style_does_not_have_is_refused),
        cmocka_unit_test(an_mbr_has_one_active_partition_and_it_is_no_logical_one),
        cmocka_unit_test(a_partition_too_small_for_its_file_system_is_refused),
        cmocka_unit_test(grubs_partition_does_not_change_the_numbers_of_the_others),
        cmocka_unit_test(whatever_is_wished_partitions_are_aligned_in_order_apart_and_on_the_disk),
        cmocka_unit_test(default_fits_the_firmware),
        cmocka_unit_test(root_is_the_largest_partition_with_a_file_system_of_linux_then_of_windows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
