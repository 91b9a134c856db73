/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/boot_text.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void a_staged_menu_goes_on_with_the_disk_when_the_boot_image_is_done(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf menu = BUF_INIT(BOOT_TEXT_MAX);
    const char *once;
    const char *other;

    boot_text_staged("AAAA-BBBB", "1-2-3", &menu);
    once = strstr(buf_str(&menu),
                  "--set=root AAAA-BBBB\nif [ -f ($root)" BOOT_ONCE_FILE
                  " ]; then\n  source ($root)" BOOT_ONCE_FILE "\nelse\n");
    other = strstr(buf_str(&menu), "--set=root 1-2-3\n");
    assert_true(once && other && once < other);
    assert_non_null(strstr(other, "configfile ($root)" BOOT_MENU_FOLDER "/grub.cfg\nfi\n"));
}

static void menu_prefers_the_boot_image_then_the_own_menu_of_the_os(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(BOOT_TEXT_MAX);

    boot_text_menu(&(struct boot_kernel){.kernel = "/boot/vmlinuz-6.1",
                                         .initrd = "/boot/initrd.img-6.1",
                                         .root_uuid = "aaaa-bbbb",
                                         .arguments = "console=ttyS0",
                                         .has_links = true},
                   &text);
    const char *once = strstr(buf_str(&text), "source ($root)/_SMSTaskSequence/boot/grub.cfg\n");
    const char *own = strstr(buf_str(&text), "configfile ($root)/boot/grub/grub.cfg\n");
    const char *links = strstr(buf_str(&text), "linux ($root)/vmlinuz $slipway_arguments\n");
    const char *named =
        strstr(buf_str(&text), "linux ($root)/boot/vmlinuz-6.1 $slipway_arguments\n");

    assert_true(once && own && links && named);
    assert_true(once < own && own < links && links < named);
    assert_non_null(strstr(named, "initrd ($root)/boot/initrd.img-6.1\n"));
    assert_non_null(
        strstr(buf_str(&text), "set slipway_arguments=\"root=UUID=aaaa-bbbb ro console=ttyS0\"\n"));
}

static void menu_does_without_an_initrd(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(BOOT_TEXT_MAX);

    boot_text_menu(
        &(struct boot_kernel){
            .kernel = "/boot/vmlinuz", .initrd = "", .root_uuid = "a", .arguments = ""},
        &text);
    assert_null(strstr(buf_str(&text), "initrd"));
}

static void fstab_drops_the_disks_of_another_computer_and_keeps_the_rest(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(BOOT_TEXT_MAX);

    boot_text_fstab(bytes_of("# comment\n"
                             "UUID=dead / ext4 defaults 0 1\n"
                             "/dev/sda2\tnone\tswap sw 0 0\n"
                             " LABEL=data /data xfs defaults 0 0\n"
                             "\n"
                             "overlay / overlay x 0 0\n"
                             "tmpfs /tmp tmpfs nosuid 0 0\n"
                             "nas:/home /home nfs defaults 0 0"),
                    "1111",
                    "ext4",
                    "22-33",
                    &text);
    assert_string_equal(buf_str(&text),
                        "# comment\n"
                        "\n"
                        "tmpfs /tmp tmpfs nosuid 0 0\n"
                        "nas:/home /home nfs defaults 0 0\n"
                        "UUID=1111 / ext4 errors=remount-ro 0 1\n"
                        "UUID=22-33 /boot/efi vfat umask=0077,nofail 0 1\n");
}

static void fstab_of_its_own_output_is_the_same(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf once = BUF_INIT(BOOT_TEXT_MAX);
    OWN(buf_fini) struct buf twice = BUF_INIT(BOOT_TEXT_MAX);

    boot_text_fstab(bytes_of("# x\ntmpfs /tmp tmpfs a 0 0\n"), "1", "xfs", "", &once);
    boot_text_fstab(buf_bytes(&once), "1", "xfs", "", &twice);
    assert_string_equal(buf_str(&once), buf_str(&twice));
    assert_non_null(strstr(buf_str(&once), "UUID=1 / xfs defaults 0 0\n"));
}

static void arguments_are_the_consoles_only(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(BOOT_TEXT_MAX);

    boot_text_arguments("BOOT_IMAGE=x slipway.ticket=t console=tty0  console=ttyS0,115200 quiet "
                        "console=$(x)\n",
                        &text);
    assert_string_equal(buf_str(&text), "console=tty0 console=ttyS0,115200");
}

static void what_the_disk_starts_is_told_so_once(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf menu = BUF_INIT(BOOT_TEXT_MAX);
    OWN(buf_fini) struct buf again = BUF_INIT(BOOT_TEXT_MAX);

    boot_text_again("slipway.site=https://10.77.0.1 slipway.disk=1 quiet", &again);
    assert_string_equal(buf_str(&again), "slipway.site=https://10.77.0.1 quiet");
    boot_text_once(buf_str(&again), &menu);
    assert_non_null(strstr(buf_str(&menu),
                           "boot/vmlinuz slipway.site=https://10.77.0.1 quiet slipway.disk=1\n"));
}

static void again_leaves_out_what_is_for_one_start(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(BOOT_TEXT_MAX);

    boot_text_again("BOOT_IMAGE=/v initrd=initrd.img slipway.site=https://10.77.0.1:443 "
                    "slipway.pin=aa slipway.ticket=t slipway.mac=52:54:00:77:00:01 quiet\n",
                    &text);
    assert_string_equal(buf_str(&text),
                        "slipway.site=https://10.77.0.1:443 slipway.pin=aa "
                        "slipway.mac=52:54:00:77:00:01 quiet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(menu_prefers_the_boot_image_then_the_own_menu_of_the_os),
        cmocka_unit_test(menu_does_without_an_initrd),
        cmocka_unit_test(fstab_drops_the_disks_of_another_computer_and_keeps_the_rest),
        cmocka_unit_test(fstab_of_its_own_output_is_the_same),
        cmocka_unit_test(arguments_are_the_consoles_only),
        cmocka_unit_test(what_the_disk_starts_is_told_so_once),
        cmocka_unit_test(a_staged_menu_goes_on_with_the_disk_when_the_boot_image_is_done),
        cmocka_unit_test(again_leaves_out_what_is_for_one_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
