/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/membership.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/collection_graph.h"
#include "site/device_facts.h"
#include "site/event.h"
#include "site/fields.h"
#include "site/rows.h"
#include "site/summary.h"

#define DAY_US (UINT64_C(24) * 3600 * 1000000)

/* One device, and what is known of it in each collection: arrays of the graph, by node. */
struct view {
    struct site *site;
    const struct collection_graph *graph;
    const struct device_facts *facts;
    const char *device_id;
    bool *is_member;
    bool *is_direct;
    bool *is_dirty;   /* is to be evaluated */
    bool *is_changed; /* its members have; NULL: to be told one by one */
};

static int graph_of(struct site *site, struct collection_graph **ret)
{
    int r = collection_graph_get(site, ret);

    return r > 0 ? ERR(-EUCLEAN) : TRACE(r); /* a circle is refused before it is stored */
}

static int mark(struct view *view, enum db_sql sql, bool *marks)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(view->site->db, sql, DB_ARGS(db_text(view->device_id)), &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        size_t at = collection_graph_find(view->graph, db_get_text(&rows, 0));

        if (at < view->graph->n_nodes)
            marks[at] = true;
    }
    return TRACE(r);
}

static bool fits_queries(const struct view *view, const struct graph_node *node)
{
    for (size_t i = 0; i < node->n_queries; i++)
        if (filter_match(node->queries[i], device_facts_get, view->facts))
            return true;
    return false;
}

static bool is_unknown(const struct view *view)
{
    struct filter_value value = {.n = 0};

    (void)device_facts_get(view->facts, DEVICE_IS_UNKNOWN, 0, &value);
    return value.n != 0;
}

/* (query + direct + included) and limiting, without excluded; what it depends on has been evaluated. */
static bool belongs(const struct view *view, size_t at)
{
    const struct graph_node *node = &view->graph->nodes[at];
    bool is_in = view->is_direct[at];

    if (node->rule != GRAPH_BY_RULES)
        return is_unknown(view) == (node->rule == GRAPH_ALL_UNKNOWN);
    for (size_t i = 0; i < node->n_needs; i++) {
        const struct graph_link *need = &view->graph->needs[node->first_need + i];
        bool is_member = view->is_member[need->to];

        if (is_member == (need->kind == GRAPH_EXCLUDES) && need->kind != GRAPH_INCLUDES)
            return false;
        is_in = is_in || (is_member && need->kind == GRAPH_INCLUDES);
    }
    return is_in || fits_queries(view, node);
}

static int store(struct view *view, size_t at)
{
    const char *id = view->graph->nodes[at].id;
    bool is_member = view->is_member[at];
    struct db *db = view->site->db;
    int r =
        is_member
            ? db_must(db,
                      SQL_MEMBERSHIP_ADD,
                      DB_ARGS(db_text(id), db_text(view->device_id), db_u64(view->site->now_us)))
            : db_must(db, SQL_MEMBERSHIP_DROP, DB_ARGS(db_text(id), db_text(view->device_id)));

    if (r < 0)
        return TRACE(r);
    r = db_must(db,
                is_member ? SQL_MEMBERSHIP_COUNT_UP : SQL_MEMBERSHIP_COUNT_DOWN,
                DB_ARGS(db_text(id), db_text(view->device_id)));
    if (r < 0)
        return TRACE(r);
    if (view->is_changed)
        view->is_changed[at] = true;
    else
        r = event_progress(view->site, "collection", id, "collection.members");
    if (r < 0)
        return TRACE(r);
    return TRACE(summary_member_changed(view->site, id, view->device_id, is_member));
}

/* What is dirty, and what depends on it if its answer changes. */
static int evaluate(struct view *view)
{
    const struct collection_graph *graph = view->graph;

    for (size_t i = 0; i < graph->n_nodes; i++) {
        unsigned at = graph->order[i];
        const struct graph_node *node = &graph->nodes[at];
        bool answer;
        int r;

        if (!view->is_dirty[at])
            continue;
        answer = belongs(view, at);
        if (answer == view->is_member[at])
            continue;
        view->is_member[at] = answer;
        r = store(view, at);
        if (r < 0)
            return TRACE(r);
        for (size_t k = 0; k < node->n_users; k++)
            view->is_dirty[graph->users[node->first_user + k].from] = true;
    }
    return 0;
}

