/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/oidc_login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "site/access.h"
#include "site/directory_account.h"
#include "site/fields.h"
#include "site/oidc_account.h"

#define FLOW_CODE   "code"
#define FLOW_DEVICE "device"

enum {
    US_PER_S = 1000000,
};

/* The columns of SQL_OIDC_LOGIN_FIND. */
enum {
    COLUMN_FLOW,
    COLUMN_REDIRECT_URI,
    COLUMN_INTERVAL,
    COLUMN_NEXT,
};

static int check_is_on(struct site *site)
{
    if (oidc_is_on(&site->settings.oidc))
        return 0;
    return refuse(site,
                  REFUSAL_OIDC_OFF,
                  "The site has no OpenID provider: [oidc] issuer in slipway.conf(5) names one.");
}

/* The table is not to be filled by one who begins and never ends. */
static int check_room(struct site *site)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db,
                     SQL_OIDC_LOGIN_COUNT,
                     DB_ARGS(db_text(site->principal.address), db_u64(site->now_us)),
                     &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW || db_get_u64(&rows, 0) < OIDC_LOGINS_PER_ADDRESS)
        return 0;
    (void)refuse(site,
                 REFUSAL_TOO_OFTEN,
                 "From this address %d sign-ins have begun and are not ended: try again later.",
                 OIDC_LOGINS_PER_ADDRESS);
    site->refusal.retry_after_s = (unsigned)(OIDC_LOGIN_US / US_PER_S);
    return SITE_E_REFUSED;
}

int oidc_begin_start(struct site *site, const json_t *body, struct oidc_work *ret)
{
    static const struct field fields[] = {
        {"flow", FIELD_CHOICE, true, 0, 0, FLOW_CODE "|" FLOW_DEVICE},
        {"redirect_uri", FIELD_LINE, false, 1, OIDC_URI_MAX - 1, NULL},
        {0},
    };
    const char *uri = field_text(body, "redirect_uri", "");
    int r = check_is_on(site);

    if (r == 0)
        r = fields_check(site, body, fields, false, REFUSAL_INVALID);
    if (r == 0)
        r = check_room(site);
    if (r != 0)
        return TRACE(r);
    ret->errand =
        strcmp(field_text(body, "flow", ""), FLOW_CODE) == 0 ? OIDC_START_CODE : OIDC_START_DEVICE;
    if (ret->errand == OIDC_START_CODE && !oidc_may_redirect(&site->settings.oidc, uri))
        return refuse_member(site,
                             REFUSAL_OIDC_REDIRECT,
                             "redirect_uri",
                             "\"%.200s\" is neither in [oidc] redirect-uri nor "
                             "http://127.0.0.1:PORT/ or http://[::1]:PORT/.",
                             uri);
    ret->now_us = site->now_us;
    random_token(ret->secret, "slw_oidc");
    if (ret->errand == OIDC_START_CODE) {
        random_token(ret->state, "state");
        (void)snprintf(ret->redirect_uri, sizeof(ret->redirect_uri), "%s", uri);
    }
    return 0;
}

static int refuse_down(struct site *site)
{
    (void)refuse(site,
                 REFUSAL_OIDC_DOWN,
                 "The OpenID provider could not be asked; the site's log says why. Administrators "
                 "of the site itself can sign in.");
    site->refusal.retry_after_s = OIDC_REST_S;
    return SITE_E_REFUSED;
}

/* For who signs in, in few words: the rest is for the audit log. */
static int refuse_login(struct site *site, const char *subject, const char *why)
{
    char who[ACCESS_WHO_MAX];
    int r;

    directory_plain(subject, who, sizeof(who));
    r = site_audit(site, who[0] ? who : "oidc", "login.failed", "", why);
    if (r < 0)
        return TRACE(r);
    return refuse(
        site, REFUSAL_OIDC_REFUSED, "Nobody was signed in. The site's audit log says why.");
}

/* Of what the provider was asked and could not or would not say. */
static int check_outcome(struct site *site, const struct oidc_work *work)
{
    switch (work->outcome) {
    case OIDC_DOWN:
        return refuse_down(site);
    case OIDC_LACKING:
        return refuse(site,
                      REFUSAL_OIDC_OFF,
                      "The OpenID provider has no codes for devices (RFC 8628): sign in with a "
                      "browser on this computer.");
    case OIDC_REFUSED:
        return refuse_login(site, "", work->why);
    case OIDC_PENDING:
    case OIDC_RIGHT:
        break;
    }
    return 0;
}

