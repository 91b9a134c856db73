/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What each operation of the API needs; made of docs/api/openapi.yaml by tools/gen_permissions.py
 */

enum {
    PERMISSION_ALSO_MAX = 3,
};

/* Of something that a member of the body or a parameter of the path names. */
struct permission_also {
    const char *class; /* NULL: none, and none behind it */
    const char *verb;
    const char *member; /* NULL: it is the parameter */
    const char *param;
};

struct permission {
    const char *method;       /* "GET"; NULL ends the table */
    const char *pattern;      /* "/api/v1/devices/{id}", as the route's */
    const char *operation;    /* "getDevice" */
    const char *class;        /* "device"; "public", "own", "internal", "client" are no things */
    const char *verb;         /* "read" */
    const char *object_class; /* of what the parameter names; NULL: it is about no one thing */
    const char *object_param; /* "id" */
    struct permission_also also[PERMISSION_ALSO_MAX];
};

extern const struct permission permissions[];

/* Of a route; NULL if the contract does not know it. */
const struct permission *permission_of_route(const char *method, const char *pattern);

/* Of a path without its query, as for uploads, which somebody else serves; NULL if the contract does not know it. */
const struct permission *permission_of_path(const char *method, const char *path);
