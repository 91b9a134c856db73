/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Folders of other computers: SMB and NFS, mounted by the kernel itself
 *
 * No helper program is called: account and password go to the kernel by fsconfig(), and are on no command line, in no
 * file and in no environment.
 */

#include <stdbool.h>

#include "base/buf.h"

struct ts_network_folder; /* ts/network_folder.h */

#define NETWORK_FOLDER_ROOT "/run/slipway/drives"

/**
 * network_folder_target() - where it is mounted
 * @drive: "Z:" or "Z" is NETWORK_FOLDER_ROOT "/Z"; "/a/path" is that; "" is named after server and share
 *
 * Return: false if @drive is none of these. X: is the boot image's own, as documented.
 */
bool network_folder_target(const struct ts_network_folder *f, const char *drive, struct buf *ret);

enum {
    NETWORK_FOLDER_E_REFUSED = 1, /* for another reason than these */
    NETWORK_FOLDER_E_NAME = 2,    /* the server's is not known */
    NETWORK_FOLDER_E_UNREACHABLE = 3,
    NETWORK_FOLDER_E_LOGON = 4,   /* account or password, or what it may */
    NETWORK_FOLDER_E_MISSING = 5, /* share or folder */
    NETWORK_FOLDER_E_UNSUPPORTED = 6,
    NETWORK_FOLDER_E_CANCELLED = 7, /* agent/steps/network_reach.h */
};

/* The documented return code of one of these. */
int network_folder_code(int outcome);

/**
 * network_folder_mount()
 * @account: "name", "DOMAIN\\name" or "name@domain"; "": nobody, as whom guests are let in
 * @target: made if it is not there; what was mounted there goes first
 * @why: of an outcome above 0, what the kernel says, never the password
 *
 * Return: 0, one of the outcomes below if it cannot be mounted, or -errno.
 */
int network_folder_mount(const struct ts_network_folder *f,
                         const char *account,
                         const char *password,
                         const char *target,
                         struct buf *why);

/* All that is mounted below NETWORK_FOLDER_ROOT. */
void network_folder_disconnect_all(void);
