/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What is said about an account in a directory, and names there; nothing is asked here
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "site/directory.h"

enum {
    DIRECTORY_FILTER_MAX = 4 * DIRECTORY_DN_MAX,
    DIRECTORY_VALUE_MAX = 32,
};

/* Attributes as they are; "" where there is none. */
struct directory_account {
    char user_account_control[DIRECTORY_VALUE_MAX]; /* Active Directory */
    char account_expires[DIRECTORY_VALUE_MAX];
    char ns_account_lock[DIRECTORY_VALUE_MAX]; /* 389 Directory Server, FreeIPA */
    char pwd_locked_time[DIRECTORY_VALUE_MAX]; /* password policy of OpenLDAP and others */
    char pwd_reset[DIRECTORY_VALUE_MAX];       /* the same */
    char shadow_expire[DIRECTORY_VALUE_MAX];   /* RFC 2307: days since 1970 */
    char shadow_last_change[DIRECTORY_VALUE_MAX];
    char shadow_max[DIRECTORY_VALUE_MAX];
    char shadow_inactive[DIRECTORY_VALUE_MAX];
};

/* Why this account may not sign in, whatever its password; NULL: it may */
const char *directory_why_not(const struct directory_account *account, uint64_t now_us);

/* A distinguished name as all that mean the same entry are written here. Return: whether it is one, and not too long. */
bool directory_dn(const char *text, char ret[static DIRECTORY_DN_MAX]);

/* For a log: printable ASCII as it is, but for what a log means something by; all else by its numbers. Cut at whole ones. */
void directory_plain(const char *text, char *ret, size_t cap);

/* "(attribute=VALUE)", in which VALUE means nothing but itself (RFC 4515); appended to @dst. Return: whether there was room. */
bool directory_put_match(char dst[static DIRECTORY_FILTER_MAX],
                         const char *attribute,
                         struct bytes value);

/* Small letters for capital ones, of ASCII. Return: whether it fits. */
bool directory_lower(const char *name, char *ret, size_t cap);
