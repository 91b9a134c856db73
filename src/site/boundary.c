/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boundary.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/boundary_range.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/named.h"

enum {
    COMMENT_MAX = 127,
    VALUE_MAX_BYTES = 127,
    WHICH_MAX_BYTES = 255,
};

static const char *const kinds[BOUNDARY_KIND_COUNT] = {
    [BOUNDARY_IPV4_SUBNET] = "ipv4-subnet",
    [BOUNDARY_IPV4_RANGE] = "ipv4-range",
    [BOUNDARY_IPV6_PREFIX] = "ipv6-prefix",
};

static const char *const examples[BOUNDARY_KIND_COUNT] = {
    [BOUNDARY_IPV4_SUBNET] = "10.77.0.0/16",
    [BOUNDARY_IPV4_RANGE] = "10.77.0.10-10.77.0.99",
    [BOUNDARY_IPV6_PREFIX] = "fd00:77::/64",
};

static const struct named boundaries = {
    .noun = "boundary",
    .action = "boundary",
    .prefix = "BD",
    .find = SQL_BOUNDARY_FIND,
    .drop = SQL_BOUNDARY_DROP,
};

static const struct named groups = {
    .noun = "boundary group",
    .action = "boundary-group",
    .prefix = "BG",
    .find = SQL_BOUNDARY_GROUP_FIND,
    .add = SQL_BOUNDARY_GROUP_ADD,
    .drop = SQL_BOUNDARY_GROUP_DROP,
};

static enum boundary_kind kind_of(const char *name)
{
    enum boundary_kind kind = BOUNDARY_IPV4_SUBNET;

    while (kind + 1 < BOUNDARY_KIND_COUNT && strcmp(kinds[kind], name) != 0)
        kind++;
    return kind;
}

static int read_range(struct site *site, const json_t *body, struct boundary_range *ret)
{
    enum boundary_kind kind = kind_of(field_text(body, "kind", ""));
    const char *value = field_text(body, "value", "");

    switch (boundary_range_parse(kind, value, ret)) {
    case 0:
        return 0;
    case BOUNDARY_RANGE_E_HOST_BITS:
        return refuse(
            site,
            REFUSAL_INVALID,
            "\"%.100s\" does not begin where its prefix does: bits behind it are set. It should look "
            "like %s.",
            value,
            examples[kind]);
    case BOUNDARY_RANGE_E_BACKWARDS:
        return refuse(site, REFUSAL_INVALID, "\"%.100s\": the range ends before it begins.", value);
    default:
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"%.100s\" is no %s: it should look like %s.",
                      value,
                      kinds[kind],
                      examples[kind]);
    }
}

static int add_boundary(struct site *site,
                        const char *id,
                        const json_t *body,
                        const struct boundary_range *range)
{
    const char *name = field_text(body, "name", "");
    int r = db_run(site->db,
                   SQL_BOUNDARY_ADD,
                   DB_ARGS(db_text(id),
                           db_text(name),
                           db_text(field_text(body, "kind", "")),
                           db_text(field_text(body, "value", "")),
                           db_text(range->low),
                           db_text(range->high),
                           db_u64(site->now_us)),
                   NULL);

    if (r == DB_E_EXISTS)
        return named_refuse_same(site, &boundaries, name);
    return TRACE(r);
}

int boundary_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, true, 1, BOUNDARY_NAME_MAX, NULL},
        {"kind", FIELD_CHOICE, true, 0, 0, "ipv4-subnet|ipv4-range|ipv6-prefix"},
        {"value", FIELD_TEXT, true, 1, VALUE_MAX_BYTES, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    struct boundary_range range;
    char id[BOUNDARY_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = read_range(site, body, &range);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = named_take_id(site, &boundaries, id);
    if (r == 0)
        r = add_boundary(site, id, body, &range);
    if (r == 0)
        r = site_audit(site, who, "boundary.create", id, field_text(body, "value", ""));
    if (r != 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(rows_one(site->db, SQL_BOUNDARY_GET, DB_ARGS(db_text(id)), ret));
}

int boundary_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_BOUNDARY_LIST, args, page, ret));
}

int boundary_delete(struct site *site, const char *who, const char *which)
{
    return TRACE(named_delete(site, &boundaries, who, which));
}

int boundary_group_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    char id[BOUNDARY_ID_MAX];
    int r = named_create(site, &groups, who, body, id);

    return r != 0 ? TRACE(r) : TRACE(boundary_group_get(site, id, ret));
}

int boundary_group_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_BOUNDARY_GROUP_LIST, args, page, ret));
}

int boundary_group_get(struct site *site, const char *which, json_t **ret)
{
    static const struct {
        const char *member;
        enum db_sql sql;
    } parts[] = {
        {"boundaries", SQL_BOUNDARY_GROUP_BOUNDARIES},
        {"distribution_points", SQL_BOUNDARY_GROUP_DPS},
        {"neighbours", SQL_BOUNDARY_GROUP_NEIGHBOURS},
    };
    OWN(json_freep) json_t *object = NULL;
    char id[BOUNDARY_ID_MAX];
    int r = named_find(site, &groups, which, id, NULL);

    if (r == 0)
        r = rows_one(site->db, SQL_BOUNDARY_GROUP_GET, DB_ARGS(db_text(id)), &object);
    for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
        json_t *list = NULL;

        r = rows_array(site->db, parts[i].sql, DB_ARGS(db_text(id)), &list);
        if (r == 0 && json_object_set_new(object, parts[i].member, list) < 0)
            return ERR(-ENOMEM);
    }
    if (r != 0)
        return TRACE(r);
    *ret = TAKE(object);
    return 0;
}

