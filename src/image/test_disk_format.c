/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/disk_format.h"

#include <fcntl.h>
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
#include "image/disk_write.h"
#include "plat/file.h"

#define MIB ((uint64_t)1024 * 1024)

static char disk[] = "/tmp/slipway-test-XXXXXX";

static int make_disk(void **state)
{
    (void)state;
    OWN(fd_closep) int fd = mkstemp(disk);

    return fd < 0 || ftruncate(fd, (off_t)(64 * MIB)) != 0 ? -1 : 0;
}

static int drop_disk(void **state)
{
    (void)state;
    return unlink(disk);
}

static bool count_calls(void *ctx, unsigned percent)
{
    unsigned *n = ctx;

    assert_true(percent < 100);
    return ++*n <= 64;
}

static void overwriting_leaves_nothing_and_can_be_stopped(void **state)
{
    (void)state;
    struct disk_partition all = {.size_bytes = 64 * MIB};
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(fd_closep) int fd = open(disk, O_RDWR | O_CLOEXEC);
    unsigned n = 0;
    char byte = 'x';

    (void)snprintf(all.device, sizeof(all.device), "%s", disk);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)(64 * MIB - 1)), 1);
    assert_int_equal(disk_overwrite(&all, count_calls, &n, &why), 0);
    assert_int_equal(n, 64);
    assert_int_equal(pread(fd, &byte, 1, (off_t)(64 * MIB - 1)), 1);
    assert_int_equal(byte, 0);
    assert_int_equal(disk_overwrite(&all, count_calls, &n, &why), DISK_E_CANCELLED);
}

static void names_of_volumes_are_as_their_file_system_allows(void **state)
{
    (void)state;
    static const struct {
        enum disk_file_system file_system;
        const char *wish;
        const char *is;
    } cases[] = {
        {DISK_FS_EXT4, "Windows RE Tools", "Windows RE Tools"},
        {DISK_FS_EXT4, "Windows RE Tools and more", "Windows RE Tools"},
        {DISK_FS_FAT32, "Efi system part", "EFI SYSTEM"},
        {DISK_FS_FAT32, "a+b", "A_B"},
        {DISK_FS_XFS, "data", "data"},
        {DISK_FS_NTFS,
         "Gr\xc3\xbc\xc3\x9f"
         "e/1",
         "Gr__e_1"},
        {DISK_FS_SWAP, "", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct disk_wish wish = {.file_system = cases[i].file_system};
        char label[DISK_LABEL_MAX];

        (void)snprintf(wish.label, sizeof(wish.label), "%s", cases[i].wish);
        disk_label(&wish, label);
        assert_string_equal(label, cases[i].is);
    }
}

static void every_file_system_is_made_and_named(void **state)
{
    (void)state;
    static const struct {
        enum disk_file_system file_system;
        const char *type;
    } cases[] = {
        {DISK_FS_EXT4, "ext4"},
        {DISK_FS_FAT32, "vfat"},
        {DISK_FS_NTFS, "ntfs"},
        {DISK_FS_SWAP, "swap"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct disk_partition all = {
            .size_bytes = 64 * MIB,
            .wish = {.file_system = cases[i].file_system, .is_quick = true, .label = "Volume"}};
        OWN(buf_fini) struct buf why = BUF_INIT(16384);
        struct disk_content content;

        (void)snprintf(all.device, sizeof(all.device), "%s", disk);
        assert_int_equal(disk_make_file_system(&all, &why), 0);
        assert_int_equal(disk_read_content(disk, &content), 0);
        assert_string_equal(content.type, cases[i].type);
    }
}

static void what_a_program_says_of_a_partition_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct disk_partition none = {.wish = {.file_system = DISK_FS_EXT4},
                                  .device = "/nonexistent/p1"};
    OWN(buf_fini) struct buf why = BUF_INIT(16384);

    assert_int_equal(disk_make_file_system(&none, &why), DISK_E_FAILED);
    assert_non_null(strstr(buf_str(&why), "/nonexistent/p1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overwriting_leaves_nothing_and_can_be_stopped),
        cmocka_unit_test(names_of_volumes_are_as_their_file_system_allows),
        cmocka_unit_test(every_file_system_is_made_and_named),
        cmocka_unit_test(what_a_program_says_of_a_partition_that_is_not_there_is_told),
    };

    return cmocka_run_group_tests(tests, make_disk, drop_disk);
}
