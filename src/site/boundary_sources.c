/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boundary_sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/boundary_range.h"
#include "site/dp.h"
#include "site/rows.h"

enum {
    SOURCES_MAX = 64,
    TIER_NEIGHBOUR = 1,
    TIER_DEFAULT = 2,
    /* columns of boundary_sources */
    COLUMN_ID = 0,
    COLUMN_NAME,
    COLUMN_URL,
    COLUMN_IS_OWN,
    COLUMN_IS_DISABLED,
    COLUMN_IS_ONLINE,
    COLUMN_TIER,
    COLUMN_MINUTES,
    COLUMN_GROUP_ID,
    COLUMN_GROUP_NAME,
    COLUMN_IS_DP_SEEN, /* by the administrator of the request */
    COLUMN_IS_GROUP_SEEN,
};

struct source {
    char dp_id[DP_ID_MAX];
    char url[DP_URL_MAX_BYTES + 1];
    bool is_own;
    bool has_all; /* of what was asked about */
};

struct boundary_sources {
    struct site *site; /* borrowed */
    char host[256];
    struct source items[SOURCES_MAX];
    size_t n;
};

/* What no address is: it sorts behind all of them, so that no boundary has it. */
static void put_key(const char *address, char ret[static BOUNDARY_KEY_MAX])
{
    if (!address || !boundary_address_parse(address, ret))
        (void)snprintf(ret, BOUNDARY_KEY_MAX, "x");
}

static bool is_known(const struct boundary_sources *sources, const char *dp_id)
{
    for (size_t i = 0; i < sources->n; i++)
        if (strcmp(sources->items[i].dp_id, dp_id) == 0)
            return true;
    return false;
}

/* Why a distribution point is left out; NULL: it is not. */
static const char *why_not(const struct db_rows *rows)
{
    if (db_get_bool(rows, COLUMN_IS_DISABLED))
        return "it is disabled";
    if (!db_get_bool(rows, COLUMN_IS_ONLINE))
        return "it is not online";
    if (!db_get_bool(rows, COLUMN_IS_OWN) && db_get_text(rows, COLUMN_URL)[0] == '\0')
        return "its address is not known";
    return NULL;
}

static int select_all(struct site *site, const char *key, struct db_rows *ret)
{
    struct db_args args = DB_ARGS(db_text(key), db_u64(dp_online_since(site)));

    return TRACE(db_select(site->db, SQL_BOUNDARY_SOURCES, args, ret));
}

static bool is_allowed(const struct db_rows *rows, const struct boundary_reach *reach)
{
    uint64_t tier = db_get_u64(rows, COLUMN_TIER);

    return tier == TIER_DEFAULT     ? reach->may_use_default_group
           : tier == TIER_NEIGHBOUR ? reach->may_use_neighbours
                                    : true;
}

static int
fill(struct boundary_sources *sources, const char *key, const struct boundary_reach *reach)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = select_all(sources->site, key, &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        struct source *source = &sources->items[sources->n];

        if (sources->n >= SOURCES_MAX || why_not(&rows) || !is_allowed(&rows, reach) ||
            is_known(sources, db_get_text(&rows, COLUMN_ID)))
            continue;
        *source = (struct source){.is_own = db_get_bool(&rows, COLUMN_IS_OWN), .has_all = true};
        (void)snprintf(source->dp_id, sizeof(source->dp_id), "%s", db_get_text(&rows, COLUMN_ID));
        (void)snprintf(source->url, sizeof(source->url), "%s", db_get_text(&rows, COLUMN_URL));
        sources->n++;
    }
    return TRACE(r);
}

DEFINE_FREEP(struct boundary_sources *, boundary_sources_free);

int boundary_sources_new(struct site *site,
                         const char *address,
                         const char *host,
                         struct boundary_reach reach,
                         struct boundary_sources **ret)
{
    OWN(boundary_sources_freep)
    struct boundary_sources *sources = calloc(1, sizeof(*sources));
    char key[BOUNDARY_KEY_MAX];
    int r;

    if (!sources)
        return ERR(-ENOMEM);
    sources->site = site;
    (void)snprintf(sources->host, sizeof(sources->host), "%s", host ? host : "");
    put_key(address, key);
    r = fill(sources, key, &reach);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(sources);
    return 0;
}

void boundary_sources_free(struct boundary_sources *sources)
{
    free(sources);
}

