/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/disk_write.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/text.h"
#include "format/efiboot/efiboot.h"
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

static struct disk_layout *make_layout(enum disk_style style)
{
    struct disk_wish wishes[] = {
        {.type = DISK_TYPE_EFI, .unit = DISK_SIZE_BYTES, .size = 8 * MIB, .label = "EFI"},
        {.type = DISK_TYPE_PRIMARY, .unit = DISK_SIZE_REST, .is_bootable = true},
    };
    struct disk_layout *layout = calloc(1, sizeof(*layout));

    assert_non_null(layout);
    assert_int_equal(
        disk_layout_plan(&(struct disk_space){style, 64 * MIB, 512}, wishes, 2, layout), 0);
    return layout;
}

/* This also proves that libfdisk was not given a function of ours with the name of one of libuuid. */
static void write_makes_a_gpt_whose_types_can_be_found_again(void **state)
{
    (void)state;
    OWN(freep) struct disk_layout *layout = make_layout(DISK_STYLE_GPT);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct efiboot_partition esp;
    char uuid[UUID_TEXT_MAX];
    uint64_t offset = 0;
    uint64_t bytes = 0;

    assert_int_equal(disk_write(disk, layout, &why), 0);
    assert_true(disk_is_gpt(disk));
    assert_int_equal(disk_find_partition(disk, DISK_TYPE_EFI, &offset, &bytes), 1);
    assert_int_equal(offset, MIB);
    assert_int_equal(bytes, 8 * MIB);
    assert_int_equal(disk_find_partition(disk, DISK_TYPE_PRIMARY, &offset, &bytes), 2);
    assert_int_equal(disk_find_partition(disk, DISK_TYPE_BIOS_BOOT, &offset, &bytes), 0);
    assert_int_equal(disk_read_partition(disk, 1, &esp), 0);
    assert_int_equal(esp.start_lba, 2048);
    assert_int_equal(esp.n_lbas, 8 * MIB / 512);
    uuid_put(uuid, esp.uuid);
    assert_string_equal(uuid, layout->partitions[0].uuid);
}

static void write_makes_an_mbr_with_one_active_partition(void **state)
{
    (void)state;
    OWN(freep) struct disk_layout *layout = make_layout(DISK_STYLE_MBR);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(fd_closep) int fd = -1;
    uint8_t sector[512];

    assert_int_equal(disk_write(disk, layout, &why), 0);
    assert_false(disk_is_gpt(disk));
    fd = open(disk, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, sector, sizeof(sector)), sizeof(sector));
    assert_int_equal(sector[446], 0x00);
    assert_int_equal(sector[446 + 4], 0xef);
    assert_int_equal(sector[462], 0x80);
    assert_int_equal(sector[462 + 4], 0x83);
}

/* SeaBIOS starts a sector of zeros if it has the signature, and hangs. */
static void a_disk_without_boot_loader_hands_on_to_the_network(void **state)
{
    (void)state;
    static const enum disk_style styles[] = {DISK_STYLE_MBR, DISK_STYLE_GPT};

    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
        OWN(freep) struct disk_layout *layout = make_layout(styles[i]);
        OWN(buf_fini) struct buf why = BUF_INIT(1024);
        OWN(fd_closep) int fd = -1;
        uint8_t sector[512];

        assert_int_equal(disk_write(disk, layout, &why), 0);
        fd = open(disk, O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(fd, sector, sizeof(sector)), sizeof(sector));
        assert_memory_equal(sector, "\xcd\x18\xf4\xeb\xfd", 5);
        assert_memory_equal(sector + 510, "\x55\xaa", 2);
    }
}

static void write_wipes_what_was_there(void **state)
{
    (void)state;
    OWN(freep) struct disk_layout *layout = make_layout(DISK_STYLE_GPT);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(fd_closep) int fd = open(disk, O_RDWR | O_CLOEXEC);
    struct disk_content content;
    uint8_t magic[2] = {0x53, 0xef};

    assert_int_equal(pwrite(fd, magic, 2, (off_t)MIB + 1024 + 56), 2); /* an old ext4 */
    assert_int_equal(disk_write(disk, layout, &why), 0);
    assert_int_equal(pread(fd, magic, 2, (off_t)MIB + 1024 + 56), 2);
    assert_memory_equal(magic, "\0\0", 2);
    assert_int_equal(disk_read_content(disk, &content), DISK_E_UNKNOWN);
}

