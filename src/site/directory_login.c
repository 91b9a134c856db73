/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/directory_login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "site/access.h"
#include "site/administrator.h"
#include "site/administrator_groups.h"
#include "site/rows.h"

/* So long others are asked about first, of whom nothing could be said. */
#define UNSURE_US (UINT64_C(60) * 1000000)

enum {
    UNSURE_MAX = 1000, /* of whom that is known */
};

/* The columns of SQL_DIRECTORY_USER. */
enum {
    COLUMN_ID,
    COLUMN_KIND,
    COLUMN_IS_DISABLED,
    COLUMN_ACCOUNT_ID,
};

static bool is_directory_user(const struct db_rows *rows)
{
    return strcmp(db_get_text(rows, COLUMN_KIND), ADMINISTRATOR_DIRECTORY_USER) == 0;
}

int directory_is_asked(struct site *site, const char *name, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r;

    *ret = false;
    if (!directory_is_on(&site->settings.directory) || !name[0] || !administrator_is_name(name) ||
        strlen(name) > NAMED_NAME_MAX)
        return 0;
    r = db_first(site->db, SQL_DIRECTORY_USER, DB_ARGS(db_text(name)), &rows);
    *ret = r == 0 || (r == DB_ROW && is_directory_user(&rows));
    return r < 0 ? TRACE(r) : 0;
}

void directory_rest(struct site *site)
{
    site->directory_rests_until_us = clock_monotonic_us() + DIRECTORY_REST_US;
}

int directory_check_rest(struct site *site)
{
    if (clock_monotonic_us() >= site->directory_rests_until_us)
        return 0;
    (void)refuse(site,
                 REFUSAL_DIRECTORY_DOWN,
                 "The directory has not answered a moment ago; try again in a few seconds. "
                 "Administrators of the site itself can sign in.");
    site->refusal.retry_after_s = DIRECTORY_REST_S;
    return SITE_E_REFUSED;
}

int directory_prepare(struct site *site, const char *name, struct directory_question *ret)
{
    OWN(json_freep) json_t *groups = json_object();
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r;

    if (!groups)
        return ERR(-ENOMEM);
    r = db_select(site->db, SQL_DIRECTORY_GROUPS, DB_ARGS(db_u64(DIRECTORY_WANTED_MAX)), &rows);
    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW)
        if (json_object_set_new(groups, db_get_text(&rows, 0), json_string(db_get_text(&rows, 1))) <
            0)
            return ERR(-ENOMEM);
    if (r < 0)
        return TRACE(r);
    if (ret->name != name)
        (void)snprintf(ret->name, sizeof(ret->name), "%s", name);
    ret->now_us = site->now_us;
    ret->groups = TAKE(groups);
    return 0;
}

static int make(struct site *site, const char *name, char ret[static NAMED_ID_MAX])
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s, s:s, s:s}",
                             "name",
                             name,
                             "comment",
                             "Signed in as a member of a group",
                             "kind",
                             ADMINISTRATOR_DIRECTORY_USER);
    OWN(json_freep) json_t *made = NULL;
    int r = body ? administrator_create(site, name, body, &made) : ERR(-ENOMEM);

    if (r == 0)
        (void)snprintf(ret, NAMED_ID_MAX, "%s", json_string_value(json_object_get(made, "id")));
    return TRACE(r);
}

static void say(char why[static DIRECTORY_WHY_MAX], const char *text)
{
    (void)snprintf(why, DIRECTORY_WHY_MAX, "%s", text);
}

