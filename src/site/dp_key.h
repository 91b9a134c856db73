/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Keys of distribution points, and the tokens of short life that are had for them (docs/protocol/content.md, Joining)
 */

#include <jansson.h>

#include "site/dp.h"
#include "site/site.h"

#define DP_TOKEN_US (UINT64_C(15) * 60 * 1000000)

enum {
    DP_TOKENS_MAX = 4, /* of a distribution point; the oldest go */
};

/**
 * dp_key_add() - what the distribution point is known by from now on; in the caller's transaction
 * @key:   a proof of PROOF_DP_KEY
 * @token: what it must be about: that which the distribution point shows to be let in now
 *
 * It has one key for as long as it is there. The token that it may have had before there were keys is good for nothing more.
 */
int dp_key_add(struct site *site, const char *dp_id, const json_t *key, const char *token);

/**
 * dp_key_register() - POST /internal/dp/keys: one that joined before there were keys has made one
 * @token: what it was let in with
 * @body:  {"key": proof}
 */
int dp_key_register(struct site *site, const char *dp_id, const char *token, const json_t *body);

/* POST /internal/dp/tokens. @body: {"key": a proof of PROOF_DP_TOKEN}. @ret: {"token", "token_life_s"} */
int dp_token_renew(struct site *site, const json_t *body, json_t **ret);

/* Whose credential is this? Return: 0 or SITE_E_REFUSED. */
int dp_check_token(struct site *site, const char *token, char ret[static DP_ID_MAX]);
