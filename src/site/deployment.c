/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/deployment.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/collection.h"
#include "site/content.h"
#include "site/deployment_change.h"
#include "site/deployment_status.h"
#include "site/deployment_terms.h"
#include "site/device.h"
#include "site/distribution.h"
#include "site/fields.h"
#include "site/order_debug.h"
#include "site/summary.h"
#include "site/task_sequence.h"

/* Every package the task sequence wants must be there in full before any disk is wiped for it. */
static int check_content(struct site *site, const char *task_sequence_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = task_sequence_check_enabled(site, task_sequence_id);

    if (r == 0)
        r = task_sequence_check_deployable(site, task_sequence_id);
    if (r != 0)
        return TRACE(r);
    r = db_first(site->db, SQL_DEPLOYMENT_NOT_READY, DB_ARGS(db_text(task_sequence_id)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW)
        return refuse(site,
                      REFUSAL_NOT_READY,
                      "The task sequence %s needs %s, which is %s.",
                      task_sequence_id,
                      db_get_text(&rows, 0),
                      db_get_text(&rows, 1));
    return TRACE(distribution_check_task_sequence(site, task_sequence_id));
}

/* A debugger is for one at a time: a collection of many is a mistake. */
static int check_debug(struct site *site, const char *id)
{
    OWN(json_freep) json_t *row = NULL;
    uint64_t n;
    int r = rows_one(site->db, SQL_DEPLOYMENT_GET, DB_ARGS(db_text(id)), &row);

    if (r == 0)
        r = row ? summary_put(row) : ERR(-EIO);
    if (r < 0)
        return TRACE(r);
    n = field_number(json_object_get(row, "counts"), "total", 0);
    if (n <= ORDER_DEBUG_DEVICES_MAX)
        return 0;
    return refuse(site,
                  REFUSAL_DEBUG_COLLECTION,
                  "The collection has %" PRIu64
                  " devices; a deployment for debugging may reach %d.",
                  n,
                  (int)ORDER_DEBUG_DEVICES_MAX);
}

/* In a transaction. */
static int add(struct site *site, const char *who, const json_t *body, char id[static SITE_ID_MAX])
{
    char task_sequence_id[SITE_ID_MAX];
    char collection[SITE_ID_MAX];
    int r = content_find(site,
                         CONTENT_FIND_TASK_SEQUENCES,
                         field_text(body, "task_sequence_id", ""),
                         task_sequence_id);

    if (r != 0)
        return TRACE(r);
    r = check_content(site, task_sequence_id);
    if (r != 0)
        return TRACE(r);
    r = collection_find(site, field_text(body, "collection", ""), collection);
    if (r != 0)
        return TRACE(r);
    r = deployment_check_risk(site, task_sequence_id, collection, body);
    if (r == 0)
        r = site_take_id(site, SITE_ID_DEPLOYMENT, id);
    if (r != 0)
        return TRACE(r);
    r = db_must(site->db,
                SQL_DEPLOYMENT_ADD,
                DB_ARGS(db_text(id),
                        db_text(task_sequence_id),
                        db_text(collection),
                        db_text(field_text(body, "purpose", "")),
                        db_text(field_text(body, "content_option", "stream")),
                        db_u64(site->now_us),
                        db_u64(field_bool(body, "is_debug"))));
    if (r == 0)
        r = deployment_keep_reach(site, id, task_sequence_id, collection, body);
    if (r == 0)
        r = summary_deployment_added(site, id);
    if (r == 0 && field_bool(body, "is_debug"))
        r = check_debug(site, id);
    if (r != 0)
        return TRACE(r);
    r = deployment_keep_terms(site, id, body);
    if (r == 0)
        r = deployment_terms_check(
            site, body, strcmp(field_text(body, "purpose", ""), "required") == 0);
    if (r != 0)
        return TRACE(r);
    return TRACE(site_audit(site, who, "deployment.create", id, task_sequence_id));
}

int deployment_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"task_sequence_id", FIELD_TEXT, true, 1, 255, NULL},
        {"collection", FIELD_TEXT, true, 1, 255, NULL},
        DEPLOYMENT_TERMS_FIELDS,
        {"content_option", FIELD_CHOICE, false, 0, 0, DEPLOYMENT_CONTENT_OPTIONS},
        {"is_debug", FIELD_BOOL, false, 0, 0, NULL},
        {"confirm_devices", FIELD_NUMBER, false, 0, UINT32_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *made = NULL;
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = add(site, who, body, id);
    if (r != 0)
        return TRACE(r);
    r = deployment_get(site, id, &made);
    if (r == SITE_E_REFUSED)
        return deployment_refuse_unseen(site);
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        *ret = TAKE(made);
    return TRACE(r);
}

int deployment_refuse_unseen(struct site *site)
{
    return refuse(site,
                  REFUSAL_FORBIDDEN,
                  "%s has no security role with the permission deployment.read for all of what is "
                  "deployed to, and could not see it, so nothing was made.",
                  site->principal.name);
}

int deployment_get(struct site *site, const char *id, json_t **ret)
{
    OWN(json_freep) json_t *object = NULL;
    int r = rows_one(site->db, SQL_DEPLOYMENT_GET, DB_ARGS(db_text(id)), &object);

    if (r < 0)
        return TRACE(r);
    if (!object)
        return refuse(site, REFUSAL_MISSING, "There is no deployment \"%.100s\".", id);
    r = summary_put(object);
    if (r == 0)
        r = deployment_status_put(site, object);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(object);
    return 0;
}

int deployment_cancel(struct site *site, const char *who, const char *id, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    uint64_t changes = 0;
    int r = db_begin(site->db, &tx);

    if (r < 0)
        return TRACE(r);
    r = db_run(site->db, SQL_DEPLOYMENT_CANCEL, DB_ARGS(db_text(id)), &changes);
    if (r != 0)
        return r > 0 ? ERR(-EIO) : TRACE(r);
    if (changes == 0)
        return refuse(site, REFUSAL_MISSING, "There is no deployment \"%.100s\".", id);
    r = site_audit(site, who, "deployment.cancel", id, "");
    if (r < 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(deployment_get(site, id, ret));
}

int deployment_list(struct site *site, const struct page *page, json_t **ret)
{
    OWN(json_freep) json_t *list = NULL;
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));
    int r = rows_page(site->db, SQL_DEPLOYMENT_LIST, args, page, &list);
    json_t *items = json_object_get(list, "items");

    for (size_t i = 0; r == 0 && i < json_array_size(items); i++)
        r = summary_put(json_array_get(items, i));
    if (r == 0)
        *ret = TAKE(list);
    return TRACE(r);
}
