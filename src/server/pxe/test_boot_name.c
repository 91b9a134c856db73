/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/boot_name.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */

#include <cmocka.h>

static void names_of_the_documented_table_are_known(void **state)
{
    static const struct {
        const char *name;
        enum boot_name_kind kind;
        const char *folder;
    } cases[] = {
        {"SLP00001/x64/shimx64.efi", BOOT_NAME_FILE, "SLP00001/x64"},
        {"SLP00001/x64/vmlinuz", BOOT_NAME_FILE, "SLP00001/x64"},
        {"SLP00001/x64/undionly.kpxe", BOOT_NAME_FILE, "SLP00001/x64"},
        {"SLP00001/x64/grubx64.efi", BOOT_NAME_SECOND_STAGE, "SLP00001/x64"},
        {"SLP00001/x64/mmx64.efi", BOOT_NAME_MOK_MANAGER, "SLP00001/x64"},
        {"SLP00002/x86/shimia32.efi", BOOT_NAME_FILE, "SLP00002/x86"},
        {"SLP00002/x86/vmlinuz", BOOT_NAME_FILE, "SLP00002/x86"},
        {"SLP00002/x86/grubia32.efi", BOOT_NAME_SECOND_STAGE, "SLP00002/x86"},
        {"SLP00002/x86/mmia32.efi", BOOT_NAME_MOK_MANAGER, "SLP00002/x86"},
        {"grubia32.efi", BOOT_NAME_SECOND_STAGE, ""},
        {"grubx64.efi", BOOT_NAME_SECOND_STAGE, ""},
        {"pxelinux/grubx64.efi", BOOT_NAME_SECOND_STAGE, ""},
        {"mmx64.efi", BOOT_NAME_MOK_MANAGER, ""},
        {"grub/grub.cfg", BOOT_NAME_GRUB_CONFIG, ""},
        {"grub/device/52:54:00:77:00:01.cfg", BOOT_NAME_GRUB_MENU, ""},
        {"ipxe/52-54-00-77-00-01.ipxe", BOOT_NAME_IPXE_SCRIPT, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct boot_name name = boot_name_read(cases[i].name);

        assert_int_equal(name.kind, cases[i].kind);
        assert_string_equal(name.folder, cases[i].folder);
    }
}

static void everything_else_is_missing(void **state)
{
    static const char *const names[] = {
        "",
        "/",
        "SLP00001",
        "SLP00001/x64",
        "SLP00001/x64/",
        "SLP00001/x64/secret",
        "SLP00001/x64/sub/vmlinuz",
        "SLP00001/arm64/vmlinuz",
        "SLP00001/x86",
        "SLP0000/x64/vmlinuz",
        "SLP000011/x64/vmlinuz",
        "slp00001/x64/vmlinuz",
        "vmlinuz",
        "revocations_sku.efi",
        "SLP00001/x64/revocations_sbat.efi",
        "SLP00001/x64/shim_certificate_0.efi",
        "grub/x86_64-efi/command.lst",
        "grub/grub.cfg-01-52-54-00-77-00-01",
        "grub/device/.cfg",
        "grub/device/52:54:00:77:00.cfg",
        "grub/device/52:54:00:77:00:0g.cfg",
        "grub/device/52:54:00:77:00:01.cfg.cfg",
        "ipxe/52:54:00:77:00:01.cfg",
        "xgrubx64.efi",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(boot_name_read(names[i]).kind, BOOT_NAME_OTHER);
}

static void mac_is_read_from_either_spelling(void **state)
{
    (void)state;
    assert_memory_equal(
        boot_name_read("grub/device/52:54:00:77:00:01.cfg").mac, "\x52\x54\0\x77\0\x01", 6);
    assert_memory_equal(
        boot_name_read("ipxe/52-54-00-77-00-fF.ipxe").mac, "\x52\x54\0\x77\0\xff", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_documented_table_are_known),
        cmocka_unit_test(everything_else_is_missing),
        cmocka_unit_test(mac_is_read_from_either_spelling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