static int set_group(struct site *site, const char *id, const json_t *body)
{
    int r = db_run(site->db,
                   SQL_BOUNDARY_GROUP_SET,
                   DB_ARGS(db_text(id),
                           db_text(field_text(body, "name", NULL)),
                           db_text(field_text(body, "comment", NULL))),
                   NULL);

    if (r == DB_E_EXISTS)
        return named_refuse_same(site, &groups, field_text(body, "name", ""));
    return TRACE(r);
}

int boundary_group_set(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, false, 1, BOUNDARY_NAME_MAX, NULL},
        {"comment", FIELD_LINE, false, 0, COMMENT_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[BOUNDARY_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = named_find(site, &groups, which, id, NULL);
    if (r == 0)
        r = set_group(site, id, body);
    if (r == 0)
        r = site_audit(site, who, "boundary-group.set", id, "");
    if (r != 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(boundary_group_get(site, id, ret));
}

int boundary_group_find(struct site *site, const char *which, char ret[static BOUNDARY_ID_MAX])
{
    return TRACE(named_find(site, &groups, which, ret, NULL));
}

int boundary_group_delete(struct site *site, const char *who, const char *which)
{
    char id[BOUNDARY_ID_MAX];
    bool is_default = false;
    int r = named_find(site, &groups, which, id, &is_default);

    if (r == 0 && is_default)
        return refuse(site, REFUSAL_INVALID, "%s is the default group, which is always there.", id);
    return r != 0 ? TRACE(r) : TRACE(named_delete(site, &groups, who, id));
}

/* What differs between the parts of a group. */
static const struct part {
    const char *member;
    enum db_sql add;
    enum db_sql drop;
} parts[] = {
    [BOUNDARY_PART_BOUNDARY] = {"boundary",
                                SQL_BOUNDARY_GROUP_BOUNDARY_ADD,
                                SQL_BOUNDARY_GROUP_BOUNDARY_DROP},
    [BOUNDARY_PART_DP] = {"distribution_point",
                          SQL_BOUNDARY_GROUP_DP_ADD,
                          SQL_BOUNDARY_GROUP_DP_DROP},
    [BOUNDARY_PART_NEIGHBOUR] = {"boundary_group",
                                 SQL_BOUNDARY_GROUP_NEIGHBOUR_PUT,
                                 SQL_BOUNDARY_GROUP_NEIGHBOUR_DROP},
};

static int find_part(struct site *site,
                     enum boundary_part part,
                     const char *what,
                     char ret[static BOUNDARY_ID_MAX])
{
    switch (part) {
    case BOUNDARY_PART_BOUNDARY:
        return TRACE(named_find(site, &boundaries, what, ret, NULL));
    case BOUNDARY_PART_DP:
        return TRACE(dp_find(site, what, ret));
    case BOUNDARY_PART_NEIGHBOUR:
        return TRACE(named_find(site, &groups, what, ret, NULL));
    }
    return ERR(-EINVAL);
}

/* @body: checked */
static int put_part(struct site *site,
                    const char *id,
                    enum boundary_part part,
                    const char *part_id,
                    const json_t *body)
{
    const json_t *fallback = json_object_get(body, "fallback_minutes");

    if (part != BOUNDARY_PART_NEIGHBOUR)
        return TRACE(db_must(site->db, parts[part].add, DB_ARGS(db_text(id), db_text(part_id))));
    if (strcmp(id, part_id) == 0)
        return refuse(site, REFUSAL_INVALID, "A group is no neighbour of itself.");
    return TRACE(db_must(
        site->db,
        parts[part].add,
        DB_ARGS(db_text(id),
                db_text(part_id),
                json_is_null(fallback)
                    ? db_null()
                    : db_u64(field_number(body, "fallback_minutes", BOUNDARY_FALLBACK_MINUTES)))));
}

int boundary_group_add(struct site *site,
                       const char *who,
                       const char *which,
                       enum boundary_part part,
                       const json_t *body,
                       json_t **ret)
{
    const struct field fallback = {
        "fallback_minutes", FIELD_NUMBER, false, 0, BOUNDARY_FALLBACK_MAX_MINUTES, NULL};
    const struct field fields[] = {
        {parts[part].member, FIELD_TEXT, true, 1, WHICH_MAX_BYTES, NULL},
        part == BOUNDARY_PART_NEIGHBOUR ? fallback : (struct field){0},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[BOUNDARY_ID_MAX];
    char part_id[BOUNDARY_ID_MAX];
    bool is_default = false;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = named_find(site, &groups, which, id, &is_default);
    if (r == 0 && is_default && part == BOUNDARY_PART_BOUNDARY)
        return refuse(site,
                      REFUSAL_INVALID,
                      "%s serves whoever is in no other group: it has no boundaries.",
                      id);
    if (r == 0)
        r = find_part(site, part, field_text(body, parts[part].member, ""), part_id);
    if (r == 0)
        r = put_part(site, id, part, part_id, body);
    if (r == 0)
        r = site_audit(site, who, "boundary-group.add", id, part_id);
    if (r != 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(boundary_group_get(site, id, ret));
}

int boundary_group_take(struct site *site,
                        const char *who,
                        const char *which,
                        enum boundary_part part,
                        const char *what)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[BOUNDARY_ID_MAX];
    char part_id[BOUNDARY_ID_MAX];
    uint64_t n = 0;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = named_find(site, &groups, which, id, NULL);
    if (r == 0)
        r = find_part(site, part, what, part_id);
    if (r == 0)
        r = db_run(site->db, parts[part].drop, DB_ARGS(db_text(id), db_text(part_id)), &n);
    if (r == 0 && n == 0)
        return refuse(site, REFUSAL_MISSING, "%s is not in %s.", part_id, id);
    if (r == 0)
        r = site_audit(site, who, "boundary-group.remove", id, part_id);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}