/* Of the device of one row; nothing is known of it yet. */
static struct view
view_of(struct site *site, const struct collection_graph *graph, const struct device_facts *facts)
{
    memset(graph->scratch, 0, 3 * graph->n_nodes * sizeof(*graph->scratch));
    return (struct view){
        .site = site,
        .graph = graph,
        .facts = facts,
        .device_id = db_get_text(facts->rows, DEVICE_ID),
        .is_member = graph->scratch,
        .is_direct = graph->scratch + graph->n_nodes,
        .is_dirty = graph->scratch + 2 * graph->n_nodes,
    };
}

/* What is dirty, beginning with what the rows say. */
static int read_and_evaluate(struct view *view)
{
    int r = mark(view, SQL_MEMBERSHIP_OF_DEVICE, view->is_member);

    if (r == 0)
        r = mark(view, SQL_MEMBERSHIP_DIRECT, view->is_direct);
    return r < 0 ? TRACE(r) : TRACE(evaluate(view));
}

static uint64_t all_properties(const struct collection_graph *graph)
{
    uint64_t ret = 0;

    for (size_t i = 0; i < graph->n_nodes; i++)
        ret |= graph->nodes[i].properties;
    return ret;
}

/* Those whose rules name one of @properties; @only: an index, or n_nodes for none. */
static void dirty_by(struct view *view, uint64_t properties, size_t only)
{
    for (size_t i = 0; i < view->graph->n_nodes; i++)
        view->is_dirty[i] = i == only || (view->graph->nodes[i].properties & properties) != 0;
}

static int
evaluate_one(struct site *site, const char *device_id, uint64_t properties, const char *only)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(device_facts_fini) struct device_facts facts = {0};
    struct collection_graph *graph = NULL;
    struct view view;
    int r = graph_of(site, &graph);

    if (r == 0)
        r = db_first(site->db, SQL_DEVICE_FACTS, DB_ARGS(db_text(device_id)), &rows);
    if (r != DB_ROW)
        return TRACE(r);
    r = device_facts_of_row(site, &rows, all_properties(graph), &facts);
    if (r < 0)
        return TRACE(r);
    view = view_of(site, graph, &facts);
    dirty_by(&view, properties, only ? collection_graph_find(graph, only) : graph->n_nodes);
    return TRACE(read_and_evaluate(&view));
}

int membership_device_changed(struct site *site, const char *device_id, const json_t *before)
{
    OWN(json_freep) json_t *after = NULL;
    uint64_t properties = DEVICE_ALL_PROPERTIES;
    int r = 0;

    if (before)
        r = device_facts_note(site, device_id, &after);
    if (r < 0)
        return TRACE(r);
    if (before)
        properties = device_facts_differ(before, after);
    if (properties == 0)
        return 0;
    r = event_progress(site, "device", device_id, "device.facts");
    return r < 0 ? TRACE(r) : TRACE(evaluate_one(site, device_id, properties, NULL));
}

int membership_direct_changed(struct site *site, const char *collection_id, const char *device_id)
{
    return TRACE(evaluate_one(site, device_id, 0, collection_id));
}

int membership_device_leaves(struct site *site, const char *device_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_MEMBERSHIP_OF_DEVICE, DB_ARGS(db_text(device_id)), &rows);

    while (r == 0 && (r = db_next(&rows)) == DB_ROW)
        r = db_must(site->db,
                    SQL_MEMBERSHIP_COUNT_DOWN,
                    DB_ARGS(db_text(db_get_text(&rows, 0)), db_text(device_id)));
    return TRACE(r);
}

/* The collections that are evaluated up to @after. */
static int mark_pending(struct site *site,
                        const struct collection_graph *graph,
                        const char *after,
                        bool *marks)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_MEMBERSHIP_PENDING, DB_ARGS(db_text(after)), &rows);

    while (r == 0 && (r = db_next(&rows)) == DB_ROW) {
        size_t at = collection_graph_find(graph, db_get_text(&rows, 0));

        r = 0;
        if (at < graph->n_nodes)
            marks[at] = true;
    }
    return TRACE(r);
}

static int slice_device(struct site *site,
                        const struct collection_graph *graph,
                        const struct db_rows *row,
                        const bool *pending,
                        bool *changed)
{
    OWN(device_facts_fini) struct device_facts facts = {0};
    struct view view;
    int r = device_facts_of_row(site, row, all_properties(graph), &facts);

    if (r < 0)
        return TRACE(r);
    view = view_of(site, graph, &facts);
    memcpy(view.is_dirty, pending, graph->n_nodes * sizeof(*pending));
    view.is_changed = changed;
    return TRACE(read_and_evaluate(&view));
}

/* Collections that are evaluated, by node of the graph. */
struct pending {
    bool *marks;   /* owned */
    bool *changed; /* the same: members came or went */
};

static void pending_fini(struct pending *pending)
{
    free(pending->marks);
    free(pending->changed);
}

