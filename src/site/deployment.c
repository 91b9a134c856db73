/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/deployment.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "site/collection.h"
#include "site/content.h"
#include "site/deployment_change.h"
#include "site/deployment_terms.h"
#include "site/device.h"
#include "site/distribution.h"
#include "site/fields.h"
#include "site/order_debug.h"
#include "site/task_sequence.h"

#define CONTENT_OPTIONS "download-when-needed|download-all-first|stream"

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
    OWN(json_freep) json_t *devices = NULL;
    int r = rows_array(site->db, SQL_DEPLOYMENT_DEVICES, DB_ARGS(db_text(id)), &devices);

    if (r < 0)
        return TRACE(r);
    if (json_array_size(devices) <= ORDER_DEBUG_DEVICES_MAX)
        return 0;
    return refuse(site,
                  REFUSAL_DEBUG_COLLECTION,
                  "The collection has %zu devices; a deployment for debugging may reach %d.",
                  json_array_size(devices),
                  (int)ORDER_DEBUG_DEVICES_MAX);
}

static int add(struct site *site, const char *who, const json_t *body, char id[static SITE_ID_MAX])
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char task_sequence_id[SITE_ID_MAX];
    char collection[SITE_ID_MAX];
    int r = db_begin(site->db, &tx);

    if (r < 0)
        return TRACE(r);
    r = content_find(site,
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
    if (r == 0 && field_bool(body, "is_debug"))
        r = check_debug(site, id);
    if (r != 0)
        return TRACE(r);
    r = deployment_keep_terms(site, id, body);
    if (r != 0)
        return TRACE(r);
    r = site_audit(site, who, "deployment.create", id, task_sequence_id);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

int deployment_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"task_sequence_id", FIELD_TEXT, true, 1, 255, NULL},
        {"collection", FIELD_TEXT, true, 1, 255, NULL},
        DEPLOYMENT_TERMS_FIELDS,
        {"content_option", FIELD_CHOICE, false, 0, 0, CONTENT_OPTIONS},
        {"is_debug", FIELD_BOOL, false, 0, 0, NULL},
        {"confirm_devices", FIELD_NUMBER, false, 0, UINT32_MAX, NULL},
        {0},
    };
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    r = add(site, who, body, id);
    if (r != 0)
        return TRACE(r);
    return TRACE(deployment_get(site, id, ret));
}

static json_t *time_value(uint64_t us)
{
    char text[CLOCK_TEXT_MAX];

    clock_put_rfc3339(text, us);
    return json_string(text);
}

static bool is_phase(const json_t *phase, const char *state)
{
    return phase && strcmp(field_text(phase, "state", ""), state) == 0;
}

static void end_phase(json_t *phase, const char *state, uint64_t duration_us)
{
    (void)json_object_set_new(phase, "state", json_string(state));
    (void)json_object_set_new(phase, "duration_ms", json_integer((json_int_t)(duration_us / 1000)));
}

static int begin_phase(json_t *phases, const struct db_rows *rows)
{
    uint64_t at_us = db_get_u64(rows, 3);

    return json_array_append_new(phases,
                                 json_pack("{s:I,s:s,s:s,s:o,s:I}",
                                           "step",
                                           (json_int_t)db_get_u64(rows, 0),
                                           "name",
                                           db_get_text(rows, 1),
                                           "state",
                                           "running",
                                           "started_at",
                                           time_value(at_us),
                                           "duration_ms",
                                           (json_int_t)((db_get_u64(rows, 4) - at_us) / 1000))) < 0
               ? ERR(-ENOMEM)
               : 0;
}

/*
 * A step is begun by step-started and ended by the next message about it. One that restarts the computer and
 * goes on (Setup) stays one phase; one that is begun again after a power cut was interrupted.
 */
static int put_phase(json_t *phases, const struct db_rows *rows, uint64_t *begun_us)
{
    const char *state = db_get_text(rows, 2);
    uint64_t at_us = db_get_u64(rows, 3);
    json_t *last = json_array_get(phases, json_array_size(phases) - 1);
    bool is_restart = strcmp(state, "restarting") == 0;
    bool is_start = strcmp(state, "step-started") == 0;
    bool is_open = is_phase(last, "running") || is_phase(last, "restarting");
    bool is_same = is_open && field_number(last, "step", 0) == db_get_u64(rows, 0);

    if (strcmp(state, "step-progress") == 0 || (is_restart && !is_same))
        return 0;
    if (is_same && (is_restart || (is_start && is_phase(last, "restarting")))) {
        (void)json_object_set_new(last, "state", json_string(is_start ? "running" : "restarting"));
        return 0;
    }
    if (is_start || !is_same) {
        if (is_open)
            end_phase(last, "interrupted", at_us - *begun_us);
        *begun_us = at_us;
        int r = begin_phase(phases, rows);

        if (r < 0)
            return TRACE(r);
        last = json_array_get(phases, json_array_size(phases) - 1);
    }
    if (!is_start)
        end_phase(last, state + strlen("step-"), at_us - *begun_us);
    return 0;
}

