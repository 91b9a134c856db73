/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The rules of a collection (docs/collections.md)
 */

#include "site/site.h"

enum {
    COLLECTION_QUERIES_MAX = 100,
    COLLECTION_RULES_SHOWN = 10000,
};

/**
 * collection_rule_add() - POST /collections/{id}/rules
 * @body: {"type": "direct", "device"}, {"type": "query", "name", "filter"}, {"type": "include" or "exclude", "collection"}
 * @ret:  the collection, and in "reaching_more" which required deployments have more devices by it (site/deployment_reach.h)
 */
int collection_rule_add(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* DELETE /collections/{id}/rules/{type}/{rule}. @rule: of a query its name; otherwise the device or the collection */
int collection_rule_remove(
    struct site *site, const char *who, const char *which, const char *type, const char *rule);

/* {"items": [{"type", "name", "value"}]} */
int collection_rule_list(struct site *site, const char *which, json_t **ret);

/* POST /collections/{id}/members: {"device"}: a direct rule. @ret: the device, and whether it is a member now */
int collection_add_member(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/*
 * The same for a device that is known by its id; within the caller's transaction. A new one was nobody's: to put it there
 * collection.modify for the collection is enough.
 */
int collection_add_device(struct site *site, const char *which, const char *device_id);
int collection_add_new_device(struct site *site, const char *which, const char *device_id);

/* POST /collections/{id}/evaluation: evaluate it for all devices, from the beginning. @ret: the collection */
int collection_evaluate(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);
