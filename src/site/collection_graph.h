/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which collections depend on which, with their queries, ready to be evaluated; kept until somebody changes a rule
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"
#include "site/filter.h"
#include "site/site.h"

/* Outcome beside 0 of what loads a graph */
enum {
    GRAPH_E_CIRCLE = 1,
};

enum graph_rule {
    GRAPH_BY_RULES,
    GRAPH_ALL_SYSTEMS,
    GRAPH_ALL_UNKNOWN,
};

enum graph_link_kind {
    GRAPH_LIMITS,
    GRAPH_INCLUDES,
    GRAPH_EXCLUDES,
};

/* Collection @from depends on @to. */
struct graph_link {
    unsigned from; /* index into the nodes */
    unsigned to;
    enum graph_link_kind kind;
};

struct graph_node {
    char id[SITE_ID_MAX];
    enum graph_rule rule;
    struct filter **queries; /* owned */
    size_t n_queries;
    uint64_t properties; /* that its rules name; bits of enum device_property */
    size_t first_need;   /* in graph->needs: what it depends on */
    size_t n_needs;
    size_t first_user; /* in graph->users: what depends on it */
    size_t n_users;
};

struct collection_graph {
    char stamp[UUID_TEXT_MAX];
    struct graph_node *nodes; /* owned, as all below; by id */
    size_t n_nodes;
    struct graph_link *needs; /* by .from */
    struct graph_link *users; /* by .to */
    size_t n_links;
    unsigned *order; /* nodes, each behind what it depends on */
    bool *scratch;   /* 3 * n_nodes, for src/site/membership.c */
};

/**
 * collection_graph_get() - the graph as the rules are now
 * @ret: borrowed until the next call
 *
 * Return: 0, GRAPH_E_CIRCLE, or -errno.
 */
int collection_graph_get(struct site *site, struct collection_graph **ret);

/* A rule has changed, in the caller's transaction: the graph is loaded anew, by every process of the site. */
int collection_graph_changed(struct site *site);

/* Index of a collection, or n_nodes. */
size_t collection_graph_find(const struct collection_graph *graph, const char *id);

void collection_graph_free(struct collection_graph *graph);
DEFINE_FREEP(struct collection_graph *, collection_graph_free);
