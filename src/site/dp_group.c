/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/dp_group.h"

#include <errno.h>

#include "base/err.h"
#include "base/own.h"
#include "site/distribution.h"
#include "site/fields.h"
#include "site/named.h"

enum {
    WHICH_MAX_BYTES = 255,
};

static const struct named groups = {
    .noun = "distribution point group",
    .action = "distribution-point-group",
    .prefix = "DG",
    .find = SQL_DP_GROUP_FIND,
    .add = SQL_DP_GROUP_ADD,
    .drop = SQL_DP_GROUP_DROP,
};

int dp_group_find(struct site *site, const char *which, char ret[static DP_ID_MAX])
{
    return TRACE(named_find(site, &groups, which, ret, NULL));
}

int dp_group_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    char id[DP_ID_MAX];
    int r = named_create(site, &groups, who, body, id);

    return r != 0 ? TRACE(r) : TRACE(dp_group_get(site, id, ret));
}

int dp_group_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_DP_GROUP_LIST, args, page, ret));
}

int dp_group_get(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *object = NULL;
    OWN(json_freep) json_t *members = NULL;
    OWN(json_freep) json_t *content = NULL;
    char id[DP_ID_MAX];
    int r = dp_group_find(site, which, id);

    if (r != 0)
        return TRACE(r);
    r = rows_one(site->db, SQL_DP_GROUP_GET, DB_ARGS(db_text(id)), &object);
    if (r == 0)
        r = rows_array(site->db,
                       SQL_DP_GROUP_MEMBERS,
                       DB_ARGS(db_text(id), db_u64(dp_online_since(site))),
                       &members);
    if (r == 0)
        r = rows_array(site->db, SQL_DP_GROUP_PACKAGES, DB_ARGS(db_text(id)), &content);
    if (r < 0)
        return TRACE(r);
    if (json_object_set(object, "members", members) < 0 ||
        json_object_set(object, "content", content) < 0)
        return ERR(-ENOMEM);
    *ret = TAKE(object);
    return 0;
}

int dp_group_delete(struct site *site, const char *who, const char *which)
{
    return TRACE(named_delete(site, &groups, who, which));
}

static int want_all(struct site *site, const json_t *packages, const char *dp_id)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(packages); i++) {
        const json_t *package = json_array_get(packages, i);

        r = distribution_want(site,
                              field_text(package, "package_id", ""),
                              field_number(package, "current_version", 0),
                              dp_id);
    }
    return TRACE(r);
}

static int add_member(struct site *site, const char *group_id, const char *dp_id)
{
    OWN(json_freep) json_t *packages = NULL;
    int r = db_must(site->db, SQL_DP_GROUP_MEMBER_ADD, DB_ARGS(db_text(group_id), db_text(dp_id)));

    if (r == 0)
        r = rows_array(site->db, SQL_DP_GROUP_PACKAGES, DB_ARGS(db_text(group_id)), &packages);
    if (r < 0)
        return TRACE(r);
    return TRACE(want_all(site, packages, dp_id));
}

int dp_group_add_member(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"distribution_point", FIELD_TEXT, true, 1, WHICH_MAX_BYTES, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[DP_ID_MAX];
    char dp_id[DP_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = dp_group_find(site, which, id);
    if (r == 0)
        r = dp_find(site, field_text(body, "distribution_point", ""), dp_id);
    if (r == 0)
        r = add_member(site, id, dp_id);
    if (r == 0)
        r = site_audit(site, who, "distribution-point-group.add-member", id, dp_id);
    if (r != 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(dp_group_get(site, id, ret));
}

int dp_group_remove_member(struct site *site, const char *who, const char *which, const char *dp)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[DP_ID_MAX];
    char dp_id[DP_ID_MAX];
    uint64_t n = 0;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = dp_group_find(site, which, id);
    if (r == 0)
        r = dp_find(site, dp, dp_id);
    if (r == 0)
        r = db_run(site->db, SQL_DP_GROUP_MEMBER_DROP, DB_ARGS(db_text(id), db_text(dp_id)), &n);
    if (r == 0 && n == 0)
        return refuse(site, REFUSAL_MISSING, "%s is no member of %s.", dp_id, id);
    if (r == 0)
        r = site_audit(site, who, "distribution-point-group.remove-member", id, dp_id);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

int dp_group_give(struct site *site, const char *which, const char *package_id)
{
    OWN(json_freep) json_t *members = NULL;
    OWN(json_freep) json_t *packages = NULL;
    char id[DP_ID_MAX];
    int r = dp_group_find(site, which, id);

    if (r == 0)
        r = db_must(site->db, SQL_DP_GROUP_PACKAGE_ADD, DB_ARGS(db_text(id), db_text(package_id)));
    if (r == 0)
        r = rows_array(site->db, SQL_DP_GROUP_MEMBERS, DB_ARGS(db_text(id), db_u64(0)), &members);
    if (r == 0)
        r = rows_array(site->db,
                       SQL_DP_GROUP_PACKAGE_GET,
                       DB_ARGS(db_text(id), db_text(package_id)),
                       &packages);
    for (size_t i = 0; r == 0 && i < json_array_size(members); i++)
        r = want_all(
            site, packages, field_text(json_array_get(members, i), "distribution_point_id", ""));
    return TRACE(r);
}
