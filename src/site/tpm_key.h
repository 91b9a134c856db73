/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A device's TPM: that it has a certain endorsement key (docs/protocol/client-api.md, The TPM's key)
 *
 * Nothing is kept of a credential: the secret in it follows from the challenge, the key and the name that it was made for.
 */

#include <jansson.h>

#include "plat/digest.h"
#include "site/site.h"

/* POST /client/tpm-credentials. @body: {"challenge", "public", "name"}. @ret: {"blob", "encrypted"} */
int tpm_key_challenge(struct site *site, const json_t *body, json_t **ret);

/**
 * tpm_key_prove() - the device that registers has this TPM
 * @registration: its proof of the device's key has been found good, so its challenge is as well
 * @ret:          SHA-256 of the endorsement key's public area; "": it shows none
 */
int tpm_key_prove(struct site *site, const json_t *registration, char ret[static SHA256_TEXT_MAX]);
