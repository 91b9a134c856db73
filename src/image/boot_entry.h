/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Entries of the firmware's boot manager: the variables Boot#### and BootOrder
 *
 * Each deployment makes a new EFI system partition. The entry of the last one would stay behind in the firmware, and
 * firmware has room for few: so entries with our description whose partition is on no disk are used again or removed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

struct efiboot_partition;

struct boot_firmware {
    const char *variables; /* the folder of efivarfs */
    bool (*is_on_a_disk)(void *ctx, const uint8_t partition_uuid[static UUID_BYTES]);
    void *ctx;
};

struct boot_entry { /* all borrowed */
    const char *description;
    const struct efiboot_partition *esp;
    const char *file;
};

/**
 * boot_entry_register() - make @entry, put it first in the boot order, and have the next start use it
 * @why: on BOOT_E_FIRMWARE (image/boot_disk.h): a sentence for people
 *
 * The entry of the same description and partition is replaced, else one of the same description whose partition is on no
 * disk; others of that sort are removed. Entries of others are never touched. The next start is said on its own (BootNext), as
 * there is firmware that puts the network first again; one that does not take it is left with the order.
 */
int boot_entry_register(const struct boot_firmware *firmware,
                        const struct boot_entry *entry,
                        struct buf *why);
