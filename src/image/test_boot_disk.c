/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/boot_disk.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"

enum {
    CORE_BYTES = 3 * BOOT_SECTOR_BYTES + 7,
};

static void make_sectors(uint8_t *boot, uint8_t *old, uint8_t *core)
{
    memset(boot, 0x11, BOOT_SECTOR_BYTES);
    memset(old, 0x22, BOOT_SECTOR_BYTES);
    memset(core, 0x33, CORE_BYTES);
    boot[510] = 0x55;
    boot[511] = 0xaa;
}

static void prepare_keeps_the_partition_table_and_points_at_the_core(void **state)
{
    (void)state;
    uint8_t boot[BOOT_SECTOR_BYTES];
    uint8_t old[BOOT_SECTOR_BYTES];
    uint8_t core[CORE_BYTES];

    make_sectors(boot, old, core);
    assert_int_equal(boot_bios_prepare(boot, old, core, sizeof(core), 2048), 0);
    assert_memory_equal(boot + 0x5c, "\x00\x08\0\0\0\0\0\0", 8);
    assert_memory_equal(boot + 0x66, "\x90\x90", 2);
    assert_int_equal(boot[0x1b7], 0x11);
    assert_int_equal(boot[0x1b8], 0x22);
    assert_int_equal(boot[0x1fd], 0x22);
    assert_memory_equal(boot + 510, "\x55\xaa", 2);
    assert_int_equal(core[0x1f3], 0x33);
    assert_memory_equal(core + 0x1f4, "\x01\x08\0\0\0\0\0\0\x03\0\x20\x08", 12);
    assert_int_equal(core[0x200], 0x33);
}

static void prepare_refuses_what_is_not_grub(void **state)
{
    (void)state;
    uint8_t boot[BOOT_SECTOR_BYTES];
    uint8_t old[BOOT_SECTOR_BYTES];
    uint8_t core[CORE_BYTES];

    make_sectors(boot, old, core);
    assert_int_equal(boot_bios_prepare(boot, old, core, BOOT_SECTOR_BYTES, 1), BOOT_E_BAD_GRUB);
    boot[511] = 0;
    assert_int_equal(boot_bios_prepare(boot, old, core, sizeof(core), 1), BOOT_E_BAD_GRUB);
}

static void install_writes_both_and_nothing_between_or_behind(void **state)
{
    (void)state;
    uint8_t boot[BOOT_SECTOR_BYTES];
    uint8_t old[BOOT_SECTOR_BYTES];
    uint8_t core[CORE_BYTES];
    char folder[] = "/tmp/slipway-test-XXXXXX";
    char paths[3][64];
    OWN(buf_fini) struct buf got = BUF_INIT((size_t)16 * BOOT_SECTOR_BYTES);
    uint8_t disk[8 * BOOT_SECTOR_BYTES];

    make_sectors(boot, old, core);
    memset(disk, 0x22, sizeof(disk));
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < 3; i++)
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%zu", folder, i);
    assert_int_equal(file_write(paths[0], (struct bytes){boot, sizeof(boot)}, 0600), 0);
    assert_int_equal(file_write(paths[1], (struct bytes){core, sizeof(core)}, 0600), 0);
    assert_int_equal(file_write(paths[2], (struct bytes){disk, sizeof(disk)}, 0600), 0);

    assert_int_equal(
        boot_bios_install(paths[2], paths[0], paths[1], BOOT_SECTOR_BYTES, sizeof(core) - 1),
        BOOT_E_NO_ROOM);
    assert_int_equal(
        boot_bios_install(paths[2], paths[0], paths[1], BOOT_SECTOR_BYTES, sizeof(core)), 0);
    assert_int_equal(file_read(paths[2], &got), 0);
    assert_int_equal(got.len, sizeof(disk));
    assert_int_equal((uint8_t)got.ptr[0], 0x11);
    assert_int_equal((uint8_t)got.ptr[0x1c0], 0x22);
    assert_int_equal((uint8_t)got.ptr[BOOT_SECTOR_BYTES], 0x33);
    assert_int_equal((uint8_t)got.ptr[BOOT_SECTOR_BYTES + CORE_BYTES - 1], 0x33);
    assert_int_equal((uint8_t)got.ptr[BOOT_SECTOR_BYTES + CORE_BYTES], 0x22);
    assert_int_equal(dir_remove(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prepare_keeps_the_partition_table_and_points_at_the_core),
        cmocka_unit_test(prepare_refuses_what_is_not_grub),
        cmocka_unit_test(install_writes_both_and_nothing_between_or_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
