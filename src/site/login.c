/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/administrator.h"
#include "site/directory_account.h"
#include "site/directory_login.h"
#include "site/fields.h"

enum {
    SUBJECT_MAX = 96,
    DOUBLINGS_MAX = 10,
    KIND_MAX = 16, /* "boot-address:" */
};

/* Whom a failure is counted for. */
struct subjects {
    char name[SUBJECT_MAX];
    char address[SUBJECT_MAX];
};

static struct subjects subjects_of(struct site *site, const char *name)
{
    struct subjects subjects;

    (void)snprintf(subjects.name, SUBJECT_MAX, "name:%.64s", name);
    (void)snprintf(subjects.address, SUBJECT_MAX, "address:%.64s", site->principal.address);
    return subjects;
}

static int check_wait(struct site *site, const struct subjects *subjects)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db,
                     SQL_LOGIN_UNTIL,
                     DB_ARGS(db_text(subjects->name), db_text(subjects->address)),
                     &rows);
    uint64_t until_us;
    unsigned left_s;

    if (r < 0)
        return TRACE(r);
    until_us = r == DB_ROW ? db_get_u64(&rows, 0) : 0;
    if (site->now_us >= until_us)
        return 0;
    left_s = (unsigned)((until_us - site->now_us) / 1000000 + 1);
    (void)refuse(site,
                 REFUSAL_TOO_OFTEN,
                 "There were too many wrong passwords for this name or from this address: try "
                 "again in %u seconds.",
                 left_s);
    site->refusal.retry_after_s = left_s;
    return SITE_E_REFUSED;
}

/* As the site writes names: so somebody who is called Ada has no more attempts than ada. */
static void name_of(const json_t *body, char ret[static DIRECTORY_NAME_MAX])
{
    if (!directory_lower(field_text(body, "user", ""), ret, DIRECTORY_NAME_MAX))
        ret[0] = '\0'; /* characters of more than one byte: nobody's */
}

static const struct field login_fields[] = {
    {"user", FIELD_LINE, true, 1, ADMINISTRATOR_NAME_MAX, NULL},
    {"password", FIELD_TEXT, true, 1, PASSWORD_MAX_BYTES, NULL},
    {"is_session", FIELD_BOOL, false, 0, 0, NULL},
    {0},
};

static int count_failure(struct site *site, const char *subject, uint64_t n_free);

/*
 * Before the work on it: those that are worked on at the same time count too. Success takes it back. Who has to wait for one of
 * the two is counted for neither: otherwise whoever waits could make as many subjects as he likes.
 */
static int count_attempt(struct site *site, const struct subjects *subjects, unsigned n_free)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = check_wait(site, subjects);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = count_failure(site, subjects->name, n_free);
    if (r == 0)
        r = count_failure(site, subjects->address, LOGIN_FREE_PER_ADDRESS);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

static int uncount(struct site *site, const char *subject, unsigned n_free)
{
    return TRACE(
        db_run(site->db, SQL_LOGIN_UNCOUNT, DB_ARGS(db_text(subject), db_u64(n_free)), NULL));
}

/* Nobody could say whether it was right: it was none. Those before it stay. */
static int uncount_attempt(struct site *site, const struct subjects *subjects)
{
    int r = uncount(site, subjects->name, LOGIN_FREE_PER_NAME);

    return r < 0 ? TRACE(r) : TRACE(uncount(site, subjects->address, LOGIN_FREE_PER_ADDRESS));
}

/* One that does not answer keeps others waiting for its time-outs: it is left alone for a while. */
static int begin_directory(struct site *site,
                           const char *name,
                           const struct subjects *subjects,
                           struct password_work *ret)
{
    int r = directory_check_rest(site);
    int uncounted = r == 0 ? 0 : uncount_attempt(site, subjects);

    if (uncounted < 0 || r != 0)
        return uncounted < 0 ? TRACE(uncounted) : r;
    ret->directory = &site->settings.directory;
    return TRACE(directory_prepare(site, name, &ret->question));
}

