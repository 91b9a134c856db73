/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Accounts of a Linux system that does not run: passwd, shadow, group below a root folder
 */

struct buf;

/* Outcomes beside 0 */
enum {
    ACCOUNTS_E_MISSING = 1, /* the system has no etc/passwd, etc/shadow or etc/group */
    ACCOUNTS_E_EXISTS = 2,  /* an account of that name is there already */
    ACCOUNTS_E_FULL = 3,    /* no free user id */
};

/**
 * accounts_set_password() - of an account that exists
 * @root: descriptor of the volume (agent/steps/inside.h)
 * @password: NULL: lock the password; it is stored hashed (yescrypt, or SHA-512 where libcrypt has none)
 */
int accounts_set_password(int root, const char *user, const char *password);

/**
 * accounts_add_user() - with its group, home folder and membership in "sudo" or "wheel"
 * @password: "" locks it
 * @ssh_key:  "" or one line for authorized_keys
 */
int accounts_add_user(int root, const char *user, const char *password, const char *ssh_key);
