/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/efiboot/efiboot.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A partition found in a device path must survive being written into an option of our own. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[EFIBOOT_OPTION_MAX];
    struct sink dst = {.ptr = bytes, .cap = sizeof(bytes)};
    struct efiboot_option option;
    struct efiboot_option again;
    struct efiboot_partition partition;
    struct efiboot_partition read_back;
    uint8_t mac[MAC_BYTES];

    if (!efiboot_option_parse((struct bytes){data, size}, &option))
        return 0;
    (void)efiboot_path_mac(option.path, mac);
    if (!efiboot_path_partition(option.path, &partition))
        return 0;
    efiboot_option_put(&dst, option.description, &partition, "\\EFI\\BOOT\\BOOTX64.EFI");
    if (dst.full || !efiboot_option_parse((struct bytes){bytes, dst.len}, &again) ||
        strcmp(option.description, again.description) != 0 ||
        !efiboot_path_partition(again.path, &read_back))
        abort();
    if (read_back.number != partition.number || read_back.start_lba != partition.start_lba ||
        read_back.n_lbas != partition.n_lbas ||
        memcmp(read_back.uuid, partition.uuid, UUID_BYTES) != 0)
        abort();
    return 0;
}
