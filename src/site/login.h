/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Signing in with name and password, and setting passwords. Each is begun and ended by a request, with password_work_run()
 * in between
 */

#include <jansson.h>

#include "site/access.h"
#include "site/password.h"

enum {
    LOGIN_FREE_PER_NAME = 5, /* failures until one has to wait */
    LOGIN_FREE_PER_ADDRESS = 20,
    LOGIN_SUBJECTS_MAX = 10000, /* of each kind: names, addresses, devices, their addresses */
};

#define LOGIN_WAIT_US     (UINT64_C(15) * 1000000)
#define LOGIN_WAIT_MAX_US (UINT64_C(15) * 60 * 1000000)
#define LOGIN_FORGET_US   (UINT64_C(24) * 3600 * 1000000)

/* {"user", "password", and "is_session": true for a browser} */
struct login_answer {
    char token[TOKEN_TEXT_MAX];
    char csrf[TOKEN_TEXT_MAX]; /* "" if it is no session */
    uint64_t expires_us;
};

/**
 * login_make_token() - for somebody who was let in
 * @most_us: it is good for no longer than this
 */
int login_make_token(struct site *site,
                     const char *administrator_id,
                     bool is_session,
                     uint64_t most_us,
                     struct login_answer *ret);

/**
 * login_begin() - may this be tried now, and with what the password is to be compared
 * @ret: filled in
 */
int login_begin(struct site *site, const json_t *body, struct password_work *ret);

/* Whether it was right, and then a token. */
int login_end(struct site *site,
              const json_t *body,
              const struct password_work *work,
              struct login_answer *ret);

/* One's own password: {"old_password", "new_password"}. */
int login_begin_own(struct site *site, const json_t *body, struct password_work *ret);
int login_end_own(struct site *site, const struct password_work *work);

/* Somebody's: {"password"}. */
int login_begin_set(struct site *site, const json_t *body, struct password_work *ret);
int login_end_set(struct site *site,
                  const char *who,
                  const char *which,
                  const struct password_work *work);

/**
 * login_count() - one more try of a password, before the work on it
 * @subject: whom it is counted for, as "boot:" and a device
 * @n_free:  how many there may be until one has to wait
 * @place:   where he is, as "boot-address:" and an address; of LOGIN_FREE_PER_ADDRESS
 *
 * Return: 0; or SITE_E_REFUSED: it is not to be tried now, and not counted.
 */
int login_count(struct site *site, const char *subject, unsigned n_free, const char *place);

/* The try was right: none is counted for the subject any more, and one less for the place. */
int login_forget(struct site *site, const char *subject, const char *place);

/* Forget old failures. */
int login_expire(struct site *site);