/* He has been here, or is made now. @ret: "" with @why if he is kept out. */
static int find(struct site *site,
                const char *name,
                const struct directory_answer *answer,
                char ret[static NAMED_ID_MAX],
                char why[static DIRECTORY_WHY_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DIRECTORY_USER, DB_ARGS(db_text(name)), &rows);
    const char *known = r == DB_ROW ? db_get_text(&rows, COLUMN_ACCOUNT_ID) : "";

    ret[0] = '\0';
    if (r < 0)
        return TRACE(r);
    if (r == 0 && json_array_size(answer->groups) == 0)
        say(why, "the account is in no group that is granted something");
    else if (r == 0) {
        db_rows_fini(&rows);
        return TRACE(make(site, name, ret));
    } else if (!is_directory_user(&rows))
        say(why, "an administrator of the site has this name");
    else if (db_get_bool(&rows, COLUMN_IS_DISABLED))
        say(why, "the administrator is disabled");
    else if (known[0] && strcmp(known, answer->account_id) != 0)
        say(why, "another account had this name: delete the administrator if it is a new person's");
    else
        (void)snprintf(ret, NAMED_ID_MAX, "%s", db_get_text(&rows, COLUMN_ID));
    return 0;
}

/* Groups that he is in now; what he is granted as their member goes by them. */
static int put_groups(struct site *site, const char *id, const json_t *groups)
{
    return TRACE(administrator_put_groups(site, "directory", id, SQL_DIRECTORY_MEMBER_ADD, groups));
}

static int put_checked(struct site *site, const char *id, const struct directory_answer *answer)
{
    const char *account_id = answer->account_id[0] ? answer->account_id : NULL;

    return TRACE(db_must(site->db,
                         SQL_DIRECTORY_USER_CHECKED,
                         DB_ARGS(db_text(id), db_u64(site->now_us), db_text(account_id))));
}

