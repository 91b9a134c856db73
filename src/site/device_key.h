/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Devices' keys, and the tokens of short life that are had for them (docs/protocol/client-api.md, Device keys)
 */

#include <stdbool.h>

#include "plat/random.h"
#include "plat/signature.h"
#include "site/access.h"
#include "site/site.h"

#define DEVICE_KEY_US    (UINT64_C(24) * 3600 * 1000000)
#define DEVICE_TOKEN_US  (UINT64_C(15) * 60 * 1000000)
#define DEVICE_REPEAT_US (UINT64_C(10) * 60 * 1000000) /* a registration may be repeated */
#define DEVICE_REPORT_US (UINT64_C(60) * 1000000) /* a key's reports are noted once in this time */

enum {
    DEVICE_KEYS_MAX = 8,   /* of a device; the oldest goes, if no order was reported on with it */
    DEVICE_TOKENS_MAX = 4, /* of a key */
};

/**
 * device_key_prove() - who asks has the key that he names
 * @key:     {"public", "challenge", "signature"}; the challenge is used up with the caller's transaction
 * @purpose: PROOF_...
 * @subject: what the signature must be about
 * @ret:     the public half
 */
int device_key_prove(struct site *site,
                     const json_t *key,
                     const char *purpose,
                     const char *subject,
                     char ret[static SIGNATURE_KEY_TEXT_MAX]);

/**
 * device_key_find() - whose key is this
 * @ret_device:      "": nobody's
 * @ret_ticket_hash: what it was registered with in the last minutes; "-": longer ago
 */
int device_key_find(struct site *site,
                    const char *public_half,
                    char ret_device[static ACCESS_DEVICE_ID_MAX],
                    char ret_ticket_hash[static SHA256_TEXT_MAX]);

/* Good for a day, or as long as an order may take if that is longer: the installed system cannot register another. */
int device_key_add(struct site *site,
                   const char *device_id,
                   const char *public_half,
                   const char *ticket_hash);

/* An order was reported on with this token: other registrations of the device do not take its key away. */
int device_key_reported(struct site *site, const char *token);

/* The device's keys and tokens are good for nothing more. */
int device_key_drop_all(struct site *site, const char *device_id);

/* A token for the device whose key this is. */
int device_token_new(struct site *site,
                     const char *device_id,
                     const char *public_half,
                     char ret[static TOKEN_TEXT_MAX]);

/* POST /client/tokens. @ret: {"token", "token_life_s"} */
int device_token_renew(struct site *site, const json_t *body, json_t **ret);

/* Whose token is this? Return: 0 or SITE_E_REFUSED. */
int device_token_check(struct site *site, const char *token, char ret[static ACCESS_DEVICE_ID_MAX]);
