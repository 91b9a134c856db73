/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/collection_rule.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/collection.h"
#include "site/deployment_reach.h"
#include "site/device.h"
#include "site/device_facts.h"
#include "site/fields.h"
#include "site/filter.h"
#include "site/membership.h"

enum {
    NAME_MAX_BYTES = 255,
};

static int add_device(struct site *site, const char *id, const char *device_id)
{
    int r = db_must(site->db, SQL_COLLECTION_DIRECT_ADD, DB_ARGS(db_text(id), db_text(device_id)));

    return r == 0 ? TRACE(membership_direct_changed(site, id, device_id)) : TRACE(r);
}

int collection_add_device(struct site *site, const char *which, const char *device_id)
{
    char id[SITE_ID_MAX];
    int r = collection_find_own(site, which, id);

    if (r == 0)
        r = principal_check_fill(site, id);
    return r == 0 ? TRACE(add_device(site, id, device_id)) : TRACE(r);
}

int collection_add_new_device(struct site *site, const char *which, const char *device_id)
{
    char id[SITE_ID_MAX];
    int r = collection_find_own(site, which, id);

    if (r == 0)
        r = principal_check_object(site, "collection", "modify", "collection", id);
    return r == 0 ? TRACE(add_device(site, id, device_id)) : TRACE(r);
}

static int add_direct(struct site *site, const char *id, const json_t *body)
{
    char device[ACCESS_DEVICE_ID_MAX];
    int r = device_find(site, field_text(body, "device", ""), device);

    return r == 0 ? TRACE(collection_add_device(site, id, device)) : TRACE(r);
}

static int check_filter(struct site *site, const char *text)
{
    OWN(filter_freep) struct filter *filter = NULL;
    struct filter_error error;
    int r = filter_parse(bytes_of(text), device_properties, &filter, &error);

    if (r == FILTER_E_SYNTAX)
        return refuse(site, REFUSAL_FILTER, "Column %zu: %s.", error.column, error.what);
    return TRACE(r);
}

static int check_n_queries(struct site *site, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_COLLECTION_N_QUERIES, DB_ARGS(db_text(id)), &rows);

    if (r == DB_ROW && db_get_u64(&rows, 0) >= COLLECTION_QUERIES_MAX)
        return refuse(site,
                      REFUSAL_INVALID,
                      "A collection has at most %d query rules; write some of them as one, with "
                      "\"or\".",
                      COLLECTION_QUERIES_MAX);
    return r < 0 ? TRACE(r) : 0;
}

static int add_query(struct site *site, const char *id, const json_t *body)
{
    const char *name = field_text(body, "name", "");
    const char *filter = field_text(body, "filter", "");
    int r = check_filter(site, filter);

    if (r == 0)
        r = check_n_queries(site, id);
    if (r != 0)
        return TRACE(r);
    r = db_run(site->db,
               SQL_COLLECTION_QUERY_ADD,
               DB_ARGS(db_text(id), db_text(name), db_text(filter)),
               NULL);
    if (r > 0)
        return refuse(
            site, REFUSAL_EXISTS, "The collection has a query rule named \"%.100s\".", name);
    return r == 0 ? TRACE(membership_rules_changed(site, id)) : TRACE(r);
}

static int add_link(struct site *site, const char *id, const json_t *body, bool is_exclude)
{
    char other[SITE_ID_MAX];
    int r = collection_find(site, field_text(body, "collection", ""), other);

    if (r != 0)
        return TRACE(r);
    r = db_run(site->db,
               SQL_COLLECTION_LINK_ADD,
               DB_ARGS(db_text(id), db_text(other), db_u64(is_exclude ? 1 : 0)),
               NULL);
    if (r > 0)
        return refuse(site,
                      REFUSAL_EXISTS,
                      "The collection includes or excludes the collection %s already.",
                      other);
    return r == 0 ? TRACE(membership_rules_changed(site, id)) : TRACE(r);
}