static int may_anything(struct site *site, const char *id, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DIRECTORY_USER_MAY, DB_ARGS(db_text(id)), &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

int directory_sign_in(struct site *site,
                      const char *name,
                      const struct directory_answer *answer,
                      char ret[static NAMED_ID_MAX],
                      char ret_why[static DIRECTORY_WHY_MAX])
{
    bool may = false;
    int r = find(site, name, answer, ret, ret_why);

    if (r != 0 || !ret[0])
        return TRACE(r);
    r = put_groups(site, ret, answer->groups);
    if (r == 0)
        r = put_checked(site, ret, answer);
    if (r == 0)
        r = may_anything(site, ret, &may);
    if (r == 0 && !may) {
        ret[0] = '\0';
        say(ret_why, "the account is in no group that is granted something, nor is it itself");
    }
    return TRACE(r);
}

int directory_check_own_password(struct site *site, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_ADMINISTRATOR_KIND, DB_ARGS(db_text(id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r == 0 || strcmp(db_get_text(&rows, 0), ADMINISTRATOR_LOCAL) == 0)
        return 0;
    return refuse(site,
                  REFUSAL_NO_PASSWORD,
                  "\"%s\" is a %s: the site keeps no password for it.",
                  db_get_text(&rows, 1),
                  db_get_text(&rows, 0));
}

/* Nothing could be said about him a moment ago: others first. */
static bool is_unsure(struct site *site, const char *id)
{
    const json_t *until = json_object_get(site->directory_unsure, id);

    return clock_monotonic_us() < (uint64_t)json_integer_value(until);
}

static void forget_unsure(struct site *site)
{
    const char *id;
    json_t *until;
    void *next;

    json_object_foreach_safe(site->directory_unsure, next, id, until)
    {
        (void)until;
        if (!is_unsure(site, id))
            (void)json_object_del(site->directory_unsure, id);
    }
}

static int note_unsure(struct site *site, const char *id)
{
    uint64_t check_us = site->settings.directory.check_us;
    uint64_t until_us = clock_monotonic_us() + (check_us < UNSURE_US ? check_us : UNSURE_US);

    if (!site->directory_unsure)
        site->directory_unsure = json_object();
    forget_unsure(site);
    if (json_object_size(site->directory_unsure) >= UNSURE_MAX)
        return 0;
    return json_object_set_new(site->directory_unsure, id, json_integer((json_int_t)until_us)) == 0
               ? 0
               : ERR(-ENOMEM);
}

void directory_due_fini(struct directory_due *due)
{
    directory_question_fini(&due->question);
    directory_answer_fini(&due->answer);
}

int directory_find_due(struct site *site,
                       struct directory_due ret[static DIRECTORY_DUE_MAX],
                       size_t *ret_n)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t check_us = site->settings.directory.check_us;
    int r;

    *ret_n = 0;
    if (!directory_is_on(&site->settings.directory) ||
        clock_monotonic_us() < site->directory_rests_until_us)
        return 0;
    r = db_select(site->db,
                  SQL_DIRECTORY_DUE,
                  DB_ARGS(db_u64(site->now_us > check_us ? site->now_us - check_us : 0),
                          db_u64(site->now_us),
                          db_u64(DIRECTORY_DUE_MAX + json_object_size(site->directory_unsure))),
                  &rows);
    if (r < 0)
        return TRACE(r);
    while (*ret_n < DIRECTORY_DUE_MAX && (r = db_next(&rows)) == DB_ROW) {
        struct directory_due *due = &ret[*ret_n];

        if (is_unsure(site, db_get_text(&rows, 0)))
            continue;
        ++*ret_n;
        *due = (struct directory_due){.id = ""};
        (void)snprintf(due->id, sizeof(due->id), "%s", db_get_text(&rows, 0));
        (void)snprintf(due->question.name, sizeof(due->question.name), "%s", db_get_text(&rows, 1));
    }
    db_rows_fini(&rows);
    for (size_t i = 0; r >= 0 && i < *ret_n; i++)
        r = directory_prepare(site, ret[i].question.name, &ret[i].question);
    return r < 0 ? TRACE(r) : 0;
}

/* He may nothing any more: what he signed in with is over. */
static int put_out(struct site *site, const struct directory_due *due, const char *why)
{
    int r = put_groups(site, due->id, NULL);

    if (r == 0)
        r = db_must(site->db, SQL_DIRECTORY_USER_GONE, DB_ARGS(db_text(due->id)));
    if (r == 0)
        r = access_drop_tokens_of(site, due->id);
    return r == 0 ? TRACE(site_audit(site, "directory", "administrator.signed-out", due->id, why))
                  : TRACE(r);
}

/* Whether the account is not the one that he signed in with, but another one that has its name now. */
static int is_another(struct site *site, const struct directory_due *due, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DIRECTORY_USER, DB_ARGS(db_text(due->question.name)), &rows);
    const char *known = r == DB_ROW ? db_get_text(&rows, COLUMN_ACCOUNT_ID) : "";

    *ret = known[0] && strcmp(known, due->answer.account_id) != 0;
    return r < 0 ? TRACE(r) : 0;
}

static int put_right(struct site *site, const struct directory_due *due)
{
    bool may = false;
    int r = put_groups(site, due->id, due->answer.groups);

    if (r == 0)
        r = put_checked(site, due->id, &due->answer);
    if (r == 0)
        r = may_anything(site, due->id, &may);
    return r == 0 && !may ? TRACE(put_out(site, due, "in no group that is granted something"))
                          : TRACE(r);
}

static int put_answer(struct site *site, const struct directory_due *due)
{
    bool is_other = false;
    int r;

    if (due->answer.outcome != DIRECTORY_RIGHT)
        return TRACE(put_out(site, due, due->answer.why));
    r = is_another(site, due, &is_other);
    if (r == 0 && is_other)
        return TRACE(put_out(site, due, "another account has this name"));
    return r == 0 ? TRACE(put_right(site, due)) : TRACE(r);
}

int directory_apply_due(struct site *site, const struct directory_due *due)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r;

    if (due->answer.outcome == DIRECTORY_DOWN)
        directory_rest(site);
    /* with a reason it was asked about him; without one, it was not even asked */
    if (due->answer.outcome == DIRECTORY_DOWN || due->answer.outcome == DIRECTORY_CANNOT_SAY)
        return due->answer.why[0] ? TRACE(note_unsure(site, due->id)) : 0;
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = put_answer(site, due);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}
