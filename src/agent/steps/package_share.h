/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A package for a program that runs as an account: the cache is root's alone
 *
 * The folder is bound to another place whose only way in is open to the account's own group, for as long as the program
 * runs.
 */

#include <stdint.h>

enum {
    PACKAGE_SHARE_PATH_MAX = 128,
};

struct package_share {
    char folder[PACKAGE_SHARE_PATH_MAX]; /* made for it; "" if there is none */
    char path[PACKAGE_SHARE_PATH_MAX];   /* of the package, for the account */
};

/* @ret: package_share_fini(). Return: 0 or -errno. */
int package_share(const char *package, uint32_t gid, struct package_share *ret);
void package_share_fini(struct package_share *share);
