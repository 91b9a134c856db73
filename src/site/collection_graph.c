/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/collection_graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "db/db.h"
#include "plat/random.h"
#include "site/device_facts.h"

enum {
    GROWTH = 64,
};

/* Room for one more in an array that grows by steps. */
static int grow(void *array, size_t n, size_t item_bytes)
{
    void *old;
    void *bigger;

    if (n % GROWTH != 0)
        return 0;
    memcpy(&old, array, sizeof(old));
    bigger = realloc(old, (n + GROWTH) * item_bytes);
    if (!bigger)
        return ERR(-ENOMEM);
    memcpy(array, &bigger, sizeof(bigger));
    return 0;
}

size_t collection_graph_find(const struct collection_graph *graph, const char *id)
{
    size_t low = 0;
    size_t high = graph->n_nodes;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(id, graph->nodes[middle].id);

        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return graph->n_nodes;
}

static int
add_link(struct collection_graph *graph, size_t from, size_t to, enum graph_link_kind kind)
{
    int r;

    if (from >= graph->n_nodes || to >= graph->n_nodes)
        return 0;
    r = grow(&graph->needs, graph->n_links, sizeof(*graph->needs));
    if (r < 0)
        return TRACE(r);
    graph->needs[graph->n_links++] = (struct graph_link){(unsigned)from, (unsigned)to, kind};
    return 0;
}

static int add_node(struct collection_graph *graph, const struct db_rows *row)
{
    struct graph_node node = {.rule = GRAPH_BY_RULES};
    int r = grow(&graph->nodes, graph->n_nodes, sizeof(*graph->nodes));

    if (r < 0)
        return TRACE(r);
    (void)snprintf(node.id, sizeof(node.id), "%s", db_get_text(row, 0));
    if (strcmp(db_get_text(row, 1), "all-systems") == 0)
        node.rule = GRAPH_ALL_SYSTEMS;
    else if (strcmp(db_get_text(row, 1), "all-unknown") == 0)
        node.rule = GRAPH_ALL_UNKNOWN;
    if (node.rule != GRAPH_BY_RULES)
        node.properties = DEVICE_BIT(DEVICE_IS_UNKNOWN);
    graph->nodes[graph->n_nodes++] = node;
    return 0;
}

static int load_nodes(struct site *site, struct collection_graph *graph)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(db_rows_fini) struct db_rows again = {0};
    int r = db_select(site->db, SQL_GRAPH_NODES, DB_NO_ARGS, &rows);

    while (r == 0 && (r = db_next(&rows)) == DB_ROW)
        r = add_node(graph, &rows);
    db_rows_fini(&rows);
    if (r == 0)
        r = db_select(site->db, SQL_GRAPH_NODES, DB_NO_ARGS, &again);
    for (size_t i = 0; r == 0 && (r = db_next(&again)) == DB_ROW; i++)
        r = add_link(graph, i, collection_graph_find(graph, db_get_text(&again, 2)), GRAPH_LIMITS);
    return TRACE(r);
}

static int add_query(struct graph_node *node, const char *text)
{
    OWN(filter_freep) struct filter *filter = NULL;
    struct filter_error error;
    int r = filter_parse(bytes_of(text), device_properties, &filter, &error);

    if (r != 0) /* it was checked when it was stored */
        return r < 0 ? TRACE(r) : ERR(-EUCLEAN);
    r = grow(&node->queries, node->n_queries, sizeof(void *));
    if (r < 0)
        return TRACE(r);
    node->properties |= filter->properties_used;
    node->queries[node->n_queries++] = TAKE(filter);
    return 0;
}

static int load_queries(struct site *site, struct collection_graph *graph)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_GRAPH_QUERIES, DB_NO_ARGS, &rows);

    while (r == 0 && (r = db_next(&rows)) == DB_ROW) {
        size_t at = collection_graph_find(graph, db_get_text(&rows, 0));

        r = at < graph->n_nodes ? add_query(&graph->nodes[at], db_get_text(&rows, 1)) : 0;
    }
    return TRACE(r);
}

static int load_links(struct site *site, struct collection_graph *graph)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_GRAPH_LINKS, DB_NO_ARGS, &rows);

    while (r == 0 && (r = db_next(&rows)) == DB_ROW)
        r = add_link(graph,
                     collection_graph_find(graph, db_get_text(&rows, 0)),
                     collection_graph_find(graph, db_get_text(&rows, 1)),
                     db_get_bool(&rows, 2) ? GRAPH_EXCLUDES : GRAPH_INCLUDES);
    return TRACE(r);
}

