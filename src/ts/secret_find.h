/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Secrets in a text that should have none: the command of a step may repeat its password
 *
 * One of fewer than TS_SECRET_MIN_CHARS characters only where it is a word: it would be found in any text, and the command
 * would be cut to pieces.
 *
 * Looked for as they are, with characters escaped as in XML, URL-coded (RFC 3986, section 2.1; also with '+' for spaces), and within
 * Base64 of UTF-8 and of UTF-16LE.
 */

#include <stdbool.h>
#include <stddef.h>

enum {
    TS_SECRET_MIN_CHARS = 4,
    TS_SECRETS_MAX = 16,
    TS_SECRET_MAX_BYTES = 512,
};

struct ts_secrets {
    char *items[TS_SECRETS_MAX]; /* owned; the longest first */
    size_t n;
    bool
        has_others; /* that cannot be looked for: too many, too long, or hidden in what cannot be read */
};

/* Nothing if it is empty or there already. */
void ts_secrets_add(struct ts_secrets *secrets, const char *secret);

/* May be called twice. Fits OWN(). */
void ts_secrets_fini(struct ts_secrets *secrets);

/* Whether @text has a short secret, as a word or within one. */
bool ts_secrets_have_short(const struct ts_secrets *secrets, const char *text);

/**
 * ts_secrets_cut() - take all that is one out of a text
 *
 * What has one afterwards still, or may have one that cannot be looked for, becomes empty.
 *
 * Return: whether there was one, or may have been.
 */
bool ts_secrets_cut(const struct ts_secrets *secrets, char *text);
