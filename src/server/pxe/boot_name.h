/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The names that boot loaders ask for by TFTP: docs/protocol/boot.md, TFTP names
 */

#include <stdint.h>

#include "base/text.h"
#include "server/pxe/boot_clients.h"

enum boot_name_kind {
    BOOT_NAME_OTHER,        /* nothing of ours: there is no such file */
    BOOT_NAME_FILE,         /* a file of a boot image */
    BOOT_NAME_SECOND_STAGE, /* what shim loads, wherever it looks for it (docs/quirks.md) */
    BOOT_NAME_MOK_MANAGER,  /* what shim loads after it refused that; the same */
    BOOT_NAME_GRUB_CONFIG,  /* the same for everybody */
    BOOT_NAME_GRUB_MENU,    /* of the device @mac */
    BOOT_NAME_IPXE_SCRIPT,  /* of the device @mac */
};

struct boot_name {
    enum boot_name_kind kind;
    uint8_t mac[MAC_BYTES];
    char folder[BOOT_FOLDER_TEXT_MAX]; /* of the boot image; "" if the name is in none */
};

/**
 * boot_name_read() - understand @name
 * @name: cleaned, as in struct tftp_ask
 */
struct boot_name boot_name_read(const char *name);