/* By its type; what the others want is not given. */
static int check_rule(struct site *site, const json_t *body)
{
    static const struct field any[] = {
        {"type", FIELD_CHOICE, true, 0, 0, "direct|query|include|exclude"},
        {0},
    };
    static const struct field direct[] = {
        {"type", FIELD_TEXT, true, 1, NAME_MAX_BYTES, NULL},
        {"device", FIELD_TEXT, true, 1, NAME_MAX_BYTES, NULL},
        {0},
    };
    static const struct field query[] = {
        {"type", FIELD_TEXT, true, 1, NAME_MAX_BYTES, NULL},
        {"name", FIELD_LINE, true, 1, NAME_MAX_BYTES, NULL},
        {"filter", FIELD_TEXT, true, 1, FILTER_MAX_BYTES, NULL},
        {0},
    };
    static const struct field link[] = {
        {"type", FIELD_TEXT, true, 1, NAME_MAX_BYTES, NULL},
        {"collection", FIELD_TEXT, true, 1, NAME_MAX_BYTES, NULL},
        {0},
    };
    const char *type = NULL;
    int r = fields_check(site, body, any, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    type = field_text(body, "type", "");
    return TRACE(fields_check(site,
                              body,
                              strcmp(type, "direct") == 0  ? direct
                              : strcmp(type, "query") == 0 ? query
                                                           : link,
                              false,
                              REFUSAL_INVALID));
}

static int add(struct site *site, const char *id, const json_t *body)
{
    const char *type = field_text(body, "type", "");

    if (strcmp(type, "direct") == 0)
        return TRACE(add_direct(site, id, body));
    if (strcmp(type, "query") == 0)
        return TRACE(add_query(site, id, body));
    return TRACE(add_link(site, id, body, strcmp(type, "exclude") == 0));
}

int collection_rule_add(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *before = NULL;
    char id[SITE_ID_MAX];
    int r = check_rule(site, body);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = collection_find_own(site, which, id);
    if (r == 0)
        r = principal_check_fill(site, id);
    if (r == 0)
        r = deployment_reach_note(site, &before);
    if (r == 0)
        r = add(site, id, body);
    if (r == 0)
        r = site_audit(site, who, "collection.add-rule", id, field_text(body, "type", ""));
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        r = collection_get(site, id, ret);
    return r == 0 ? TRACE(deployment_reach_put(site, before, *ret)) : TRACE(r);
}

static int refuse_missing(struct site *site, const char *type, const char *rule)
{
    return refuse(site,
                  REFUSAL_MISSING,
                  "The collection has no rule of the type \"%.20s\" for \"%.100s\".",
                  type,
                  rule);
}

static int remove_direct(struct site *site, const char *id, const char *rule)
{
    char device[ACCESS_DEVICE_ID_MAX];
    uint64_t n = 0;
    int r = device_find(site, rule, device);

    if (r == 0)
        r = db_run(site->db, SQL_COLLECTION_DIRECT_DROP, DB_ARGS(db_text(id), db_text(device)), &n);
    if (r == 0 && n == 0)
        return refuse_missing(site, "direct", rule);
    return r == 0 ? TRACE(membership_direct_changed(site, id, device)) : TRACE(r);
}

static int remove_other(struct site *site, const char *id, const char *type, const char *rule)
{
    bool is_query = strcmp(type, "query") == 0;
    bool is_exclude = strcmp(type, "exclude") == 0;
    char other[SITE_ID_MAX] = "";
    uint64_t n = 0;
    int r = is_query ? 0 : collection_find(site, rule, other);

    if (r == 0 && is_query)
        r = db_run(site->db, SQL_COLLECTION_QUERY_DROP, DB_ARGS(db_text(id), db_text(rule)), &n);
    else if (r == 0)
        r = db_run(site->db,
                   SQL_COLLECTION_LINK_DROP,
                   DB_ARGS(db_text(id), db_text(other), db_u64(is_exclude ? 1 : 0)),
                   &n);
    if (r == 0 && n == 0)
        return refuse_missing(site, type, rule);
    return r == 0 ? TRACE(membership_rules_changed(site, id)) : TRACE(r);
}

int collection_rule_remove(
    struct site *site, const char *who, const char *which, const char *type, const char *rule)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[SITE_ID_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = collection_find_own(site, which, id);
    if (r == 0)
        r = principal_check_fill(site, id);
    if (r == 0)
        r = strcmp(type, "direct") == 0 ? remove_direct(site, id, rule)
                                        : remove_other(site, id, type, rule);
    if (r == 0)
        r = site_audit(site, who, "collection.remove-rule", id, rule);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int collection_rule_list(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *rules = NULL;
    char id[SITE_ID_MAX];
    int r = collection_find(site, which, id);

    if (r == 0)
        r = rows_array(site->db,
                       SQL_COLLECTION_RULES,
                       DB_ARGS(db_text(id), db_u64(COLLECTION_RULES_SHOWN)),
                       &rules);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:O}", "items", rules);
    return *ret ? 0 : ERR(-ENOMEM);
}

int collection_add_member(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"device", FIELD_TEXT, true, 1, NAME_MAX_BYTES, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = device_find(site, field_text(body, "device", ""), device);
    if (r == 0)
        r = collection_find(site, which, id);
    if (r == 0)
        r = collection_add_device(site, id, device);
    if (r == 0)
        r = site_audit(site, who, "collection.add-member", id, device);
    if (r == 0)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    return TRACE(
        rows_one(site->db, SQL_COLLECTION_MEMBER_GET, DB_ARGS(db_text(id), db_text(device)), ret));
}

int collection_evaluate(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {{0}};
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = collection_find(site, which, id);
    if (r == 0)
        r = membership_evaluate(site, id);
    if (r == 0)
        r = site_audit(site, who, "collection.evaluate", id, "");
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(collection_get(site, id, ret)) : TRACE(r);
}
