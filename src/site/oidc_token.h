/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * ID tokens and the keys that sign them: RFC 7515 (JWS, compact), RFC 7517 (keys), RFC 7519 (claims), OpenID Connect Core 1.0,
 * 2 and 3.1.3.7. Pure: the time and the keys are given.
 */

#include <jansson.h>

#include "base/bytes.h"
#include "site/oidc.h"

enum {
    OIDC_KEYS_MAX = 64, /* in one document */
};

/* What a token must say. All borrowed. */
struct oidc_expected {
    const char *issuer;
    const char *client_id;
    const char *nonce; /* NULL: it was not asked for with one */
    const char *groups_claim;
    const char *name_claim;
    uint64_t now_us;
};

struct oidc_claims {
    char subject[OIDC_TEXT_MAX]; /* whom the issuer means; nobody else of it, ever */
    char name[OIDC_TEXT_MAX];    /* as the claim has it; "" if there is none */
    json_t *groups;              /* owned; an array of texts */
};

void oidc_claims_fini(struct oidc_claims *claims);

/* Outcomes of oidc_token_check() beside 0 */
enum {
    OIDC_E_KEY = 1,   /* no key that we have has its name: there may be new ones */
    OIDC_E_WRONG = 2, /* it is not to be believed */
};

/**
 * oidc_base64url_parse() - bytes in base64url without padding (RFC 7515, section 2), for which there is one text only
 * @ret: @max bytes of place
 *
 * All that is given to cjose passes here first: its decoder ends the program at what is none.
 *
 * Return: whether it is that, and fits.
 */
bool oidc_base64url_parse(struct bytes text, uint8_t *ret, size_t max, size_t *ret_len);

/**
 * oidc_keys_parse() - the keys of a document that a token may be signed with: RSA from 2048 bits on, and P-256
 * @ret: owned by the caller; an array, of keys without private parts
 *
 * Return: 0; 1 if it is no such document, with @why; -ENOMEM.
 */
int oidc_keys_parse(struct bytes text, json_t **ret, char why[static OIDC_WHY_MAX]);

/**
 * oidc_token_check() - is this a token of the issuer, for us, for this sign-in, and now
 * @keys: as oidc_keys_parse() gives them
 * @ret:  oidc_claims_fini() releases it; set on 0
 * @why:  for the log, on the outcomes
 *
 * RS256 and ES256 alone are believed, and only with a key of that kind; keys that a token brings along or points to never are.
 *
 * Return: 0, an outcome, or -ENOMEM.
 */
int oidc_token_check(struct bytes token,
                     const json_t *keys,
                     const struct oidc_expected *expected,
                     struct oidc_claims *ret,
                     char why[static OIDC_WHY_MAX]);
