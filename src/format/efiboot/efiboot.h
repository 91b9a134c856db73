/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * UEFI boot options: the content of the variables Boot#### and BootOrder (UEFI 2.10, sections 3.1.3,
 * 10.3 and 3.3)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
    EFIBOOT_DESCRIPTION_MAX = 128, /* with the NUL */
    EFIBOOT_OPTION_MAX = 4096,     /* bytes of a whole option; firmware gives and takes less */
    EFIBOOT_ORDER_MAX = 512,       /* options in a boot order that we write */
    EFIBOOT_ACTIVE = 1,            /* attribute: the firmware tries it */
};

struct efiboot_option {
    uint32_t attributes;
    char description[EFIBOOT_DESCRIPTION_MAX]; /* '?' for what is not printable ASCII */
    struct bytes path;                         /* device path list; borrows */
    struct bytes data;                         /* optional data; borrows */
};

struct efiboot_partition { /* of a GPT disk */
    uint32_t number;       /* from 1 */
    uint64_t start_lba;
    uint64_t n_lbas;
    uint8_t uuid[UUID_BYTES]; /* of the partition, in the order of its text */
};

/* Return: whether @src is a boot option; @ret borrows from it. */
bool efiboot_option_parse(struct bytes src, struct efiboot_option *ret);

/**
 * efiboot_path_mac() - the network interface that a device path goes through
 *
 * Return: false if it does not go through one with a MAC address of 6 bytes.
 */
bool efiboot_path_mac(struct bytes path, uint8_t ret[static MAC_BYTES]);

/* Return: false if the path does not go through a GPT partition. */
bool efiboot_path_partition(struct bytes path, struct efiboot_partition *ret);

/**
 * efiboot_option_put() - an active option that starts a file on a partition
 * @description: ASCII
 * @file:        ASCII, with backslashes: "\\EFI\\debian\\shimx64.efi"
 */
void efiboot_option_put(struct sink *dst,
                        const char *description,
                        const struct efiboot_partition *partition,
                        const char *file);

/**
 * efiboot_order_put_first() - a boot order with @number at its head, without those that are @gone, and else as it was
 * @old: BootOrder as it is; a trailing odd byte is dropped, as is what exceeds EFIBOOT_ORDER_MAX
 */
void efiboot_order_put_first(
    struct sink *dst, struct bytes old, uint16_t number, const uint16_t *gone, size_t n_gone);
