/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/setup_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/run/machine.h"
#include "agent/run/restart.h"
#include "agent/steps/inside.h"
#include "agent/steps/loaders.h"
#include "agent/steps/return_code.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "format/disk/disk_layout.h"
#include "image/boot_disk.h"
#include "image/boot_text.h"
#include "image/disk_write.h"
#include "plat/arch.h"
#include "plat/file.h"
#include "ts/vars.h"

#define OWN_FOLDER     "boot/slipway"       /* BOOT_MENU_FOLDER below the volume's root */
#define OWN_MENU       "boot/grub/grub.cfg" /* of the operating system */
#define OWN_MENU_ASIDE OWN_MENU ".of-the-image"
#define GRUB_DEFAULTS  "etc/default/grub"
#define GRUB_DROP_IN   "etc/default/grub.d/slipway.cfg"
#define ENTRY_NAME     "Slipway"

enum {
    MENU_MAX = 4 * 1024 * 1024,
    CMDLINE_MAX = 64 * 1024,
    WHY_MAX = 1024,
};

struct found_kernel {
    char version[256];
    char kernel[PATH_MAX]; /* below the root of the volume */
    char initrd[PATH_MAX]; /* "" if there is none */
};

static bool exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* The newest kernel of the volume, as version numbers go; a rescue kernel is not one to start. */
static bool find_kernel(struct found_kernel *ret)
{
    static const char prefix[] = "vmlinuz-";
    struct dirent **names = NULL;
    int n = scandir(TARGET_ROOT "/boot", &names, NULL, NULL);

    ret->version[0] = '\0';
    for (int i = 0; i < n; i++) {
        const char *name = names[i]->d_name;

        if (strncmp(name, prefix, sizeof(prefix) - 1) == 0 && !strstr(name, "rescue") &&
            strverscmp(name + sizeof(prefix) - 1, ret->version) > 0)
            (void)snprintf(ret->version, sizeof(ret->version), "%s", name + sizeof(prefix) - 1);
        free(names[i]);
    }
    free(names);
    (void)snprintf(ret->kernel, sizeof(ret->kernel), "/boot/vmlinuz-%s", ret->version);
    return ret->version[0] != '\0';
}

/* As Debian, Red Hat and SUSE call it. */
static bool find_initrd(struct found_kernel *kernel)
{
    static const char *const names[] = {
        "/boot/initrd.img-%s", "/boot/initramfs-%s.img", "/boot/initrd-%s"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *mark = strstr(names[i], "%s");

        (void)snprintf(kernel->initrd,
                       sizeof(kernel->initrd),
                       "%.*s%s%s",
                       (int)(mark - names[i]),
                       names[i],
                       kernel->version,
                       mark + 2);
        if (snprintf(path, sizeof(path), TARGET_ROOT "%s", kernel->initrd) < (int)sizeof(path) &&
            exists(path))
            return true;
    }
    kernel->initrd[0] = '\0';
    return false;
}

static int read_arguments(struct buf *ret)
{
    OWN(buf_fini) struct buf cmdline = BUF_INIT(CMDLINE_MAX);
    int r = file_read("/proc/cmdline", &cmdline);

    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-ENOENT);
    boot_text_arguments(buf_str(&cmdline), ret);
    return ret->failed ? ERR(-ENOMEM) : 0;
}

/* A menu that came with the image names the disks of another computer. The next one that the operating
   system makes itself is right, and is used. */
static int put_stale_menu_aside(struct step_context *c, int root)
{
    OWN(buf_fini) struct buf menu = BUF_INIT(MENU_MAX);
    int r = inside_read(root, OWN_MENU, &menu);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    if (c->target->root_uuid[0] != '\0' && strstr(buf_str(&menu), c->target->root_uuid))
        return 0;
    c->log(c->ctx, "/" OWN_MENU " of the image is for another disk: kept as " OWN_MENU_ASIDE);
    r = inside_write(root, OWN_MENU_ASIDE, buf_bytes(&menu), (struct inside_mode){.bits = 0600});
    return r < 0 ? TRACE(r) : TRACE(inside_remove(root, OWN_MENU));
}

/* The next menu that the operating system makes has the consoles too. */
static int write_defaults(int root, const char *arguments)
{
    OWN(buf_fini) struct buf text = BUF_INIT(BOOT_TEXT_MAX);

    if (arguments[0] == '\0' || !inside_exists(root, GRUB_DEFAULTS))
        return 0;
    buf_addf(&text,
             "# Written by Setup Windows and Configuration Manager of Slipway: the consoles it was "
             "installed over.\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX %s\"\n",
             arguments);
    return TRACE(
        inside_write(root, GRUB_DROP_IN, buf_bytes(&text), (struct inside_mode){.bits = 0644}));
}

static int write_menu(struct step_context *c, const struct found_kernel *kernel)
{
    OWN(buf_fini) struct buf arguments = BUF_INIT(CMDLINE_MAX);
    OWN(buf_fini) struct buf menu = BUF_INIT(BOOT_TEXT_MAX);
    OWN(fd_closep) int root = -1;
    int r = inside_open(TARGET_ROOT, &root);

    if (r == 0)
        r = read_arguments(&arguments);
    if (r == 0)
        r = put_stale_menu_aside(c, root);
    if (r < 0)
        return TRACE(r);
    boot_text_menu(&(struct boot_kernel){.kernel = kernel->kernel,
                                         .initrd = kernel->initrd,
                                         .root_uuid = c->target->root_uuid,
                                         .arguments = buf_str(&arguments),
                                         .has_links = exists(TARGET_ROOT "/vmlinuz") &&
                                                      exists(TARGET_ROOT "/initrd.img")},
                   &menu);
    if (menu.failed)
        return ERR(-ENOMEM);
    r = inside_write(
        root, OWN_FOLDER "/grub.cfg", buf_bytes(&menu), (struct inside_mode){.bits = 0644});
    return r < 0 ? TRACE(r) : TRACE(write_defaults(root, buf_str(&arguments)));
}