/* What was going on when the whole failed is not going on any more. */
static void close_last_phase(const json_t *device, json_t *phases)
{
    json_t *last = json_array_get(phases, json_array_size(phases) - 1);

    const char *state = field_text(device, "state", "");

    if ((strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0) &&
        (is_phase(last, "running") || is_phase(last, "restarting")))
        (void)json_object_set_new(last, "state", json_string("interrupted"));
}

/* Replace the order's id, which is not for outside, by what it did. */
static int add_phases(struct site *site, json_t *device)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(json_freep) json_t *phases = json_array();
    const char *order_id = field_text(device, "order_id", "");
    uint64_t begun_us = 0;
    int r = db_select(
        site->db, SQL_DEPLOYMENT_PHASES, DB_ARGS(db_text(order_id), db_u64(site->now_us)), &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        r = put_phase(phases, &rows, &begun_us);
        if (r < 0)
            return TRACE(r);
    }
    if (r < 0)
        return TRACE(r);
    close_last_phase(device, phases);
    (void)json_object_del(device, "order_id");
    return json_object_set(device, "phases", phases) < 0 ? ERR(-ENOMEM) : 0;
}

static void count(json_t *counts, const char *state)
{
    static const char *const names[][2] = {
        {"waiting", "waiting"},
        {"in-progress", "in_progress"},
        {"restarting", "restarting"},
        {"paused", "paused"},
        {"succeeded", "succeeded"},
        {"failed", "failed"},
        {"cancelled", "cancelled"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        json_int_t n = json_integer_value(json_object_get(counts, names[i][1]));

        if (strcmp(names[i][0], state) == 0)
            n++;
        (void)json_object_set_new(counts, names[i][1], json_integer(n));
    }
}

/* @ret: the devices; the counts go into @deployment. */
static int add_counts(struct site *site, json_t *deployment, json_t **ret)
{
    OWN(json_freep) json_t *devices = NULL;
    json_t *counts = json_object();
    int r = rows_array(site->db,
                       SQL_DEPLOYMENT_DEVICES,
                       DB_ARGS(db_text(field_text(deployment, "id", ""))),
                       &devices);

    if (json_object_set_new(deployment, "counts", counts) < 0)
        return ERR(-ENOMEM);
    if (r < 0)
        return TRACE(r);
    count(counts, "");
    for (size_t i = 0; i < json_array_size(devices); i++)
        count(counts, field_text(json_array_get(devices, i), "state", ""));
    (void)json_object_set_new(counts, "total", json_integer((json_int_t)json_array_size(devices)));
    *ret = TAKE(devices);
    return 0;
}

int deployment_get(struct site *site, const char *id, json_t **ret)
{
    OWN(json_freep) json_t *object = NULL;
    OWN(json_freep) json_t *devices = NULL;
    int r = rows_one(site->db, SQL_DEPLOYMENT_GET, DB_ARGS(db_text(id)), &object);

    if (r < 0)
        return TRACE(r);
    if (!object)
        return refuse(site, REFUSAL_MISSING, "There is no deployment \"%.100s\".", id);
    r = add_counts(site, object, &devices);
    for (size_t i = 0; r == 0 && i < json_array_size(devices); i++)
        r = add_phases(site, json_array_get(devices, i));
    if (r < 0)
        return TRACE(r);
    if (json_object_set(object, "devices", devices) < 0)
        return ERR(-ENOMEM);
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

    for (size_t i = 0; r == 0 && i < json_array_size(items); i++) {
        OWN(json_freep) json_t *devices = NULL;

        r = add_counts(site, json_array_get(items, i), &devices);
    }
    if (r == 0)
        *ret = TAKE(list);
    return TRACE(r);
}

int status_message_list(struct site *site,
                        const char *device,
                        const char *deployment,
                        const struct page *page,
                        json_t **ret)
{
    char id[ACCESS_DEVICE_ID_MAX];
    int r = device ? device_find(site, device, id) : 0;

    if (r != 0)
        return TRACE(r);
    return TRACE(rows_page(
        site->db,
        SQL_STATUS_MESSAGE_LIST,
        DB_ARGS(
            page_after(page), page_limit(page), db_text(device ? id : NULL), db_text(deployment)),
        page,
        ret));
}
