/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/collection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/collection_graph.h"
#include "site/deployment_reach.h"
#include "site/device.h"
#include "site/fields.h"
#include "site/membership.h"
#include "site/named.h"

enum {
    NAME_MAX_BYTES = 255,
    COMMENT_MAX_BYTES = 4096,
    VARIABLE_PRIORITY_MAX = 9,
};

static int
find(struct site *site, const char *which, char ret[static SITE_ID_MAX], bool *ret_is_direct)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_COLLECTION_FIND, DB_ARGS(db_text(which)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(
            site, REFUSAL_MISSING, "There is no collection with the id or name \"%.100s\".", which);
    (void)snprintf(ret, SITE_ID_MAX, "%s", db_get_text(&rows, 0));
    *ret_is_direct = strcmp(db_get_text(&rows, 1), "direct") == 0;
    return 0;
}

int collection_find(struct site *site, const char *which, char ret[static SITE_ID_MAX])
{
    bool is_direct = false;

    return TRACE(find(site, which, ret, &is_direct));
}

int collection_find_own(struct site *site, const char *which, char ret[static SITE_ID_MAX])
{
    bool is_direct = false;
    int r = find(site, which, ret, &is_direct);

    if (r != 0)
        return TRACE(r);
    if (!is_direct)
        return refuse(site,
                      REFUSAL_BUILTIN,
                      "The built-in collection \"%.100s\" has its members by a rule of its own, "
                      "which cannot be changed.",
                      which);
    return 0;
}

static int refuse_same(struct site *site, const char *name)
{
    return refuse(site, REFUSAL_EXISTS, "A collection named \"%.100s\" exists.", name);
}

static int add(struct site *site, const char *id, const json_t *body)
{
    const char *name = field_text(body, "name", "");
    char limiting[SITE_ID_MAX];
    int r = collection_find(site, field_text(body, "limiting", COLLECTION_ALL_SYSTEMS), limiting);

    if (r == 0)
        r = principal_check_object(site, "collection", "create", "collection", limiting);
    if (r != 0)
        return TRACE(r);
    r = db_run(site->db,
               SQL_COLLECTION_ADD,
               DB_ARGS(db_text(id),
                       db_text(name),
                       db_text(field_text(body, "comment", "")),
                       db_text(limiting),
                       db_u64(site->now_us)),
               NULL);
    if (r > 0)
        return refuse_same(site, name);
    if (r == 0)
        r = principal_made_collection(site, id, limiting);
    return r < 0 ? TRACE(r) : TRACE(collection_graph_changed(site));
}

int collection_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, true, 1, NAME_MAX_BYTES, NULL},
        {"comment", FIELD_TEXT, false, 0, COMMENT_MAX_BYTES, NULL},
        {"limiting", FIELD_TEXT, false, 1, NAME_MAX_BYTES, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = site_take_id(site, SITE_ID_COLLECTION, id);
    if (r == 0)
        r = add(site, id, body);
    if (r == 0)
        r = site_audit(site, who, "collection.create", id, field_text(body, "name", ""));
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(collection_get(site, id, ret)) : TRACE(r);
}

static int check_unused(struct site *site, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_COLLECTION_USER, DB_ARGS(db_text(id)), &rows);

    if (r != DB_ROW)
        return TRACE(r);
    if (!db_get_text(&rows, 1)[0])
        return refuse(site,
                      REFUSAL_COLLECTION_USED,
                      "Something that you may not see uses the collection %s.",
                      id);
    return refuse(site,
                  REFUSAL_COLLECTION_USED,
                  "%s %s uses the collection %s.",
                  db_get_text(&rows, 0),
                  db_get_text(&rows, 1),
                  id);
}

/* Nobody loses a right without anybody's having said so. */
static int check_not_granted(struct site *site, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_COLLECTION_GRANTED, DB_ARGS(db_text(id)), &rows);

    if (r != DB_ROW)
        return TRACE(r);
    return refuse(site,
                  REFUSAL_COLLECTION_USED,
                  "%s is granted a role for the collection %s: revoke that first.",
                  db_get_text(&rows, 0),
                  id);
}

/* Those that are left are granted for what it was limited by, too. */
static int end_grants(struct site *site, const char *who, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char detail[NAMED_ID_MAX + SITE_ID_MAX + 8];
    int r = db_select(site->db, SQL_COLLECTION_GRANTS, DB_ARGS(db_text(id)), &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        (void)snprintf(detail, sizeof(detail), "%s for %s", db_get_text(&rows, 1), id);
        r = site_audit(site, who, "administrator.revoke", db_get_text(&rows, 0), detail);
        if (r != 0)
            return TRACE(r);
    }
    if (r < 0)
        return TRACE(r);
    db_rows_fini(&rows);
    return TRACE(db_must(site->db, SQL_COLLECTION_GRANTS_DROP, DB_ARGS(db_text(id))));
}

