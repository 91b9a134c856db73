/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What is asked of an OpenID provider: where it has what (OpenID Connect Discovery 1.0), its keys, codes for ID tokens (RFC 6749,
 * RFC 7636), codes for devices without a browser (RFC 8628)
 *
 * Every connection is TLS with a certificate that is checked. Nothing here knows the database: what is asked and what is
 * answered are given by value, so that a thread of its own can wait for the provider.
 */

#include "plat/random.h"
#include "site/oidc.h"
#include "site/oidc_token.h"

struct oidc_provider; /* what it is known to have, its keys too, for an hour; for several threads */

/* @settings: borrowed for its life */
int oidc_provider_new(const struct oidc_settings *settings, struct oidc_provider **ret);
void oidc_provider_free(struct oidc_provider *provider);

enum oidc_errand {
    OIDC_START_CODE,   /* where somebody with a browser signs in */
    OIDC_START_DEVICE, /* the same, on another machine than this one */
    OIDC_END_CODE,     /* who has */
    OIDC_END_DEVICE,   /* whether he has, and who */
};

enum oidc_outcome {
    OIDC_DOWN,    /* it could not be asked, or does not know the site */
    OIDC_LACKING, /* it has no such thing: no codes for devices */
    OIDC_REFUSED, /* it lets nobody in, or what it says is not to be believed */
    OIDC_PENDING, /* of OIDC_END_DEVICE: not yet; ask again after .interval_s */
    OIDC_RIGHT,
};

/* Whoever made one wipes and frees it with oidc_work_free(). */
struct oidc_work {
    struct oidc_provider *provider; /* borrowed for as long as it takes */
    enum oidc_errand errand;
    uint64_t now_us;
    uint64_t until_us; /* of clock_monotonic_us(); oidc_work_run() sets it */
    char secret
        [TOKEN_TEXT_MAX]; /* of whoever signs in, and of nobody else: nonce and verifier are made of it */
    char state[OIDC_CODE_MAX]; /* which sign-in; of devices the provider gives it */
    char redirect_uri[OIDC_URI_MAX];
    char code[OIDC_CODE_MAX];
    char issuer
        [OIDC_URI_MAX]; /* RFC 9207: who has answered, as the browser was told; "": it was not */

    enum oidc_outcome outcome;
    char why[OIDC_WHY_MAX];        /* for the log; plain */
    char url[OIDC_URL_MAX];        /* of the page to sign in at */
    char user_code[OIDC_TEXT_MAX]; /* to be typed there; OIDC_START_DEVICE */
    char whole_url[OIDC_URL_MAX];  /* the page with the code in it; "": there is none */
    unsigned interval_s;
    uint64_t life_us;          /* of the sign-in; OIDC_START_DEVICE */
    struct oidc_claims claims; /* owned; OIDC_RIGHT of OIDC_END_... */
};

struct oidc_work *oidc_work_new(struct oidc_provider *provider, enum oidc_errand errand);

/* Both fit http_defer(); it waits for another machine. */
void oidc_work_run(void *arg);
void oidc_work_free(void *arg);