/* With what a password of the site is compared. */
static int put_hash(struct site *site, const char *name, char ret[static PASSWORD_HASH_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_ADMINISTRATOR_PASSWORD, DB_ARGS(db_text(name)), &rows);

    if (r < 0)
        return TRACE(r);
    (void)snprintf(
        ret, PASSWORD_HASH_MAX, "%s", r == DB_ROW ? db_get_text(&rows, 1) : password_nobody());
    return 0;
}

int login_begin(struct site *site, const json_t *body, struct password_work *ret)
{
    char name[DIRECTORY_NAME_MAX];
    struct subjects subjects;
    bool is_asked = false;
    int r = fields_check(site, body, login_fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    name_of(body, name);
    subjects = subjects_of(site, name);
    r = count_attempt(site, &subjects, LOGIN_FREE_PER_NAME);
    if (r == 0)
        r = directory_is_asked(site, name, &is_asked);
    if (r == 0)
        r = is_asked ? begin_directory(site, name, &subjects, ret)
                     : put_hash(site, name, ret->hash);
    if (r != 0)
        return TRACE(r);
    (void)snprintf(ret->given, sizeof(ret->given), "%s", field_text(body, "password", ""));
    return 0;
}

/* How long to wait after so many failures. */
static uint64_t wait_us(uint64_t n_failures, uint64_t n_free)
{
    uint64_t doublings = n_failures >= n_free ? n_failures - n_free : 0;
    uint64_t us = LOGIN_WAIT_US << (doublings > DOUBLINGS_MAX ? DOUBLINGS_MAX : doublings);

    if (n_failures < n_free)
        return 0;
    return us > LOGIN_WAIT_MAX_US ? LOGIN_WAIT_MAX_US : us;
}

/* Each kind of subject has room of its own. When it is full, what has failed the least and the longest ago makes way. */
static int make_room(struct site *site, const char *subject)
{
    char kind[KIND_MAX];

    (void)snprintf(kind, sizeof(kind), "%.*s:", (int)strcspn(subject, ":"), subject);
    return TRACE(db_run(site->db,
                        SQL_LOGIN_FAILURE_MAKE_ROOM,
                        DB_ARGS(db_text(kind), db_u64(LOGIN_SUBJECTS_MAX - 1)),
                        NULL));
}

static int count_failure(struct site *site, const char *subject, uint64_t n_free)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t since_us = site->now_us > LOGIN_FORGET_US ? site->now_us - LOGIN_FORGET_US : 0;
    uint64_t n = 1;
    bool is_known;
    int r =
        db_first(site->db, SQL_LOGIN_FAILURES, DB_ARGS(db_text(subject), db_u64(since_us)), &rows);

    if (r < 0)
        return TRACE(r);
    is_known = r == DB_ROW;
    if (is_known)
        n += db_get_u64(&rows, 0);
    db_rows_fini(&rows);
    r = is_known ? 0 : make_room(site, subject);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_LOGIN_FAILED,
                         DB_ARGS(db_text(subject),
                                 db_u64(n),
                                 db_u64(site->now_us),
                                 db_u64(site->now_us + wait_us(n, n_free)))));
}

/* It is counted already. @why: for the audit log, and nobody else */
static int note_failure(struct site *site, const char *name, const char *why)
{
    int r = site_audit(site, name, "login.failed", "", why);

    if (r < 0)
        return TRACE(r);
    return refuse(site, REFUSAL_PASSWORD, "Nobody was signed in.");
}

/* It was right: it was he who failed before, too. The address may be shared with somebody who guesses. */
static int forget_attempt(struct site *site, const struct subjects *subjects)
{
    int r = db_run(site->db, SQL_LOGIN_SUCCEEDED, DB_ARGS(db_text(subjects->name)), NULL);

    return r < 0 ? TRACE(r) : TRACE(uncount(site, subjects->address, LOGIN_FREE_PER_ADDRESS));
}

