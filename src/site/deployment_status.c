/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/deployment_status.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "site/fields.h"

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

int deployment_status_put(struct site *site, json_t *deployment)
{
    const struct page page = {.after = "", .limit = DEPLOYMENT_DEVICES_SHOWN};
    OWN(json_freep) json_t *list = NULL;
    json_t *devices;
    int r = rows_page(
        site->db,
        SQL_DEPLOYMENT_DEVICES,
        DB_ARGS(page_after(&page), page_limit(&page), db_text(field_text(deployment, "id", ""))),
        &page,
        &list);

    devices = json_object_get(list, "items");
    for (size_t i = 0; r == 0 && i < json_array_size(devices); i++) {
        (void)json_object_del(json_array_get(devices, i), "id");
        r = add_phases(site, json_array_get(devices, i));
    }
    if (r < 0)
        return TRACE(r);
    (void)json_object_set_new(
        deployment, "has_more_devices", json_boolean(!json_is_null(json_object_get(list, "next"))));
    return json_object_set(deployment, "devices", devices) < 0 ? ERR(-ENOMEM) : 0;
}

int deployment_status_check(struct site *site, const char *id)
{
    OWN(json_freep) json_t *row = NULL;
    int r = rows_one(site->db, SQL_DEPLOYMENT_GET, DB_ARGS(db_text(id)), &row);

    if (r == 0 && !row)
        return refuse(site, REFUSAL_MISSING, "There is no deployment \"%.100s\".", id);
    return TRACE(r);
}

int deployment_status_list(
    struct site *site, const char *id, const char *category, const struct page *page, json_t **ret)
{
    static const char *const categories[] = {
        "success", "in-progress", "error", "requirements-not-met", "unknown"};
    struct db_args all = DB_ARGS(page_after(page), page_limit(page), db_text(id));
    struct db_args some =
        DB_ARGS(page_after(page), page_limit(page), db_text(id), db_text(category));
    size_t i = 0;
    int r = deployment_status_check(site, id);

    if (r != 0)
        return TRACE(r);
    if (!category)
        r = rows_page(site->db, SQL_DEPLOYMENT_DEVICES, all, page, ret);
    else if (strcmp(category, "unknown") == 0)
        r = rows_page(site->db, SQL_DEPLOYMENT_DEVICES_UNKNOWN, all, page, ret);
    else {
        while (i < 5 && strcmp(category, categories[i]) != 0)
            i++;
        if (i == 5)
            return refuse(site, REFUSAL_INVALID, "\"category\": there is no such category.");
        r = rows_page(site->db, SQL_DEPLOYMENT_DEVICES_BEGUN, some, page, ret);
    }
    for (i = 0; r == 0 && i < json_array_size(json_object_get(*ret, "items")); i++) {
        json_t *item = json_array_get(json_object_get(*ret, "items"), i);

        (void)json_object_del(item, "id");
        (void)json_object_del(item, "order_id");
    }
    return TRACE(r);
}
