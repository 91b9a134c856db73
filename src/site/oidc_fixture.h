/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * An issuer of ID tokens, for tests: keys of it, and what it signs. Failures end the program.
 */

#include <jansson.h>
#include <stddef.h>

#include "site/oidc.h"

struct oidc_fixture_key; /* an RSA key, or one of P-256 */

struct oidc_fixture_key *oidc_fixture_key_new(const char *kid, bool is_rsa);
void oidc_fixture_key_free(struct oidc_fixture_key *key);

/* The document with the public parts of these. @ret: owned by the caller, free() */
char *oidc_fixture_keys(struct oidc_fixture_key *const *keys, size_t n);

/* A compact token. @header: taken over; "alg" in it is what it is signed with. @ret: owned by the caller, free() */
char *oidc_fixture_sign(struct oidc_fixture_key *key, json_t *header, const json_t *claims);

/* The same, put together by hand: nothing is refused. @secret: HS256 with it; NULL: no signature */
char *oidc_fixture_forge(const char *header, const char *claims, const char *secret);

/* What the fixture's key is as PEM: the secret of somebody who takes RS256 for HS256. @ret: owned by the caller, free() */
char *oidc_fixture_pem(struct oidc_fixture_key *key);
