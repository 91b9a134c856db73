/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/summary.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/event.h"
#include "site/fields.h"
#include "site/rows.h"

enum {
    STATE_MAX = 32,
};

int summary_deployment_added(struct site *site, const char *deployment_id)
{
    return TRACE(db_must(site->db, SQL_SUMMARY_ADD, DB_ARGS(db_text(deployment_id))));
}

/* From one state to another; "": it is not there. */
static int
move(struct site *site, const char *deployment_id, const char *from, const char *to, bool is_member)
{
    return TRACE(
        db_must(site->db,
                SQL_SUMMARY_MOVE,
                DB_ARGS(db_text(deployment_id), db_text(from), db_text(to), db_u64(is_member))));
}

int summary_order_changed(struct site *site, const char *order_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char deployment_id[SITE_ID_MAX];
    char device_id[ACCESS_DEVICE_ID_MAX];
    char from[STATE_MAX];
    char to[STATE_MAX];
    char category[STATE_MAX];
    bool is_member;
    int r = event_order(site, order_id);

    if (r == 0)
        r = db_first(site->db, SQL_SUMMARY_DIFFERS, DB_ARGS(db_text(order_id)), &rows);
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(deployment_id, sizeof(deployment_id), "%s", db_get_text(&rows, 0));
    (void)snprintf(device_id, sizeof(device_id), "%s", db_get_text(&rows, 1));
    (void)snprintf(from, sizeof(from), "%s", db_get_text(&rows, 2));
    (void)snprintf(to, sizeof(to), "%s", db_get_text(&rows, 3));
    (void)snprintf(category, sizeof(category), "%s", db_get_text(&rows, 4));
    is_member = db_get_bool(&rows, 5);
    db_rows_fini(&rows);

    r = db_must(site->db,
                SQL_SUMMARY_PUT,
                DB_ARGS(db_text(deployment_id),
                        db_text(device_id),
                        db_text(order_id),
                        db_text(to),
                        db_text(category)));
    return r < 0 ? TRACE(r) : TRACE(move(site, deployment_id, from, to, is_member));
}

int summary_member_changed(struct site *site,
                           const char *collection_id,
                           const char *device_id,
                           bool is_member)
{
    return TRACE(
        db_must(site->db,
                SQL_SUMMARY_MEMBER_MOVED,
                DB_ARGS(db_text(collection_id), db_text(device_id), db_i64(is_member ? 1 : -1))));
}

int summary_device_leaves(struct site *site, const char *device_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_SUMMARY_OF_DEVICE, DB_ARGS(db_text(device_id)), &rows);

    while (r == 0 && (r = db_next(&rows)) == DB_ROW)
        r = move(site, db_get_text(&rows, 0), db_get_text(&rows, 1), "", db_get_bool(&rows, 2));
    return TRACE(r);
}

static json_t *sum(const json_t *row, const char *const *names)
{
    json_int_t n = 0;

    for (; *names; names++)
        n += json_integer_value(json_object_get(row, *names));
    return json_integer(n);
}

/* A member of an object, and which columns it is the sum of. */
struct part {
    const char *name;
    const char *columns[8];
};

static json_t *parts_of(const json_t *row, const struct part *parts)
{
    json_t *ret = json_object();

    for (; parts->name; parts++)
        (void)json_object_set_new(ret, parts->name, sum(row, parts->columns));
    return ret;
}

int summary_put(json_t *deployment)
{
    static const char *const columns[] = {"n_waiting",
                                          "n_begun",
                                          "n_in_progress",
                                          "n_restarting",
                                          "n_paused",
                                          "n_succeeded",
                                          "n_failed",
                                          "n_cancelled",
                                          "n_requirements_not_met"};
    static const struct part counts[] = {
        {"total", {"n_waiting", "n_begun"}},
        {"waiting", {"n_waiting"}},
        {"in_progress", {"n_in_progress"}},
        {"restarting", {"n_restarting"}},
        {"paused", {"n_paused"}},
        {"succeeded", {"n_succeeded"}},
        {"failed", {"n_failed", "n_requirements_not_met"}},
        {"cancelled", {"n_cancelled"}},
        {0},
    };
    static const struct part categories[] = {
        {"success", {"n_succeeded"}},
        {"in_progress", {"n_in_progress", "n_restarting", "n_paused"}},
        {"error", {"n_failed", "n_cancelled"}},
        {"requirements_not_met", {"n_requirements_not_met"}},
        {"unknown", {"n_waiting"}},
        {0},
    };
    int r = json_object_set_new(deployment, "counts", parts_of(deployment, counts));

    if (r == 0)
        r = json_object_set_new(deployment, "categories", parts_of(deployment, categories));
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        (void)json_object_del(deployment, columns[i]);
    return r < 0 ? ERR(-ENOMEM) : 0;
}

int summary_check(struct site *site, size_t *ret)
{
    OWN(json_freep) json_t *wrong = NULL;
    int r = rows_array(site->db, SQL_SUMMARY_WRONG, DB_NO_ARGS, &wrong);

    *ret = json_array_size(wrong);
    return TRACE(r);
}
