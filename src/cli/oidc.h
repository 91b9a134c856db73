/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Signing in at the site's OpenID provider, with a browser on this computer or, by a code, on any other
 */

#include "cli/session.h"

/* @ret: the answer of the sign-in, with "token"; owned by the caller */
bool oidc_sign_in(struct session *s, bool is_device, json_t **ret);
