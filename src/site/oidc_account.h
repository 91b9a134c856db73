/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Administrators of an OpenID provider, as the site knows them: by issuer and subject, with groups by the names it gives them
 */

#include "site/named.h"
#include "site/oidc_token.h"

/**
 * oidc_sign_in() - somebody whose token was good; within the caller's transaction
 * @ret:     his id here; "" if he may nothing, or is kept out
 * @ret_why: then, for the log
 */
int oidc_sign_in(struct site *site,
                 const struct oidc_claims *claims,
                 char ret[static NAMED_ID_MAX],
                 char ret_why[static OIDC_WHY_MAX]);

/* Which redirect_uri may be: one of the settings, or http:// of a loopback address with any port (RFC 8252, 7.3). */
bool oidc_may_redirect(const struct oidc_settings *settings, const char *uri);