int login_make_token(struct site *site,
                     const char *administrator_id,
                     bool is_session,
                     uint64_t most_us,
                     struct login_answer *ret)
{
    struct access_token token = {
        .kind = is_session ? ACCESS_SESSION : ACCESS_API,
        .administrator_id = administrator_id,
        .name = is_session ? "browser" : "login",
        .csrf = is_session ? ret->csrf : NULL,
        .life_us = is_session ? ACCESS_SESSION_US : ACCESS_API_US,
    };
    char id[UUID_TEXT_MAX];

    if (token.life_us > most_us)
        token.life_us = most_us;
    if (is_session)
        random_token(ret->csrf, "slw_csrf");
    ret->expires_us = site->now_us + token.life_us;
    return TRACE(access_new_token(site, &token, ret->token, id));
}

/* He may have been disabled, or got another password, while this one was being looked at. */
static int find_again(struct site *site,
                      const char *name,
                      const struct password_work *work,
                      char ret[static NAMED_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_ADMINISTRATOR_PASSWORD, DB_ARGS(db_text(name)), &rows);

    ret[0] = '\0';
    if (r == DB_ROW && strcmp(db_get_text(&rows, 1), work->hash) == 0)
        (void)snprintf(ret, NAMED_ID_MAX, "%s", db_get_text(&rows, 0));
    return r < 0 ? TRACE(r) : 0;
}

/* It could not say: that is no failure of whoever tries. */
static int
refuse_down(struct site *site, const char *name, const struct subjects *subjects, const char *why)
{
    int r = uncount_attempt(site, subjects);

    if (r == 0)
        r = site_audit(site, name, "login.no-directory", "", why);
    if (r < 0)
        return TRACE(r);
    (void)refuse(site,
                 REFUSAL_DIRECTORY_DOWN,
                 "The directory could not be asked; the site's log says why. Administrators of the "
                 "site itself can sign in.");
    site->refusal.retry_after_s = DIRECTORY_REST_S;
    return SITE_E_REFUSED;
}

/* Within a transaction. @ret: who it is; "" with @why if it is nobody */
static int find_who(struct site *site,
                    const char *name,
                    const struct password_work *work,
                    char ret[static NAMED_ID_MAX],
                    char why[static DIRECTORY_WHY_MAX])
{
    ret[0] = '\0';
    (void)snprintf(
        why, DIRECTORY_WHY_MAX, "%s", work->directory ? work->answer.why : site->principal.address);
    if (!work->directory)
        return work->is_good ? TRACE(find_again(site, name, work, ret)) : 0;
    if (work->answer.outcome != DIRECTORY_RIGHT)
        return 0;
    return TRACE(directory_sign_in(site, name, &work->answer, ret, why));
}

static int let_in(struct site *site,
                  const json_t *body,
                  const char *name,
                  const struct password_work *work,
                  struct login_answer *ret)
{
    struct subjects subjects = subjects_of(site, name);
    char id[NAMED_ID_MAX];
    char why[DIRECTORY_WHY_MAX];
    int r = find_who(site, name, work, id, why);

    if (r == 0 && !id[0])
        return TRACE(note_failure(site, name, why));
    if (r == 0)
        r = forget_attempt(site, &subjects);
    if (r == 0)
        r = login_make_token(site, id, field_bool(body, "is_session"), UINT64_MAX, ret);
    if (r == 0)
        r = site_audit(
            site, name, "login", id, work->directory ? "by the directory" : "with a password");
    return TRACE(r);
}

int login_end(struct site *site,
              const json_t *body,
              const struct password_work *work,
              struct login_answer *ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char name[DIRECTORY_NAME_MAX];
    struct subjects subjects;
    int done;
    int r;

    *ret = (struct login_answer){.expires_us = 0};
    name_of(body, name);
    subjects = subjects_of(site, name);
    if (work->directory && work->answer.outcome == DIRECTORY_DOWN)
        directory_rest(site);
    if (work->directory &&
        (work->answer.outcome == DIRECTORY_DOWN || work->answer.outcome == DIRECTORY_CANNOT_SAY))
        return refuse_down(site, name, &subjects, work->answer.why);
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = let_in(site, body, name, work, ret);
    if (r < 0)
        return TRACE(r);
    done = db_commit(&tx); /* what the log says of a refusal, too */
    return done < 0 ? TRACE(done) : r;
}