int collection_delete(struct site *site, const char *who, const char *which)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[SITE_ID_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = collection_find_own(site, which, id);
    if (r == 0)
        r = check_unused(site, id);
    if (r == 0)
        r = check_not_granted(site, id);
    if (r == 0)
        r = end_grants(site, who, id);
    if (r == 0)
        r = db_must(site->db, SQL_COLLECTION_DEPLOYMENTS_COUNT, DB_ARGS(db_text(id)));
    if (r == 0)
        r = db_must(site->db, SQL_COLLECTION_DEPLOYMENTS_KEEP, DB_ARGS(db_text(id)));
    if (r == 0)
        r = db_must(site->db, SQL_COLLECTION_DROP, DB_ARGS(db_text(id)));
    if (r == 0)
        r = collection_graph_changed(site);
    if (r == 0)
        r = site_audit(site, who, "collection.delete", id, which);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int collection_get(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *object = NULL;
    OWN(json_freep) json_t *members = NULL;
    char id[SITE_ID_MAX];
    int r = collection_find(site, which, id);

    if (r != 0)
        return TRACE(r);
    r = rows_one(site->db, SQL_COLLECTION_GET, DB_ARGS(db_text(id)), &object);
    if (r < 0)
        return TRACE(r);
    r = rows_array(site->db,
                   SQL_COLLECTION_MEMBERS,
                   DB_ARGS(db_text(id), db_u64(COLLECTION_MEMBERS_MAX)),
                   &members);
    if (r < 0)
        return TRACE(r);
    if (site->principal.id[0] &&
        !principal_words_allow(site->principal.permissions, "device", "read"))
        (void)json_array_clear(members);
    if (json_object_set(object, "members", members) < 0)
        return ERR(-ENOMEM);
    *ret = TAKE(object);
    return 0;
}

int collection_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_COLLECTION_LIST, args, page, ret));
}

/* What @body gives instead of what @old has; a collection that is limited by another one is evaluated. */
static int change(struct site *site, const char *id, const json_t *body, const json_t *old)
{
    const char *name = field_text(body, "name", field_text(old, "name", ""));
    const char *old_limiting = field_text(old, "limiting_id", "");
    const char *asked = field_text(body, "limiting", NULL);
    char limiting[SITE_ID_MAX];
    int r = 0;

    (void)snprintf(limiting, sizeof(limiting), "%s", old_limiting);
    if (asked)
        r = collection_find(site, asked, limiting);
    if (r == 0 && asked)
        r = principal_check_fill(site, id);
    if (r != 0)
        return TRACE(r);
    r = db_run(site->db,
               SQL_COLLECTION_SET,
               DB_ARGS(db_text(id),
                       db_text(name),
                       db_text(field_text(body, "comment", field_text(old, "comment", ""))),
                       db_u64(field_number(
                           body, "variable_priority", field_number(old, "variable_priority", 1))),
                       db_text(limiting[0] ? limiting : NULL)),
               NULL);
    if (r > 0)
        return refuse_same(site, name);
    if (r < 0 || strcmp(limiting, old_limiting) == 0)
        return TRACE(r);
    r = principal_check_fill(site, id); /* now by the new one */
    return r == 0 ? TRACE(membership_rules_changed(site, id)) : TRACE(r);
}

static int check_change(struct site *site, const char *which, const json_t *body)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, false, 1, NAME_MAX_BYTES, NULL},
        {"comment", FIELD_TEXT, false, 0, COMMENT_MAX_BYTES, NULL},
        {"limiting", FIELD_TEXT, false, 1, NAME_MAX_BYTES, NULL},
        {"variable_priority", FIELD_NUMBER, false, 1, VARIABLE_PRIORITY_MAX, NULL},
        {0},
    };
    bool is_rest = json_object_size(body) > (json_object_get(body, "variable_priority") ? 1U : 0U);
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0 && json_object_size(body) == 0)
        return refuse(site, REFUSAL_INVALID, "Nothing is given that is to be changed.");
    return r == 0 && is_rest ? TRACE(collection_find_own(site, which, id)) : TRACE(r);
}

int collection_change(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *old = NULL;
    OWN(json_freep) json_t *before = NULL;
    char id[SITE_ID_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = check_change(site, which, body);
    if (r == 0)
        r = collection_find(site, which, id);
    if (r == 0)
        r = rows_one(site->db, SQL_COLLECTION_GET, DB_ARGS(db_text(id)), &old);
    if (r == 0)
        r = deployment_reach_note(site, &before);
    if (r == 0)
        r = change(site, id, body, old);
    if (r == 0)
        r = site_audit(site, who, "collection.change", id, field_text(body, "name", ""));
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        r = collection_get(site, id, ret);
    return r == 0 ? TRACE(deployment_reach_put(site, before, *ret)) : TRACE(r);
}
