/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/collection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/device.h"
#include "site/fields.h"

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
    bool is_direct;

    return TRACE(find(site, which, ret, &is_direct));
}

int collection_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_TEXT, true, 1, NAME_MAX_BYTES, NULL},
        {"comment", FIELD_TEXT, false, 0, COMMENT_MAX_BYTES, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *name = field_text(body, "name", "");
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    r = db_begin(site->db, &tx);
    if (r < 0)
        return TRACE(r);
    r = site_take_id(site, SITE_ID_COLLECTION, id);
    if (r != 0)
        return TRACE(r);
    r = db_run(site->db,
               SQL_COLLECTION_ADD,
               DB_ARGS(db_text(id),
                       db_text(name),
                       db_text(field_text(body, "comment", "")),
                       db_u64(site->now_us)),
               NULL);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return refuse(site, REFUSAL_EXISTS, "A collection named \"%.100s\" exists.", name);
    r = site_audit(site, who, "collection.create", id, name);
    if (r < 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(collection_get(site, id, ret));
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

int collection_change(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"variable_priority", FIELD_NUMBER, true, 1, VARIABLE_PRIORITY_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = collection_find(site, which, id);
    if (r == 0)
        r = db_must(site->db,
                    SQL_COLLECTION_SET_PRIORITY,
                    DB_ARGS(db_text(id), db_u64(field_number(body, "variable_priority", 1))));
    if (r == 0)
        r = site_audit(site, who, "collection.change", id, "variable_priority");
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(collection_get(site, id, ret)) : TRACE(r);
}

int collection_add_device(struct site *site, const char *which, const char *device_id)
{
    char id[SITE_ID_MAX];
    bool is_direct = false;
    int r = find(site, which, id, &is_direct);

    if (r != 0)
        return TRACE(r);
    if (!is_direct)
        return refuse(site,
                      REFUSAL_BUILTIN,
                      "No device can be added to the built-in collection \"%.100s\".",
                      which);
    return TRACE(
        db_must(site->db, SQL_COLLECTION_MEMBER_ADD, DB_ARGS(db_text(id), db_text(device_id))));
}

int collection_add_member(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"device", FIELD_TEXT, true, 1, NAME_MAX_BYTES, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char device[ACCESS_DEVICE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    r = db_begin(site->db, &tx);
    if (r < 0)
        return TRACE(r);
    r = device_find(site, field_text(body, "device", ""), device);
    if (r != 0)
        return TRACE(r);
    r = collection_add_device(site, which, device);
    if (r != 0)
        return TRACE(r);
    r = site_audit(site, who, "collection.add-member", which, device);
    if (r < 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(rows_one(site->db, SQL_COLLECTION_MEMBER_GET, DB_ARGS(db_text(device)), ret));
}
