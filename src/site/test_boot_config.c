/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_config.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/site.h"

static struct site site = {
    .settings =
        {
            .name = "Lab",
            .addresses = "10.77.0.1 10.78.0.1",
            .http_port = 80,
            .https_port = 443,
            .pin = "ab12",
        },
};

static struct boot_config usual(void)
{
    return (struct boot_config){
        .site = &site,
        .server_address = "10.78.0.1",
        .package_id = "SLP00001",
        .arch = "x64",
        .mac = "52:54:00:77:00:01",
        .ticket = "slw_boot_t",
        .menu_s = 30,
        .title = "Deploy \"Debian\" $(x)",
        .is_required = true,
    };
}

#define COMMAND_LINE \
    "slipway.site=https://10.78.0.1:443,https://10.77.0.1:443 slipway.pin=ab12 " \
    "slipway.ticket=slw_boot_t slipway.mac=52:54:00:77:00:01 slipway.image=SLP00001 " \
    "console=tty0 console=ttyS0,115200 quiet panic=60"

static void the_command_line_has_the_address_asked_first_and_each_once(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(BOOT_CONFIG_MAX_BYTES);
    struct boot_config config = usual();

    boot_config_put_command_line(&config, &text);
    assert_string_equal(buf_str(&text), COMMAND_LINE);
}

#define AGAIN "The boot image could not be loaded, starting again in 10 seconds"

static void grub_gets_one_entry_that_nothing_in_a_name_can_break(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(BOOT_CONFIG_MAX_BYTES);
    struct boot_config config = usual();

    boot_config_put_grub(&config, &text);
    assert_string_equal(buf_str(&text),
                        "set timeout=0\nset default=0\n"
                        "if [ \"$slipway_http\" = 1 ]; then\n"
                        "  set files=\"(http,10.78.0.1)/boot/SLP00001/x64\"\nelse\n"
                        "  set files=\"(tftp,10.78.0.1)/SLP00001/x64\"\nfi\n"
                        "menuentry \"Deploy ?Debian? ??x?\" {\n"
                        "  if linux \"$files/vmlinuz\" " COMMAND_LINE "; then\n"
                        "    if initrd \"$files/initrd.img\"; then\n"
                        "      boot\n"
                        "    fi\n"
                        "  fi\n"
                        "  echo \"" AGAIN "\"\n"
                        "  sleep 10\n"
                        "  reboot\n}\n");
}

static void ipxe_gets_the_initrd_by_its_name(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(BOOT_CONFIG_MAX_BYTES);
    struct boot_config config = usual();

    boot_config_put_ipxe(&config, &text);
    assert_string_equal(
        buf_str(&text),
        "#!ipxe\n"
        "kernel http://10.78.0.1/boot/SLP00001/x64/vmlinuz initrd=initrd.img " COMMAND_LINE
        " || goto again\ninitrd http://10.78.0.1/boot/SLP00001/x64/initrd.img || goto again\n"
        "boot || goto again\n:again\necho " AGAIN "\nsleep 10\nreboot\n");
}

static void ipxe_looks_at_the_processor_where_there_are_images_for_both(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(BOOT_CONFIG_MAX_BYTES);
    struct boot_config config = usual();
    const char *x86;

    config.x86_package_id = "SLP00009";
    boot_config_put_ipxe(&config, &text);
    assert_non_null(
        strstr(buf_str(&text),
               "#!ipxe\ncpuid --ext 29 || goto x86\nkernel http://10.78.0.1/boot/SLP00001/x64/"));
    x86 = strstr(buf_str(&text), "\nboot || goto again\n:x86\nkernel ");
    assert_non_null(x86);
    assert_non_null(strstr(x86, "http://10.78.0.1/boot/SLP00009/x86/vmlinuz"));
    assert_non_null(strstr(x86, " slipway.image=SLP00009 "));
    assert_non_null(strstr(
        x86,
        "http://10.78.0.1/boot/SLP00009/x86/initrd.img || goto again\nboot || goto again\n:again\n"));
    assert_null(strstr(x86, "SLP00001"));
}

static void what_a_person_must_choose_does_not_start_by_itself(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf grub = BUF_INIT(BOOT_CONFIG_MAX_BYTES);
    OWN(buf_fini) struct buf ipxe = BUF_INIT(BOOT_CONFIG_MAX_BYTES);
    struct boot_config config = usual();
    const char *disk;

    config.is_required = false;
    boot_config_put_grub(&config, &grub);
    disk = strstr(buf_str(&grub), "menuentry \"Start from the local disk\"");
    assert_non_null(disk);
    assert_non_null(strstr(disk, "menuentry \"Deploy"));
    boot_config_put_ipxe(&config, &ipxe);
    assert_non_null(strstr(buf_str(&ipxe), "choose --default disk --timeout 30000"));
}

static void another_http_port_is_in_every_url(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(BOOT_CONFIG_MAX_BYTES);
    struct boot_config config = usual();

    site.settings.http_port = 8080;
    boot_config_put_url(&config, "ramdisk.img", &text);
    site.settings.http_port = 80;
    assert_string_equal(buf_str(&text), "http://10.78.0.1:8080/boot/SLP00001/x64/ramdisk.img");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_line_has_the_address_asked_first_and_each_once),
        cmocka_unit_test(grub_gets_one_entry_that_nothing_in_a_name_can_break),
        cmocka_unit_test(ipxe_gets_the_initrd_by_its_name),
        cmocka_unit_test(ipxe_looks_at_the_processor_where_there_are_images_for_both),
        cmocka_unit_test(what_a_person_must_choose_does_not_start_by_itself),
        cmocka_unit_test(another_http_port_is_in_every_url),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