static int fill_esp(struct step_context *c)
{
    OWN(buf_fini) struct buf menu = BUF_INIT(BOOT_TEXT_MAX);

    boot_text_esp(c->target->root_uuid, &menu);
    return menu.failed ? ERR(-ENOMEM) : TRACE(loaders_write_uefi(TARGET_ESP, buf_bytes(&menu)));
}

static void register_entry(struct step_context *c)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    uint64_t offset;
    uint64_t bytes;
    size_t number = disk_find_partition(c->target->disk, DISK_TYPE_EFI, &offset, &bytes);

    /* No harm done: the firmware finds \EFI\BOOT\BOOTX64.EFI (or BOOTIA32.EFI) by itself */
    if (boot_efi_register(
            c->target->disk, number, ENTRY_NAME, "\\EFI\\debian\\shim" ARCH_EFI ".efi", &why) != 0)
        c->log(c->ctx, "Warning: no boot entry in the firmware: %s", buf_str(&why));
}

static int boot_uefi(struct step_context *c, struct step_result *ret)
{
    if (c->target->esp_device[0] == '\0') {
        (void)step_fail_with(
            ret,
            RETURN_NO_VOLUME,
            "SLW-0465",
            "This computer starts by UEFI, but its disk %s has no EFI system partition",
            c->target->disk);
        return 1;
    }
    int r = fill_esp(c);

    if (r < 0) {
        (void)step_fail_with(
            ret,
            return_code_of_errno(-r, RETURN_UNSPECIFIED),
            "SLW-0465",
            "The boot loader could not be written to the EFI system partition %s (error "
            "%d)",
            c->target->esp_device,
            -r);
        return 1;
    }
    if (c->machine->is_uefi)
        register_entry(c);
    return 0;
}

static int boot_bios(struct step_context *c, struct step_result *ret)
{
    uint64_t offset = BOOT_SECTOR_BYTES;
    uint64_t room = BOOT_CORE_MAX;

    if (c->target->is_gpt &&
        disk_find_partition(c->target->disk, DISK_TYPE_BIOS_BOOT, &offset, &room) == 0) {
        (void)step_fail_with(
            ret,
            RETURN_NO_VOLUME,
            "SLW-0465",
            "%s has a GPT without the BIOS boot partition that GRUB needs: let Format and "
            "Partition Disk make the partitions",
            c->target->disk);
        return 1;
    }
    int r = boot_bios_install(
        c->target->disk, LOADERS_FOLDER "/boot.img", LOADERS_FOLDER "/core.img", offset, room);

    if (r != 0) {
        (void)step_fail(ret,
                        "SLW-0465",
                        "GRUB could not be written to %s (%s %d)",
                        c->target->disk,
                        r < 0 ? "error" : "outcome",
                        r < 0 ? -r : r);
        return 1;
    }
    return 0;
}

/* The firmware starts by UEFI from the next time on, as the sequence says. */
static bool is_for_uefi(const struct step_context *c)
{
    return c->target->is_gpt && c->target->esp_device[0] != '\0' &&
           ts_vars_get(c->vars, "TSUEFIDrive")[0] != '\0';
}

static bool has_bios_boot(const struct step_context *c)
{
    uint64_t offset;
    uint64_t bytes;

    return disk_find_partition(c->target->disk, DISK_TYPE_BIOS_BOOT, &offset, &bytes) != 0;
}

int setup_boot(struct step_context *c, struct step_result *ret)
{
    struct found_kernel kernel;

    if (!find_kernel(&kernel)) {
        (void)step_fail(ret,
                        "SLW-0462",
                        "The image has no kernel /boot/vmlinuz-*: it cannot start on a computer. "
                        "Install a kernel package in the image");
        return 1;
    }
    if (!find_initrd(&kernel)) {
        (void)step_fail(
            ret,
            "SLW-0464",
            "The image has no initial RAM disk for its kernel %s below /boot: the kernel "
            "would not find its root. Install initramfs-tools or dracut in the image",
            kernel.version);
        return 1;
    }
    c->log(c->ctx, "Kernel %s, initial RAM disk %s", kernel.kernel, kernel.initrd);
    int r = write_menu(c, &kernel);

    if (r == 0)
        r = restart_keep_arguments();
    if (r == 0)
        r = loaders_settle(TARGET_ROOT);
    if (r < 0) {
        (void)step_fail_with(ret,
                             return_code_of_errno(-r, RETURN_UNSPECIFIED),
                             "SLW-0463",
                             "The boot menu could not be written to the volume (error %d)",
                             -r);
        return 1;
    }
    if (!c->machine->is_uefi && is_for_uefi(c)) {
        c->log(c->ctx, "TSUEFIDrive is set: the disk is made to start by UEFI");
        r = boot_uefi(c, ret);
        return r != 0 || !has_bios_boot(c) ? r : boot_bios(c, ret);
    }
    return c->machine->is_uefi ? boot_uefi(c, ret) : boot_bios(c, ret);
}