static int put_login(struct site *site, const struct oidc_work *work, uint64_t expires_us)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    bool is_code = work->errand == OIDC_START_CODE;
    char state[SHA256_TEXT_MAX];
    char secret[SHA256_TEXT_MAX];
    int r = access_hash_token(work->state, state);

    if (r == 0)
        r = access_hash_token(work->secret, secret);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = db_run(site->db, SQL_OIDC_LOGIN_MAKE_ROOM, DB_ARGS(db_u64(OIDC_LOGINS_MAX - 1)), NULL);
    if (r == 0)
        r = db_must(site->db,
                    SQL_OIDC_LOGIN_ADD,
                    DB_ARGS(db_text(state),
                            db_text(secret),
                            db_text(is_code ? FLOW_CODE : FLOW_DEVICE),
                            db_text(work->redirect_uri),
                            db_text(site->principal.address),
                            db_u64(work->interval_s),
                            db_u64(site->now_us + (uint64_t)work->interval_s * US_PER_S),
                            db_u64(expires_us)));
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int oidc_end_start(struct site *site, const struct oidc_work *work, json_t **ret)
{
    bool is_code = work->errand == OIDC_START_CODE;
    uint64_t expires_us = site->now_us + (is_code ? OIDC_LOGIN_US : work->life_us);
    char expires[CLOCK_TEXT_MAX];
    int r = check_outcome(site, work);

    if (r == 0)
        r = put_login(site, work, expires_us);
    if (r != 0)
        return TRACE(r);
    clock_put_rfc3339(expires, expires_us);
    *ret = json_pack("{s:s, s:s, s:s, s:s}",
                     "state",
                     work->state,
                     "secret",
                     work->secret,
                     is_code ? "authorization_url" : "verification_url",
                     work->url,
                     "expires_at",
                     expires);
    if (!*ret || is_code)
        return *ret ? 0 : ERR(-ENOMEM);
    if (json_object_set_new(*ret, "user_code", json_string(work->user_code)) < 0 ||
        json_object_set_new(*ret, "interval_s", json_integer(work->interval_s)) < 0 ||
        (work->whole_url[0] &&
         json_object_set_new(*ret, "verification_url_complete", json_string(work->whole_url)) < 0))
        return ERR(-ENOMEM);
    return 0;
}

static int hash_both(const struct oidc_work *work,
                     char state[static SHA256_TEXT_MAX],
                     char secret[static SHA256_TEXT_MAX])
{
    int r = access_hash_token(work->state, state);

    return r < 0 ? TRACE(r) : TRACE(access_hash_token(work->secret, secret));
}

static int refuse_unknown(struct site *site)
{
    return refuse(site,
                  REFUSAL_OIDC_STATE,
                  "This sign-in is unknown, was ended already, or began more than %u minutes ago: "
                  "begin anew.",
                  (unsigned)(OIDC_LOGIN_US / US_PER_S / 60));
}

/* Asked about too soon, the provider would make us wait longer (RFC 8628, 3.5). */
static int check_patience(struct site *site, const struct db_rows *rows)
{
    uint64_t next_us = db_get_u64(rows, COLUMN_NEXT);

    /* the two clocks need not go alike to a second */
    if (site->now_us + US_PER_S >= next_us)
        return 0;
    (void)refuse(site, REFUSAL_TOO_OFTEN, "This sign-in was asked about a moment ago.");
    site->refusal.retry_after_s = (unsigned)((next_us - site->now_us) / US_PER_S + 1);
    return SITE_E_REFUSED;
}

/* Whose sign-in it is, and of which flow. A code is used up by being tried. */
static int find_login(struct site *site, bool has_code, struct oidc_work *work)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char state[SHA256_TEXT_MAX];
    char secret[SHA256_TEXT_MAX];
    uint64_t changes = 0;
    int r = hash_both(work, state, secret);

    if (r == 0)
        r = db_first(site->db,
                     SQL_OIDC_LOGIN_FIND,
                     DB_ARGS(db_text(state), db_text(secret), db_u64(site->now_us)),
                     &rows);
    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW || (strcmp(db_get_text(&rows, COLUMN_FLOW), FLOW_CODE) == 0) != has_code)
        return refuse_unknown(site);
    (void)snprintf(work->redirect_uri,
                   sizeof(work->redirect_uri),
                   "%s",
                   db_get_text(&rows, COLUMN_REDIRECT_URI));
    work->interval_s = (unsigned)db_get_u64(&rows, COLUMN_INTERVAL);
    if (!has_code)
        return check_patience(site, &rows);
    db_rows_fini(&rows);
    r = db_run(site->db,
               SQL_OIDC_LOGIN_TAKE,
               DB_ARGS(db_text(state), db_text(secret), db_u64(site->now_us)),
               &changes);
    if (r < 0)
        return TRACE(r);
    return changes == 1 ? 0 : refuse_unknown(site);
}

