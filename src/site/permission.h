/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What each operation of the API needs and takes; made of docs/api/openapi.yaml by tools/gen_permissions.py
 */

#include <stdbool.h>

#include "site/filter.h"

enum {
    PERMISSION_ALSO_MAX = 3,
};

/* Of something that a member of the body or a parameter of the path names; without both, in general. */
struct permission_also {
    const char *class; /* NULL: none, and none behind it */
    const char *verb;
    const char *member; /* NULL: it is the parameter */
    const char *param;  /* NULL: it is the member */
};

/* What can be asked of a list. */
struct permission_list {
    const struct filter_property *items; /* members of its items that can be compared */
    const char *const *names;            /* of all members, and NULL */
    const char *id;                      /* the member by which they differ; NULL: there is none */
    bool is_whole;                       /* its handler gives all of it at once */
    bool has_filter;                     /* here and below: for every list in the same way */
    bool has_order;
    bool has_fields;
    bool is_by_name; /* its handler can give it in the order of names */
};

struct permission {
    const char *method;       /* "GET"; NULL ends the table */
    const char *pattern;      /* "/api/v1/devices/{id}", as the route's */
    const char *operation;    /* "getDevice" */
    const char *class;        /* "device"; "public", "own", "internal", "client" are no things */
    const char *verb;         /* "read" */
    const char *object_class; /* of what the parameter names; NULL: it is about no one thing */
    const char *object_param; /* "id" */
    bool
        is_of_unseen; /* also about one that the site does not have, for who sees all that it has */
    struct permission_also also[PERMISSION_ALSO_MAX];
    const char *const *queries; /* parameters that it takes, and NULL; NULL: nobody looks */
    bool has_key; /* its answer is kept under the name of the request: src/site/idempotency.h */
    const struct permission_list *list; /* NULL: it answers no list */
    const char *
        shown_by; /* pattern of the GET that shows what is changed, or of the GET itself; NULL: none does */
    const char *etag_without; /* members of it that do not count, between blanks */
};

extern const struct permission permissions[];

/* Of a route; NULL if the contract does not know it. */
const struct permission *permission_of_route(const char *method, const char *pattern);

/* Of a path without its query, as for uploads, which somebody else serves; NULL if the contract does not know it. */
const struct permission *permission_of_path(const char *method, const char *path);
