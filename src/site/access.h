/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Tokens of administrators (one-time, API and sessions), and boot tickets. Only their SHA-256 is kept
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "plat/random.h"
#include "site/site.h"

enum {
    ACCESS_WHO_MAX = 64,
    ACCESS_DEVICE_ID_MAX = 40,
};

#define ACCESS_ONE_TIME_US    (UINT64_C(24) * 3600 * 1000000)
#define ACCESS_API_US         (UINT64_C(90) * 24 * 3600 * 1000000)
#define ACCESS_API_MAX_US     (UINT64_C(366) * 24 * 3600 * 1000000)
#define ACCESS_SESSION_US     (UINT64_C(12) * 3600 * 1000000)
#define ACCESS_IDLE_US        (UINT64_C(30) * 60 * 1000000) /* of a session */
#define ACCESS_USED_US        (UINT64_C(60) * 1000000)      /* how exactly use is noted */
#define ACCESS_BOOT_TICKET_US (UINT64_C(10) * 60 * 1000000)

/* Who the first one-time token is for. */
#define ACCESS_FIRST_ADMINISTRATOR "AD00001"

enum access_kind {
    ACCESS_ONE_TIME, /* good for one login, to begin with */
    ACCESS_API,      /* of the command line and of scripts */
    ACCESS_SESSION, /* of a browser: a cookie, and a second secret that is sent along with what changes something */
};

struct access_token {
    enum access_kind kind;
    const char *administrator_id;
    const char *name;        /* for people */
    const char *permissions; /* principal_words_are_fit(); NULL: all that its administrator may */
    const char *csrf;        /* the second secret of a session; NULL: none */
    uint64_t life_us;
};

/**
 * access_first_token() - a one-time token, if nobody has ever signed in
 *
 * An older one-time token is void then: nobody may know it any more.
 *
 * Return: 0 with @ret, 1 if there are API tokens or passwords, or -errno.
 */
int access_first_token(struct site *site, char ret[static TOKEN_TEXT_MAX]);

/**
 * access_login() - exchange a one-time token for an API token
 * @ret_expires_us: end of the new token's life
 */
int access_login(struct site *site,
                 const char *one_time,
                 char ret[static TOKEN_TEXT_MAX],
                 uint64_t *ret_expires_us);

/* Make a token. @ret: it, shown once; @ret_id: its name from now on */
int access_new_token(struct site *site,
                     const struct access_token *token,
                     char ret[static TOKEN_TEXT_MAX],
                     char ret_id[static UUID_TEXT_MAX]);

/* Whose API token is this? Return: 0 or SITE_E_REFUSED. */
int access_check_admin(struct site *site, const char *token, struct principal *ret);

/**
 * access_check_session() - whose session is this
 * @csrf:      its second secret, or NULL
 * @is_change: whether that is needed
 */
int access_check_session(
    struct site *site, const char *secret, const char *csrf, bool is_change, struct principal *ret);

/* What a reader has left in site->use, noted by who may write. */
int access_note_use(struct site *site, const struct site_token_use *use);

/* End a token by its id; all of an administrator. */
int access_drop_token(struct site *site, const char *id);
int access_drop_tokens_of(struct site *site, const char *administrator_id);

/* A ticket for one MAC, one registration and ten minutes. @mac: "52:54:00:12:34:56". */
int access_new_boot_ticket(struct site *site, const char *mac, char ret[static TOKEN_TEXT_MAX]);

/* Use it up. @ret: whether it was good. */
int access_take_boot_ticket(struct site *site, const char *ticket, const char *mac, bool *ret);

/* SHA-256 in hexadecimal: all that is kept of a token. */
int access_hash_token(const char *token, char ret[static SHA256_TEXT_MAX]);

/* Forget what has expired. */
int access_expire(struct site *site);