/* Of devices: not before it is time again, also while the provider is being asked. */
static int put_wait(struct site *site, const struct oidc_work *work)
{
    char state[SHA256_TEXT_MAX];
    int r = access_hash_token(work->state, state);

    return r < 0
               ? TRACE(r)
               : TRACE(db_run(site->db,
                              SQL_OIDC_LOGIN_WAIT,
                              DB_ARGS(db_text(state),
                                      db_u64(work->interval_s),
                                      db_u64(site->now_us + (uint64_t)work->interval_s * US_PER_S)),
                              NULL));
}

int oidc_begin_login(struct site *site, const json_t *body, struct oidc_work *ret)
{
    static const struct field fields[] = {
        {"state", FIELD_LINE, true, 1, OIDC_CODE_MAX - 1, NULL},
        {"secret", FIELD_LINE, true, 1, TOKEN_TEXT_MAX - 1, NULL},
        {"code", FIELD_LINE, false, 1, OIDC_CODE_MAX - 1, NULL},
        {"iss", FIELD_LINE, false, 1, OIDC_URI_MAX - 1, NULL},
        {"is_session", FIELD_BOOL, false, 0, 0, NULL},
        {0},
    };
    const char *code = field_text(body, "code", NULL);
    int r = check_is_on(site);

    if (r == 0)
        r = fields_check(site, body, fields, false, REFUSAL_INVALID);
    if (r != 0)
        return TRACE(r);
    ret->errand = code ? OIDC_END_CODE : OIDC_END_DEVICE;
    ret->now_us = site->now_us;
    (void)snprintf(ret->state, sizeof(ret->state), "%s", field_text(body, "state", ""));
    (void)snprintf(ret->secret, sizeof(ret->secret), "%s", field_text(body, "secret", ""));
    (void)snprintf(ret->code, sizeof(ret->code), "%s", code ? code : "");
    (void)snprintf(ret->issuer, sizeof(ret->issuer), "%s", field_text(body, "iss", ""));
    r = find_login(site, code != NULL, ret);
    if (r == 0 && !code)
        r = put_wait(site, ret);
    return TRACE(r);
}

/* It was one of a device: nobody asks about it again. */
static int drop_login(struct site *site, const struct oidc_work *work)
{
    char state[SHA256_TEXT_MAX];
    char secret[SHA256_TEXT_MAX];
    int r = hash_both(work, state, secret);

    return r < 0 ? TRACE(r)
                 : TRACE(db_run(site->db,
                                SQL_OIDC_LOGIN_TAKE,
                                DB_ARGS(db_text(state), db_text(secret), db_u64(0)),
                                NULL));
}

static int note_login(struct site *site, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char name[ACCESS_WHO_MAX];
    int r = db_first(site->db, SQL_ADMINISTRATOR_KIND, DB_ARGS(db_text(id)), &rows);

    if (r < 0)
        return TRACE(r);
    (void)snprintf(name, sizeof(name), "%s", r == DB_ROW ? db_get_text(&rows, 1) : id);
    db_rows_fini(&rows);
    return TRACE(site_audit(site, name, "login", id, "by the OpenID provider"));
}

static int let_in(struct site *site,
                  const json_t *body,
                  const struct oidc_work *work,
                  struct login_answer *ret)
{
    char id[NAMED_ID_MAX];
    char why[OIDC_WHY_MAX] = "";
    int r = work->errand == OIDC_END_DEVICE ? drop_login(site, work) : 0;

    if (r == 0)
        r = oidc_sign_in(site, &work->claims, id, why);
    if (r == 0 && !id[0])
        return TRACE(refuse_login(site, work->claims.subject, why));
    if (r == 0)
        r = login_make_token(
            site, id, field_bool(body, "is_session"), site->settings.oidc.trust_us, ret);
    return r == 0 ? TRACE(note_login(site, id)) : TRACE(r);
}

int oidc_end_login(struct site *site,
                   const json_t *body,
                   const struct oidc_work *work,
                   struct login_answer *ret,
                   unsigned *ret_interval_s)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    bool is_over = work->errand == OIDC_END_DEVICE && work->outcome == OIDC_REFUSED;
    int done;
    int r = db_begin(site->db, &tx);

    *ret = (struct login_answer){.expires_us = 0};
    if (r == 0 && work->outcome == OIDC_PENDING)
        r = put_wait(site, work);
    if (r == 0 && is_over)
        r = drop_login(site, work);
    if (r == 0)
        r = check_outcome(site, work);
    if (r == 0 && work->outcome == OIDC_RIGHT)
        r = let_in(site, body, work, ret);
    if (r < 0)
        return TRACE(r);
    done = db_commit(&tx); /* what the log says of a refusal, too */
    *ret_interval_s = work->interval_s;
    if (done < 0)
        return TRACE(done);
    return r == 0 && work->outcome == OIDC_PENDING ? OIDC_E_PENDING : r;
}

int oidc_expire(struct site *site)
{
    return TRACE(db_must(site->db, SQL_OIDC_LOGIN_EXPIRE, DB_ARGS(db_u64(site->now_us))));
}
