/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Signing in at an OpenID provider, as the site knows it: begun and ended by requests, with oidc_work_run() in between
 */

#include <jansson.h>

#include "site/login.h"
#include "site/oidc_provider.h"

enum {
    OIDC_LOGINS_MAX = 10000, /* that have begun */
    OIDC_LOGINS_PER_ADDRESS = 20,
};

/* Outcome of oidc_end_login() beside 0 and SITE_E_REFUSED: he has not signed in there yet */
enum {
    OIDC_E_PENDING = 2,
};

/**
 * oidc_begin_start() - may somebody begin; {"flow": "code" with "redirect_uri", or "device"}
 * @ret: filled in
 */
int oidc_begin_start(struct site *site, const json_t *body, struct oidc_work *ret);

/* Where he signs in, and what is to be kept until he has: "state", "secret". @ret: owned by the caller */
int oidc_end_start(struct site *site, const struct oidc_work *work, json_t **ret);

/**
 * oidc_begin_login() - he has, or is asked about: {"state", "secret", and of a browser "code", "iss", "is_session"}
 *
 * A code is for one try.
 */
int oidc_begin_login(struct site *site, const json_t *body, struct oidc_work *ret);

/**
 * oidc_end_login() - who it is, and then a token
 * @ret:            on 0
 * @ret_interval_s: on OIDC_E_PENDING: when to ask again
 */
int oidc_end_login(struct site *site,
                   const json_t *body,
                   const struct oidc_work *work,
                   struct login_answer *ret,
                   unsigned *ret_interval_s);

/* Forget what was begun and not ended. */
int oidc_expire(struct site *site);
