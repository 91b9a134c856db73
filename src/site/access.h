/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Tokens: administrators' (one-time and API), devices', and boot tickets. Only their SHA-256 is kept
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "plat/random.h"
#include "site/site.h"

enum {
    ACCESS_WHO_MAX = 64,
    ACCESS_DEVICE_ID_MAX = 40,
};

#define ACCESS_ONE_TIME_US    (UINT64_C(24) * 3600 * 1000000)
#define ACCESS_API_US         (UINT64_C(90) * 24 * 3600 * 1000000)
#define ACCESS_DEVICE_US      (UINT64_C(24) * 3600 * 1000000)
#define ACCESS_BOOT_TICKET_US (UINT64_C(10) * 60 * 1000000)

/**
 * access_first_token() - a one-time token, if nobody has ever signed in
 *
 * An older one-time token is void then: nobody may know it any more.
 *
 * Return: 0 with @ret, 1 if there are API tokens, or -errno.
 */
int access_first_token(struct site *site, char ret[static TOKEN_TEXT_MAX]);

/**
 * access_login() - exchange a one-time token for an API token
 * @ret_expires_us: end of the new token's life
 */
int access_login(struct site *site,
                 const char *one_time,
                 char ret[static TOKEN_TEXT_MAX],
                 uint64_t *ret_expires_us);

/* Is this an API token? @ret: who, for the audit log. Return: 0 or SITE_E_REFUSED. */
int access_check_admin(struct site *site, const char *token, char ret[static ACCESS_WHO_MAX]);

/* End an API token. */
int access_logout(struct site *site, const char *token);

/* Good for a day, or as long as an order may take if that is longer: the installed system cannot get another. */
int access_new_device_token(struct site *site,
                            const char *device_id,
                            char ret[static TOKEN_TEXT_MAX]);

/* Whose token is this? Return: 0 or SITE_E_REFUSED. */
int access_check_device(struct site *site,
                        const char *token,
                        char ret[static ACCESS_DEVICE_ID_MAX]);

/* A ticket for one MAC, one registration and ten minutes. @mac: "52:54:00:12:34:56". */
int access_new_boot_ticket(struct site *site, const char *mac, char ret[static TOKEN_TEXT_MAX]);

/* Use it up. @ret: whether it was good. */
int access_take_boot_ticket(struct site *site, const char *ticket, const char *mac, bool *ret);

/* SHA-256 in hexadecimal: all that is kept of a token. */
int access_hash_token(const char *token, char ret[static SHA256_TEXT_MAX]);

/* Forget what has expired. */
int access_expire(struct site *site);
