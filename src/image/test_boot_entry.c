/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/boot_entry.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "format/efiboot/efiboot.h"
#include "plat/file.h"

#define GUID "8be4df61-93ca-11d2-aa0d-00e098032b8c"

enum {
    TEXT_MAX = 4096,
};

static char folder[40];
static uint8_t present; /* the only partition on a disk, beside the new one */

static bool is_present(void *ctx, const uint8_t uuid[static UUID_BYTES])
{
    (void)ctx;
    return uuid[0] == present;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-entry-XXXXXX");
    present = 0;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void path_of(const char *name, char dst[static 128])
{
    (void)snprintf(dst, 128, "%s/%s-" GUID, folder, name);
}

static void put_variable(const char *name, struct bytes content)
{
    OWN(buf_fini) struct buf whole = BUF_INIT(TEXT_MAX);
    char path[128];

    path_of(name, path);
    buf_add(&whole, (struct bytes){(const uint8_t *)"\7\0\0\0", 4});
    buf_add(&whole, content);
    assert_int_equal(file_write(path, buf_bytes(&whole), 0600), 0);
}

/* @partition: the first byte of its UUID */
static void put_entry(const char *name, const char *description, uint8_t partition)
{
    uint8_t bytes[TEXT_MAX];
    struct sink dst = {.ptr = bytes, .cap = sizeof(bytes)};
    struct efiboot_partition esp = {
        .number = 1, .start_lba = 2048, .n_lbas = 9, .uuid = {partition}};

    efiboot_option_put(&dst, description, &esp, "\\EFI\\debian\\shimx64.efi");
    put_variable(name, (struct bytes){bytes, dst.len});
}

static void assert_entry(const char *name, uint8_t partition)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX);
    struct efiboot_option option;
    struct efiboot_partition esp;
    char path[128];

    path_of(name, path);
    assert_int_equal(file_read(path, &text), 0);
    assert_true(
        efiboot_option_parse((struct bytes){(const uint8_t *)text.ptr + 4, text.len - 4}, &option));
    assert_true(efiboot_path_partition(option.path, &esp));
    assert_int_equal(esp.uuid[0], partition);
}

static bool is_there(const char *name)
{
    char path[128];

    path_of(name, path);
    return file_exists(path);
}

static void assert_begins(const char *name, struct bytes with)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX);
    char path[128];

    path_of(name, path);
    assert_int_equal(file_read(path, &text), 0);
    assert_true(text.len >= 4 + with.len);
    assert_memory_equal(text.ptr + 4, with.ptr, with.len);
}

/* @order: how BootOrder must begin; a plain file does not become shorter as a variable does. What is first is next, too. */
static void assert_order(struct bytes order)
{
    assert_begins("BootOrder", order);
    assert_begins("BootNext", (struct bytes){order.ptr, 2});
}

#define BYTES(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})

static void register_partition(uint8_t partition)
{
    const struct boot_firmware firmware = {.variables = folder, .is_on_a_disk = is_present};
    const struct efiboot_partition esp = {
        .number = 1, .start_lba = 2048, .n_lbas = 9, .uuid = {partition}};
    const struct boot_entry entry = {
        .description = "Slipway", .esp = &esp, .file = "\\EFI\\debian\\shimx64.efi"};
    OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX);

    assert_int_equal(boot_entry_register(&firmware, &entry, &why), 0);
    assert_string_equal(buf_str(&why), "");
}

static void the_first_entry_takes_a_free_number_and_goes_first(void **state)
{
    (void)state;
    put_entry("Boot0000", "UEFI PXEv4", 1);
    put_variable("BootOrder", BYTES("\0\0"));
    register_partition(5);
    assert_entry("Boot0001", 5);
    assert_entry("Boot0000", 1);
    assert_order(BYTES("\1\0\0\0"));
}

static void the_entry_of_the_same_partition_is_used_again(void **state)
{
    (void)state;
    put_entry("Boot0003", "Slipway", 5);
    put_variable("BootOrder", BYTES("\3\0"));
    register_partition(5);
    assert_entry("Boot0003", 5);
    assert_false(is_there("Boot0000"));
    assert_order(BYTES("\3\0"));
}

static void deploying_again_uses_the_entry_of_the_partition_that_is_gone(void **state)
{
    (void)state;
    put_entry("Boot0000", "UEFI PXEv4", 1);
    put_entry("Boot0003", "Slipway", 4);
    put_variable("BootOrder", BYTES("\0\0\3\0"));
    register_partition(5);
    assert_entry("Boot0003", 5);
    assert_false(is_there("Boot0001"));
    assert_order(BYTES("\3\0\0\0"));
}

static void what_is_left_over_of_many_deployments_is_removed(void **state)
{
    (void)state;
    put_entry("Boot0001", "Slipway", 2);
    put_entry("Boot0002", "Slipway", 3);
    put_entry("Boot000A", "Slipway", 4);
    put_entry("Boot0005", "debian", 2); /* somebody else's, though its partition is gone too */
    put_variable("BootOrder", BYTES("\1\0\2\0\5\0\12\0"));
    register_partition(9);
    assert_int_equal(is_there("Boot0001") + is_there("Boot0002") + is_there("Boot000A"), 1);
    assert_entry("Boot0005", 2);
}

static void the_entry_of_another_disk_that_is_there_stays(void **state)
{
    (void)state;
    present = 4;
    put_entry("Boot0003", "Slipway", 4);
    put_variable("BootOrder", BYTES("\3\0"));
    register_partition(5);
    assert_entry("Boot0003", 4);
    assert_entry("Boot0000", 5);
    assert_order(BYTES("\0\0\3\0"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_entry_takes_a_free_number_and_goes_first),
        TEST(the_entry_of_the_same_partition_is_used_again),
        TEST(deploying_again_uses_the_entry_of_the_partition_that_is_gone),
        TEST(what_is_left_over_of_many_deployments_is_removed),
        TEST(the_entry_of_another_disk_that_is_there_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