static int by_from(const void *a, const void *b)
{
    const struct graph_link *x = a;
    const struct graph_link *y = b;

    return x->from == y->from ? 0 : x->from < y->from ? -1 : 1;
}

static int by_to(const void *a, const void *b)
{
    const struct graph_link *x = a;
    const struct graph_link *y = b;

    return x->to == y->to ? 0 : x->to < y->to ? -1 : 1;
}

/* The links twice, by either end, and where those of each node are. */
static int sort_links(struct collection_graph *graph)
{
    graph->users = calloc(graph->n_links + 1, sizeof(*graph->users));
    if (!graph->users)
        return ERR(-ENOMEM);
    if (graph->n_links == 0)
        return 0;
    memcpy(graph->users, graph->needs, graph->n_links * sizeof(*graph->users));
    qsort(graph->needs, graph->n_links, sizeof(*graph->needs), by_from);
    qsort(graph->users, graph->n_links, sizeof(*graph->users), by_to);
    for (size_t i = graph->n_links; i-- > 0;) {
        struct graph_node *from = &graph->nodes[graph->needs[i].from];
        struct graph_node *to = &graph->nodes[graph->users[i].to];

        from->first_need = i;
        from->n_needs++;
        to->first_user = i;
        to->n_users++;
    }
    return 0;
}

/* Each node when all that it depends on has its place. Return: 0, GRAPH_E_CIRCLE: some never do, or -errno. */
static int sort_nodes(struct collection_graph *graph)
{
    OWN(freep) size_t *left = calloc(graph->n_nodes + 1, sizeof(*left));
    size_t n = 0;

    graph->order = calloc(graph->n_nodes + 1, sizeof(*graph->order));
    graph->scratch = calloc(3 * graph->n_nodes + 1, sizeof(*graph->scratch));
    if (!left || !graph->order || !graph->scratch)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        left[i] = graph->nodes[i].n_needs;
        if (left[i] == 0)
            graph->order[n++] = (unsigned)i;
    }
    for (size_t done = 0; done < n; done++) {
        const struct graph_node *node = &graph->nodes[graph->order[done]];

        for (size_t i = 0; i < node->n_users; i++) {
            unsigned user = graph->users[node->first_user + i].from;

            if (--left[user] == 0)
                graph->order[n++] = user;
        }
    }
    return n == graph->n_nodes ? 0 : GRAPH_E_CIRCLE;
}

static int load(struct site *site, const char *stamp, struct collection_graph **ret)
{
    OWN(collection_graph_freep) struct collection_graph *graph = calloc(1, sizeof(*graph));
    int r;

    if (!graph)
        return ERR(-ENOMEM);
    (void)snprintf(graph->stamp, sizeof(graph->stamp), "%s", stamp);
    r = load_nodes(site, graph);
    if (r == 0)
        r = load_queries(site, graph);
    if (r == 0)
        r = load_links(site, graph);
    if (r == 0)
        r = sort_links(graph);
    if (r < 0)
        return TRACE(r);
    r = sort_nodes(graph);
    if (r != 0)
        return r < 0 ? TRACE(r) : GRAPH_E_CIRCLE;
    *ret = TAKE(graph);
    return 0;
}

int collection_graph_get(struct site *site, struct collection_graph **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct collection_graph *graph = NULL;
    int r = db_first(site->db, SQL_COLLECTION_STAMP, DB_NO_ARGS, &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EUCLEAN);
    if (!site->collections || strcmp(site->collections->stamp, db_get_text(&rows, 0)) != 0) {
        r = load(site, db_get_text(&rows, 0), &graph);
        if (r != 0)
            return r < 0 ? TRACE(r) : GRAPH_E_CIRCLE;
        collection_graph_free(site->collections);
        site->collections = graph;
    }
    *ret = site->collections;
    return 0;
}

int collection_graph_changed(struct site *site)
{
    char stamp[UUID_TEXT_MAX];

    random_uuid(stamp, site->now_us);
    return TRACE(db_must(site->db, SQL_COLLECTION_SET_STAMP, DB_ARGS(db_text(stamp))));
}

void collection_graph_free(struct collection_graph *graph)
{
    if (!graph)
        return;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        for (size_t k = 0; k < graph->nodes[i].n_queries; k++)
            filter_free(graph->nodes[i].queries[k]);
        free(graph->nodes[i].queries);
    }
    free(graph->nodes);
    free(graph->needs);
    free(graph->users);
    free(graph->order);
    free(graph->scratch);
    free(graph);
}