static int
put_urls(const struct boundary_sources *sources, const struct source *source, json_t *dst)
{
    if (source->is_own)
        return TRACE(dp_put_own_urls(sources->site, sources->host, dst));
    return json_array_append_new(dst, json_string(source->url)) < 0 ? ERR(-ENOMEM) : 0;
}

static int
has(struct site *site, const char *dp_id, const char *package_id, uint64_t version, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(dp_id), db_text(package_id), db_u64(version));
    int r = db_first(site->db, SQL_BOUNDARY_DP_HAS, args, &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

int boundary_sources_of(struct boundary_sources *sources,
                        const char *package_id,
                        uint64_t version,
                        json_t **ret)
{
    OWN(json_freep) json_t *urls = json_array();
    int r = 0;

    for (size_t i = 0; r == 0 && i < sources->n; i++) {
        struct source *source = &sources->items[i];
        bool is_there = false;

        r = has(sources->site, source->dp_id, package_id, version, &is_there);
        if (r == 0 && is_there)
            r = put_urls(sources, source, urls);
        source->has_all = source->has_all && is_there;
    }
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(urls);
    return 0;
}

int boundary_sources_of_all(struct boundary_sources *sources, json_t **ret)
{
    OWN(json_freep) json_t *urls = json_array();
    int r = 0;

    for (size_t i = 0; r == 0 && i < sources->n; i++)
        if (sources->items[i].has_all)
            r = put_urls(sources, &sources->items[i], urls);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(urls);
    return 0;
}

int boundary_dp_of(struct site *site, const char *address, char *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char key[BOUNDARY_KEY_MAX];
    int r;

    ret[0] = '\0';
    put_key(address, key);
    r = select_all(site, key, &rows);
    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW && !ret[0])
        if (db_get_u64(&rows, COLUMN_TIER) < TIER_DEFAULT && !why_not(&rows))
            (void)snprintf(ret, DP_ID_MAX, "%s", db_get_text(&rows, COLUMN_ID));
    return r < 0 ? TRACE(r) : 0;
}

static json_t *explain_row(const struct db_rows *rows, bool is_again)
{
    static const char *const tiers[] = {"current", "neighbour", "default"};
    const char *no = is_again ? "a better group has it already" : why_not(rows);
    bool is_seen = db_get_bool(rows, COLUMN_IS_GROUP_SEEN);

    return json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:s,s:I,s:b,s:s}",
                     "distribution_point_id",
                     db_get_text(rows, COLUMN_ID),
                     "distribution_point_name",
                     db_get_text(rows, COLUMN_NAME),
                     "url",
                     db_get_text(rows, COLUMN_URL),
                     "boundary_group_id",
                     is_seen ? db_get_text(rows, COLUMN_GROUP_ID) : NULL,
                     "boundary_group_name",
                     is_seen ? db_get_text(rows, COLUMN_GROUP_NAME) : NULL,
                     "tier",
                     tiers[db_get_u64(rows, COLUMN_TIER) % 3],
                     "fallback_minutes",
                     (json_int_t)db_get_u64(rows, COLUMN_MINUTES),
                     "is_used",
                     no == NULL,
                     "reason",
                     no ? no : "used if it has the content");
}

static bool has_row_of(const json_t *items, const char *dp_id)
{
    for (size_t i = 0; i < json_array_size(items); i++)
        if (strcmp(json_string_value(
                       json_object_get(json_array_get(items, i), "distribution_point_id")),
                   dp_id) == 0)
            return true;
    return false;
}

static int explain_sources(struct site *site, const char *key, json_t *items)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = select_all(site, key, &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW)
        if (db_get_bool(&rows, COLUMN_IS_DP_SEEN) &&
            json_array_append_new(
                items, explain_row(&rows, has_row_of(items, db_get_text(&rows, COLUMN_ID)))) < 0)
            return ERR(-ENOMEM);
    return TRACE(r);
}

int boundary_explain(struct site *site, const char *address, json_t **ret)
{
    OWN(json_freep) json_t *groups = NULL;
    OWN(json_freep) json_t *items = json_array();
    char key[BOUNDARY_KEY_MAX];
    int r;

    if (!boundary_address_parse(address, key))
        return refuse(site, REFUSAL_INVALID, "\"%.100s\" is no IP address.", address);
    r = rows_array(site->db, SQL_BOUNDARY_GROUPS_OF, DB_ARGS(db_text(key)), &groups);
    if (r == 0)
        r = explain_sources(site, key, items);
    if (r < 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:O,s:O}", "address", address, "groups", groups, "sources", items);
    return *ret ? 0 : ERR(-ENOMEM);
}
