/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * slipwayd join: this host becomes a distribution point of a site (docs/protocol/content.md, Joining)
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct join_options {
    const char *url;     /* of the site */
    const char *token;   /* of `slipway dp create-token`; "-": the first line of standard input */
    const char *name;    /* of this host, for people; NULL: the host's name */
    const char *address; /* where clients reach this host; NULL: as in the configuration */
    const char *state_folder; /* made if it is missing */
    const char *config_file;  /* NULL: the default one, which need not exist */
};

/**
 * join() - check the site's key against the pin in the token, ask, and keep what the site gives
 *
 * Nothing is sent to whoever does not have the site's key. Either all of keys/site-url, keys/dp-token and
 * keys/site.crt are there afterwards, or none.
 *
 * Return: exit status, an enum parent_exit; whatever is not 0 has been said on standard error.
 */
int join(const struct join_options *options);

/* "slw_dp_<secret>.<64 hexadecimal digits>": the pin. Return: whether it is one. */
bool join_read_token(const char *token, uint8_t ret_pin[static SHA256_BYTES]);
