/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * From where a client gets its content
 *
 * The distribution points of the boundary groups its address is in; then those of their neighbours, the shortest time of
 * fallback first; then those of the default group. A task sequence does not wait: all are in the list. Only what is in use,
 * online and has the content counts. The site's own distribution point is the last of its group.
 */

#include <stdbool.h>

#include "site/site.h"

struct boundary_sources; /* what an address may use, in order */

/* What a deployment allows beside the groups of the client. */
struct boundary_reach {
    bool may_use_neighbours;
    bool may_use_default_group; /* also of a client that is in no group */
};

/**
 * boundary_sources_new() - find them
 * @address: of the client; NULL or no address: as if it were in no group
 * @host:    by which the client reached the site, may be NULL
 */
int boundary_sources_new(struct site *site,
                         const char *address,
                         const char *host,
                         struct boundary_reach reach,
                         struct boundary_sources **ret);
void boundary_sources_free(struct boundary_sources *sources);

/**
 * boundary_sources_of() - base URLs of those that have a version of a package
 * @ret: a list, may be empty; owned by the caller
 */
int boundary_sources_of(struct boundary_sources *sources,
                        const char *package_id,
                        uint64_t version,
                        json_t **ret);

/* Base URLs of those that had everything that was asked about before. @ret: owned by the caller */
int boundary_sources_of_all(struct boundary_sources *sources, json_t **ret);

/**
 * boundary_dp_of() - which distribution point serves an address
 * @ret: the first of its groups, or of their neighbours, that is in use and online; DP_ID_MAX bytes; "" if there is none: the default
 *       group says nothing about where somebody is
 */
int boundary_dp_of(struct site *site, const char *address, char *ret);

/* {"address", "groups", "sources"}: which distribution points in which order, and why or why not. */
int boundary_explain(struct site *site, const char *address, json_t **ret);
