/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Challenges: what is to be signed once, and soon (docs/protocol/client-api.md, Device keys)
 *
 * A challenge is kept nowhere: it carries its time and a code by a key of the database. Only one that was answered is
 * remembered, until it is too old anyway. The clock they live by is never set back, so one that was forgotten stays so.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "site/site.h"

#define CHALLENGE_LIFE_US (UINT64_C(2) * 60 * 1000000)
#define CHALLENGE_SKEW_US (UINT64_C(30) * 1000000) /* between the clocks of site servers */

enum {
    CHALLENGE_TEXT_MAX = 96, /* "slw_challenge_", 80 hexadecimal digits, and the NUL */
    CHALLENGE_CODE_BYTES = 16,
};

/* Make the key that all sites on this database share, if there is none yet. */
int challenge_make_key(struct site *site);

/* A new one. */
int challenge_put(struct site *site, char ret[static CHALLENGE_TEXT_MAX]);

/**
 * challenge_parse() - is it one that was made with this key
 * @ret_code: by which it is told from all others
 */
bool challenge_parse(const uint8_t key[static SITE_KEY_BYTES],
                     const char *text,
                     uint64_t *ret_time_us,
                     uint8_t ret_code[static CHALLENGE_CODE_BYTES]);

/* @ret: whether it is one of this site's, and not too old. */
int challenge_check(struct site *site, const char *text, bool *ret);

/**
 * challenge_use() - it has been answered
 * @text: one that challenge_check() found good
 * @ret:  whether for the first time
 */
int challenge_use(struct site *site, const char *text, bool *ret);

/* What follows from @about and the key of all sites on this database: the same each time, and nobody else can tell it. */
int challenge_derive(struct site *site, struct bytes about, size_t len, uint8_t *ret);

/* Forget what is too old. */
int challenge_expire(struct site *site);
