/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/loaders.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/steps/inside.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/arch.h"
#include "plat/file.h"

enum {
    LOADER_MAX = 16 * 1024 * 1024,
};

int loaders_settle(const char *folder)
{
    OWN(fd_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || syncfs(fd) != 0)
        return ERR(-errno);
    return 0;
}

static int copy_loader(int esp, const char *name, const char *to)
{
    OWN(buf_fini) struct buf content = BUF_INIT(LOADER_MAX);
    char from[PATH_MAX];

    (void)snprintf(from, sizeof(from), LOADERS_FOLDER "/%s", name);
    int r = file_read(from, &content);

    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-ENOENT);
    return TRACE(inside_write(esp, to, buf_bytes(&content), (struct inside_mode){.bits = 0644}));
}

int loaders_write_uefi(const char *folder, struct bytes menu)
{
    OWN(fd_closep) int esp = -1;
    int r = inside_open(folder, &esp);

    /* The folder that is built into Debian's signed GRUB */
    if (r == 0)
        r = inside_write(esp, "EFI/debian/grub.cfg", menu, (struct inside_mode){.bits = 0644});
    if (r == 0)
        r = copy_loader(esp, "grub" ARCH_EFI ".efi", "EFI/debian/grub" ARCH_EFI ".efi");
    if (r == 0)
        r = copy_loader(esp, "grub" ARCH_EFI ".efi", "EFI/BOOT/grub" ARCH_EFI ".efi");
    if (r == 0)
        r = loaders_settle(folder);
    if (r == 0)
        r = copy_loader(esp, "shim" ARCH_EFI ".efi", "EFI/debian/shim" ARCH_EFI ".efi");
    if (r == 0)
        r = copy_loader(esp, "shim" ARCH_EFI ".efi", "EFI/BOOT/BOOT" ARCH_EFI_BOOT ".EFI");
    if (r == 0)
        r = loaders_settle(folder);
    return TRACE(r);
}