static const struct field set_fields[] = {
    {"password", FIELD_LINE, true, PASSWORD_MIN, PASSWORD_MAX, NULL},
    {0},
};

int login_begin_set(struct site *site, const json_t *body, struct password_work *ret)
{
    int r = fields_check(site, body, set_fields, false, REFUSAL_INVALID);

    if (r == 0)
        (void)snprintf(ret->wanted, sizeof(ret->wanted), "%s", field_text(body, "password", ""));
    return TRACE(r);
}

int login_end_set(struct site *site,
                  const char *who,
                  const char *which,
                  const struct password_work *work)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[NAMED_ID_MAX];
    int r = administrator_find(site, which, id);

    if (r == 0)
        r = directory_check_own_password(site, id);
    if (r != 0)
        return TRACE(r);
    if (!work->made[0])
        return ERR(-ENOMEM);
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = db_must(
            site->db, SQL_ADMINISTRATOR_SET_PASSWORD, DB_ARGS(db_text(id), db_text(work->made)));
    /* who knew the old one may have made tokens; whoever changes his own keeps what he changes it with */
    if (r == 0)
        r = db_must(site->db,
                    SQL_ACCESS_TOKEN_DROP_OTHERS,
                    DB_ARGS(db_text(id), db_text(site->principal.token_id)));
    if (r == 0)
        r = site_audit(site, who, "administrator.set-password", id, "");
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

int login_begin_own(struct site *site, const json_t *body, struct password_work *ret)
{
    static const struct field fields[] = {
        {"old_password", FIELD_TEXT, true, 1, PASSWORD_MAX_BYTES, NULL},
        {"new_password", FIELD_LINE, true, PASSWORD_MIN, PASSWORD_MAX, NULL},
        {0},
    };
    OWN(json_freep) json_t *login = NULL;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = administrator_check_unlimited(site);
    if (r == 0)
        r = directory_check_own_password(site, site->principal.id);
    if (r != 0)
        return TRACE(r);
    login = json_pack("{s:s,s:s}",
                      "user",
                      site->principal.name,
                      "password",
                      field_text(body, "old_password", ""));
    if (!login)
        return ERR(-ENOMEM);
    (void)snprintf(ret->wanted, sizeof(ret->wanted), "%s", field_text(body, "new_password", ""));
    return TRACE(login_begin(site, login, ret));
}

int login_end_own(struct site *site, const struct password_work *work)
{
    struct subjects subjects = subjects_of(site, site->principal.name);
    int r;

    if (!work->is_good)
        return note_failure(site, site->principal.name, site->principal.address);
    r = forget_attempt(site, &subjects);
    if (r < 0)
        return TRACE(r);
    return TRACE(login_end_set(site, site->principal.name, site->principal.id, work));
}

int login_count(struct site *site, const char *subject, unsigned n_free, const char *place)
{
    struct subjects subjects;

    (void)snprintf(subjects.name, SUBJECT_MAX, "%s", subject);
    (void)snprintf(subjects.address, SUBJECT_MAX, "%s", place);
    return TRACE(count_attempt(site, &subjects, n_free));
}

int login_forget(struct site *site, const char *subject, const char *place)
{
    struct subjects subjects;

    (void)snprintf(subjects.name, SUBJECT_MAX, "%s", subject);
    (void)snprintf(subjects.address, SUBJECT_MAX, "%s", place);
    return TRACE(forget_attempt(site, &subjects));
}

int login_expire(struct site *site)
{
    uint64_t since_us = site->now_us > LOGIN_FORGET_US ? site->now_us - LOGIN_FORGET_US : 0;

    return TRACE(db_must(site->db, SQL_LOGIN_FAILURE_EXPIRE, DB_ARGS(db_u64(since_us))));
}
