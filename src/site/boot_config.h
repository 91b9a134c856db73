/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the boot loaders are told: GRUB's menu, iPXE's script, the kernel's command line (docs/protocol/boot.md)
 */

#include "base/buf.h"

struct site;

enum {
    BOOT_CONFIG_MAX_BYTES = 16 * 1024,
};

struct boot_config {
    const struct site *site;
    const char *
        server_address; /* where the device asked, and has its boot files from; also the first of the site's URLs,
                                   unless it is a remote distribution point's */
    unsigned
        dp_http_port; /* of the remote distribution point that was asked; 0: it was the site itself */
    const char *package_id;
    const char
        *x86_package_id; /* what iPXE starts on a 32-bit processor instead; NULL or "": the same */
    const char *arch;    /* "x64" or "x86": of package_id */
    const char *mac;     /* "" if it is not to be told */
    const char *ticket;  /* "" if there is none */
    const char *title;   /* of what is deployed, for people; any text */
    unsigned menu_s;     /* how long the menu waits */
    bool is_required;    /* otherwise a person chooses, and the disk is what happens without one */
};

void boot_config_put_command_line(const struct boot_config *config, struct buf *dst);
void boot_config_put_grub(const struct boot_config *config, struct buf *dst);
void boot_config_put_ipxe(const struct boot_config *config, struct buf *dst);

/* "http://10.77.0.1/boot/SLP00001/x64/FILE" */
void boot_config_put_url(const struct boot_config *config, const char *file, struct buf *dst);
