/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/pretend.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "plat/arch.h"
#include "plat/file.h"

enum {
    CORE_BYTES = 30 * 1024,
    SECTOR_BYTES = 512,
    PATH_BYTES = 512,
};

/* A file and the folders above it. */
static int put(const char *root, const char *path, struct bytes content, unsigned mode)
{
    char full[PATH_BYTES];
    char folder[PATH_BYTES];

    (void)snprintf(full, sizeof(full), "%s%s", root, path);
    memcpy(folder, full, sizeof(folder));
    *strrchr(folder, '/') = '\0';
    int r = dir_make(folder, 0755);

    return r < 0 ? TRACE(r) : TRACE(file_write(full, content, mode));
}

int pretend_system(const char *root)
{
    static const struct {
        const char *path;
        const char *content;
        unsigned mode;
    } files[] = {
        {"/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n", 0644},
        {"/etc/shadow", "root:*:19000:0:99999:7:::\n", 0640},
        {"/etc/group", "root:x:0:\nsudo:x:27:\n", 0644},
        {"/etc/gshadow", "root:*::\nsudo:*::\n", 0640},
        {"/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 image\n", 0644},
        {"/etc/hostname", "image\n", 0644},
        {"/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 0444},
        {"/etc/fstab", "# of the image\nUUID=old / ext4 defaults 0 1\n", 0644},
        {"/etc/default/grub", "GRUB_TIMEOUT=5\n", 0644},
        {"/etc/ssh/ssh_host_ed25519_key", "secret of the image", 0600},
        {"/var/lib/systemd/random-seed", "seed of the image", 0600},
        {"/home/keep", "", 0644},
        {"/usr/bin/ssh-keygen", "", 0755},
        {"/usr/sbin/sshd", "", 0755},
        {"/usr/lib/systemd/systemd", "", 0755},
        {"/usr/lib/systemd/system/systemd-networkd.service", "", 0644},
        {"/usr/share/zoneinfo/Europe/Amsterdam", "TZif", 0644},
        {"/boot/vmlinuz-6.1.0-1", "kernel", 0644},
        {"/boot/initrd.img-6.1.0-1", "initrd", 0644},
        {"/boot/grub/grub.cfg", "search for the disk of another computer\n", 0600},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++)
        r = put(root, files[i].path, bytes_of(files[i].content), files[i].mode);
    return TRACE(r);
}

/* Where the agent and the boot loaders of a boot image are. */
static int put_programs(void)
{
    static const struct {
        const char *path;
        const char *content;
        unsigned mode;
    } files[] = {
        {"/slipway/slipway-agent", "the agent", 0755},
        {"/slipway/ld.so", "the loader", 0755},
        {"/slipway/lib/libz.so.1", "a library", 0755},
        {"/slipway-boot/grub" ARCH_EFI ".efi", "GRUB", 0644},
        {"/slipway-boot/shim" ARCH_EFI ".efi", "shim", 0644},
    };
    static uint8_t boot[SECTOR_BYTES];
    static uint8_t core[CORE_BYTES];
    int r = 0;

    boot[SECTOR_BYTES - 2] = 0x55;
    boot[SECTOR_BYTES - 1] = 0xaa;
    boot[0] = 0xeb;
    memset(core, 0x6b, sizeof(core));
    for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++)
        r = put(PRETEND_ROOM "/upper", files[i].path, bytes_of(files[i].content), files[i].mode);
    if (r == 0)
        r = put(PRETEND_ROOM "/upper",
                "/slipway-boot/boot.img",
                (struct bytes){boot, sizeof(boot)},
                0644);
    if (r == 0)
        r = put(PRETEND_ROOM "/upper",
                "/slipway-boot/core.img",
                (struct bytes){core, sizeof(core)},
                0644);
    return TRACE(r);
}

int pretend_boot_image(void)
{
    static const char options[] =
        "lowerdir=/usr/lib,upperdir=" PRETEND_ROOM "/upper,workdir=" PRETEND_ROOM "/work";

    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/run", "tmpfs", 0, "mode=0755") != 0)
        return 1;
    /* no boot entry is made in the firmware of this computer */
    if (dir_make(PRETEND_ROOM "/work", 0755) < 0 ||
        (file_exists("/sys/firmware") &&
         mount("none", "/sys/firmware", "tmpfs", 0, "mode=0755") != 0))
        return ERR(-EIO);
    int r = put_programs();

    if (r < 0)
        return TRACE(r);
    return mount("none", "/usr/lib", "overlay", 0, options) == 0 ? 0 : ERR(-errno);
}