static void write_names_a_missing_disk(void **state)
{
    (void)state;
    OWN(freep) struct disk_layout *layout = make_layout(DISK_STYLE_GPT);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct disk_content content;

    assert_int_equal(disk_write("/nonexistent/disk", layout, &why), DISK_E_MISSING);
    assert_int_equal(disk_read_content("/nonexistent/disk", &content), DISK_E_MISSING);
}

static void write_chains_logical_partitions(void **state)
{
    (void)state;
    struct disk_wish wishes[] = {
        {.type = DISK_TYPE_PRIMARY, .unit = DISK_SIZE_BYTES, .size = 4 * MIB},
        {.type = DISK_TYPE_EXTENDED, .unit = DISK_SIZE_BYTES, .size = 40 * MIB},
        {.type = DISK_TYPE_LOGICAL, .unit = DISK_SIZE_BYTES, .size = 8 * MIB},
        {.type = DISK_TYPE_LOGICAL, .file_system = DISK_FS_NTFS},
        {.type = DISK_TYPE_PRIMARY, .file_system = DISK_FS_SWAP},
    };
    const uint32_t sectors[] = {512, 4096};

    for (size_t i = 0; i < 2; i++) {
        OWN(freep) struct disk_layout *layout = calloc(1, sizeof(*layout));
        OWN(buf_fini) struct buf why = BUF_INIT(1024);
        OWN(fd_closep) int fd = -1;
        uint8_t table[512];

        assert_int_equal(
            disk_layout_plan(
                &(struct disk_space){DISK_STYLE_MBR, 64 * MIB, sectors[i]}, wishes, 5, layout),
            0);
        assert_int_equal(disk_write(disk, layout, &why), 0);
        fd = open(disk, O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(fd, table, sizeof(table)), sizeof(table));
        assert_int_equal(table[462 + 4], 0x0f);
        assert_int_equal(table[478 + 4], 0x82);
        assert_int_equal(pread(fd, table, sizeof(table), (off_t)(5 * MIB)), sizeof(table));
        assert_memory_equal(table + 510, "\x55\xaa", 2);
        assert_int_equal(table[446 + 4], 0x83);
        assert_int_equal(table[446 + 8] + table[446 + 9] * 256, MIB / sectors[i]);
        assert_int_equal(pread(fd, table, sizeof(table), (off_t)(14 * MIB)), sizeof(table));
        assert_int_equal(table[446 + 4], 0x07);
        assert_true(strncmp(layout->partitions[3].device, disk, strlen(disk)) == 0);
    }
}

static void whether_a_disk_has_a_partition_is_known_or_an_error(void **state)
{
    (void)state;
    OWN(freep) struct disk_layout *layout = make_layout(DISK_STYLE_GPT);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    uint8_t uuid[UUID_BYTES] = {0};
    bool has = true;

    assert_int_equal(disk_write(disk, layout, &why), 0);
    assert_int_equal(disk_has_partition(disk, uuid, &has), 0);
    assert_false(has);
    assert_true(uuid_parse(bytes_of(layout->partitions[1].uuid), uuid));
    assert_int_equal(disk_has_partition(disk, uuid, &has), 0);
    assert_true(has);
    assert_int_equal(disk_has_partition("/nonexistent", uuid, &has), DISK_E_MISSING);
    assert_false(has);
    assert_true(disk_has_partition("/dev/null", uuid, &has) < 0);
    assert_false(has);
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
        cmocka_unit_test(partition_path_separates_digits),
        cmocka_unit_test(whether_a_disk_has_a_partition_is_known_or_an_error),
        cmocka_unit_test(write_makes_a_gpt_whose_types_can_be_found_again),
        cmocka_unit_test(write_makes_an_mbr_with_one_active_partition),
        cmocka_unit_test(a_disk_without_boot_loader_hands_on_to_the_network),
        cmocka_unit_test(write_wipes_what_was_there),
        cmocka_unit_test(write_names_a_missing_disk),
        cmocka_unit_test(write_chains_logical_partitions),
    };

    return cmocka_run_group_tests(tests, make_disk, drop_disk);
}
