/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which site, how it is known, and who we are there
 *
 * ~/.config/slipway/credentials.json (0600; XDG_CONFIG_HOME moves it) as `slipway login` wrote it, with
 * SLIPWAY_URL, SLIPWAY_PIN and SLIPWAY_TOKEN above it. If SLIPWAY_URL names another site than the file,
 * pin and token of the file are not used: they would be given to a stranger.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

/* Outcomes of credentials_load() beside 0 */
enum {
    CREDENTIALS_E_MISSING = 1, /* no site is known: neither file nor SLIPWAY_URL */
    CREDENTIALS_E_BROKEN = 2,  /* the file is not what login wrote */
    CREDENTIALS_E_PIN = 3,     /* SLIPWAY_PIN is not 64 hexadecimal digits */
};

struct credentials {
    char *url;   /* owned */
    char *token; /* owned; NULL: not logged in */
    bool has_pin;
    uint8_t pin[SHA256_BYTES];
};

/* What the environment says; a field may be NULL. */
struct credentials_env {
    const char *config_home; /* XDG_CONFIG_HOME */
    const char *home;        /* HOME */
    const char *url;
    const char *pin;
    const char *token;
};

struct credentials_env credentials_env(void);

void credentials_fini(struct credentials *c);

/* Where the file is; false if there is no home. */
bool credentials_path(const struct credentials_env *env, struct buf *ret);

/**
 * credentials_load() - the file and the environment
 * @ret: a zeroed struct; credentials_fini()
 *
 * Return: 0, an outcome, or -errno.
 */
int credentials_load(const struct credentials_env *env, struct credentials *ret);

/* Write the file, its folder too (0700). Return: 0 or -errno (-ENOENT: there is no home). */
int credentials_save(const struct credentials_env *env, const struct credentials *c);

/**
 * credentials_url_is_fit() - "https://host[:port]" or "unix:/path", without user, path or query
 *
 * Anything else would carry the token in the clear or somewhere unexpected.
 */
bool credentials_url_is_fit(const char *url);
