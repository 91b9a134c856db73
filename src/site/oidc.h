/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Administrators who sign in at an OpenID provider: docs/security-roles.md, OpenID Connect Core 1.0
 *
 * What is asked there is in oidc_provider.h, what an ID token must be in oidc_token.h, who somebody is here in oidc_login.h.
 */

#include <stdbool.h>
#include <stdint.h>

enum {
    OIDC_TEXT_MAX = 256, /* an issuer's name of somebody, of a group; with its NUL */
    OIDC_URI_MAX = 1024,
    OIDC_URL_MAX = 4096,  /* of the page where one signs in, with its parameters */
    OIDC_CODE_MAX = 2048, /* a code of the provider, for an ID token or for a device */
    OIDC_WHY_MAX = 256,
    OIDC_GROUPS_MAX = 1000, /* in one token; more are refused */
    OIDC_TOKEN_MAX_BYTES = 16 * 1024,
    OIDC_ANSWER_MAX_BYTES = 256 * 1024,
    OIDC_SKEW_S = 60,     /* how much its clock and ours may differ */
    OIDC_FRESH_S = 600,   /* how long ago a token that we have just been given may have been made */
    OIDC_WAIT_ALL_S = 15, /* for all that one request of ours to it takes */
    OIDC_REST_S = 5,
};

/* So long somebody has for signing in there. */
#define OIDC_LOGIN_US (UINT64_C(10) * 60 * 1000000)

/* All borrowed; .issuer is "" or NULL if there is no provider. */
struct oidc_settings {
    const char *issuer; /* https://HOST[:PORT][/PATH], to the letter as in its tokens */
    const char *client_id;
    const char *secret_file; /* of the site as its client; "": it has no secret there */
    const char *ca_file;     /* "": the system's authorities */
    const char
        *redirect_uris; /* of pages, separated by spaces; those of a loopback address always may */
    const char *scopes; /* separated by spaces, with openid */
    const char *groups_claim;
    const char *name_claim;
    uint64_t trust_us; /* for how long a sign-in is good */
};

/* Whether there is one. */
static inline bool oidc_is_on(const struct oidc_settings *settings)
{
    return settings->issuer && settings->issuer[0];
}
