/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Primary users of devices, and what deployments want to assign (docs/user-device-affinity.md)
 */

#include "site/rows.h"
#include "site/site.h"

enum {
    AFFINITY_USER_MAX_BYTES = 128,
    AFFINITY_DEPLOYMENT_MAX = 32, /* users of one deployment */
    AFFINITY_DEVICE_MAX = 256,    /* users of one device */
    AFFINITY_LINES_MAX = 10000,   /* of a file */
    AFFINITY_ERRORS_MAX = 100,    /* told of one */
    AFFINITY_CSV_MAX_BYTES = 4 * 1024 * 1024,
};

/* Can a user be called so? Text without control characters and commas, not blank at its ends. */
bool affinity_user_is_good(const char *user);

/* GET /devices/{id}/users */
int affinity_list(struct site *site, const char *which, json_t **ret);

/* POST /devices/{id}/users {"user"}. One who is a primary user already stays one. @ret: as of affinity_list() */
int affinity_add(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* DELETE /devices/{id}/users/{user} */
int affinity_remove(struct site *site, const char *who, const char *which, const char *user);

/**
 * affinity_import() - POST /user-affinities:import {"csv", "validate_only"}
 * @ret: {"n_users", "is_imported", "errors": [{"line", "error_id", "detail"}]}; all of it or nothing is done
 */
int affinity_import(struct site *site, const char *who, const json_t *body, json_t **ret);

/* GET, PATCH /user-affinity-mode: {"mode"}: what deployments may assign */
int affinity_mode_get(struct site *site, const char *unused, json_t **ret);
int affinity_mode_set(
    struct site *site, const char *who, const char *unused, const json_t *body, json_t **ret);

/* An order has succeeded: what its task sequence wants. Within the caller's transaction. */
int affinity_take(struct site *site, const char *order_id, const char *device_id);

int affinity_requests(struct site *site, const struct page *page, json_t **ret);

/* POST /devices/{id}/user-requests/{user}/approval and /denial */
int affinity_decide(
    struct site *site, const char *who, const char *which, const char *user, bool is_approved);