static int
tell(struct site *site, const struct collection_graph *graph, const struct pending *pending)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < graph->n_nodes; i++)
        if (pending->changed[i])
            r = event_progress(site, "collection", graph->nodes[i].id, "collection.members");
    return TRACE(r);
}

/* @last: the device that was looked at last, "" if there was none. @ret_n: how many were */
static int slice_devices(struct site *site,
                         const struct collection_graph *graph,
                         const char *after,
                         struct pending *pending,
                         char last[static ACCESS_DEVICE_ID_MAX],
                         size_t *ret_n)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(
        site->db, SQL_DEVICE_FACTS_SLICE, DB_ARGS(db_text(after), db_u64(MEMBERSHIP_SLICE)), &rows);

    *ret_n = 0;
    while (r == 0 && (r = db_next(&rows)) == DB_ROW) {
        r = slice_device(site, graph, &rows, pending->marks, pending->changed);
        (void)snprintf(last, ACCESS_DEVICE_ID_MAX, "%s", db_get_text(&rows, DEVICE_ID));
        *ret_n += 1;
    }
    return TRACE(r);
}

static int slice_from(struct site *site, const char *after)
{
    struct collection_graph *graph = NULL;
    OWN(pending_fini) struct pending pending = {.changed = NULL};
    char last[ACCESS_DEVICE_ID_MAX] = "";
    size_t n = 0;
    int r = graph_of(site, &graph);

    if (r < 0)
        return TRACE(r);
    pending.marks = calloc(graph->n_nodes + 1, sizeof(*pending.marks));
    pending.changed = calloc(graph->n_nodes + 1, sizeof(*pending.changed));
    if (!pending.marks || !pending.changed)
        return ERR(-ENOMEM);
    r = mark_pending(site, graph, after, pending.marks);
    if (r == 0)
        r = slice_devices(site, graph, after, &pending, last, &n);
    if (r == 0)
        r = tell(site, graph, &pending);
    if (r < 0)
        return TRACE(r);
    if (n < MEMBERSHIP_SLICE)
        return TRACE(
            db_must(site->db, SQL_MEMBERSHIP_END, DB_ARGS(db_text(after), db_u64(site->now_us))));
    return TRACE(db_must(site->db, SQL_MEMBERSHIP_ADVANCE, DB_ARGS(db_text(after), db_text(last))));
}

/* Those that are the least far together, one slice further. */
static int slice(struct site *site)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(db_rows_fini) struct db_rows rows = {0};
    char after[ACCESS_DEVICE_ID_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = db_first(site->db, SQL_MEMBERSHIP_CURSOR, DB_NO_ARGS, &rows);
    if (r != DB_ROW || db_column_type(&rows, 0) == DB_NULL)
        return r < 0 ? TRACE(r) : 0;
    (void)snprintf(after, sizeof(after), "%s", db_get_text(&rows, 0));
    db_rows_fini(&rows);
    r = slice_from(site, after);
    return r < 0 ? TRACE(r) : TRACE(db_commit(&tx));
}

int membership_evaluate(struct site *site, const char *collection_id)
{
    int r = db_must(site->db, SQL_MEMBERSHIP_BEGIN, DB_ARGS(db_text(collection_id)));

    return r < 0 ? TRACE(r) : TRACE(slice(site));
}

static int refuse_circle(struct site *site, const char *collection_id)
{
    OWN(json_freep) json_t *row = NULL;
    int r = rows_one(site->db, SQL_COLLECTION_GET, DB_ARGS(db_text(collection_id)), &row);

    if (r < 0)
        return TRACE(r);
    return refuse(
        site,
        REFUSAL_CIRCLE,
        "The collection \"%.100s\" (%s) would depend on itself: by limiting, including or "
        "excluding collections.",
        field_text(row, "name", ""),
        collection_id);
}

int membership_rules_changed(struct site *site, const char *collection_id)
{
    struct collection_graph *graph = NULL;
    int r = collection_graph_changed(site);

    if (r == 0)
        r = collection_graph_get(site, &graph);
    if (r == GRAPH_E_CIRCLE)
        return TRACE(refuse_circle(site, collection_id));
    return r < 0 ? TRACE(r) : TRACE(membership_evaluate(site, collection_id));
}

int membership_tick(struct site *site)
{
    uint64_t since_us = site->now_us > DAY_US ? site->now_us - DAY_US : 0;
    int r = db_must(site->db, SQL_MEMBERSHIP_BEGIN_DAILY, DB_ARGS(db_u64(since_us)));

    return r < 0 ? TRACE(r) : TRACE(slice(site));
}
