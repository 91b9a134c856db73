/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The boot loaders that come with the boot image: Debian's signed shim and GRUB for UEFI
 */

#include "base/bytes.h"

#define LOADERS_FOLDER "/usr/lib/slipway-boot" /* made by bootimage/build.sh */

/**
 * loaders_write_uefi() - make a FAT partition one that UEFI starts from, by the path for removable media too
 * @folder: where it is mounted
 * @menu: what GRUB is to do
 *
 * Durable. shim comes last: without it the firmware finds nothing to start.
 */
int loaders_write_uefi(const char *folder, struct bytes menu);

/* Everything written so far to the file system of @folder reaches the disk, whoever wrote it. */
int loaders_settle(const char *folder);
