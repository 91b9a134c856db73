/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/maintenance_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "site/collection.h"
#include "site/fields.h"
#include "site/rows.h"
#include "site/unknown.h"

enum {
    NAME_MAX_CHARS = 100,
};

static json_t *time_or_null(uint64_t us)
{
    char text[CLOCK_TEXT_MAX];

    if (us == 0 || us == SCHEDULE_NEVER)
        return json_null();
    clock_put_rfc3339(text, us);
    return json_string(text);
}

json_t *device_windows_put(const struct device_windows *windows, uint64_t now_us)
{
    uint64_t until_us = window_open_until(&windows->windows, now_us);

    if (windows->windows.n == 0)
        return json_null();
    return json_pack("{s:b,s:o,s:o}",
                     "is_open",
                     until_us > 0,
                     "open_until",
                     time_or_null(until_us),
                     "next_at",
                     time_or_null(window_next_opening(&windows->windows, now_us)));
}

static int read_schedule(struct site *site, const json_t *src, struct schedule *ret)
{
    int r = schedule_parse(site, src, "schedule", true, ret);

    return r > 0 ? ERR(-EUCLEAN) : TRACE(r); /* it was checked when it was kept */
}

/* What people want to know of an item: its state now. */
static int put_state(struct site *site, json_t *item)
{
    struct schedule schedule;
    struct device_windows one = {
        .windows = {.list = &schedule, .n = 1, .zone = site->zone},
    };
    OWN(json_freep) json_t *state = NULL;
    int r = read_schedule(site, json_object_get(item, "schedule"), &schedule);

    if (r < 0)
        return TRACE(r);
    state = device_windows_put(&one, site->now_us);
    return !state || json_object_update(item, state) < 0 ? ERR(-ENOMEM) : 0;
}

static int list(struct site *site, const char *id, json_t **ret)
{
    OWN(json_freep) json_t *items = NULL;
    int r = rows_array(site->db, SQL_MAINTENANCE_WINDOW_LIST, DB_ARGS(db_text(id)), &items);

    for (size_t i = 0; r == 0 && i < json_array_size(items); i++)
        r = put_state(site, json_array_get(items, i));
    if (r == 0)
        *ret = TAKE(items);
    return TRACE(r);
}

int maintenance_window_list(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *items = NULL;
    char id[SITE_ID_MAX];
    int r = collection_find(site, which, id);

    if (r == 0)
        r = list(site, id, &items);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:O}", "items", items);
    return *ret ? 0 : ERR(-ENOMEM);
}

static int check(struct site *site, const json_t *body)
{
    static const struct field fields[] = {
        {"name", FIELD_LINE, true, 1, NAME_MAX_CHARS, NULL},
        {"applies_to", FIELD_CHOICE, false, 0, 0, "all|task-sequences|updates"},
        {"schedule", FIELD_OBJECT, true, 0, 0, NULL},
        {0},
    };
    const json_t *src = json_object_get(body, "schedule");
    struct schedule schedule;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = schedule_parse(site, src, "schedule", true, &schedule);
    return r == 0 ? TRACE(schedule_check(site, src, "schedule")) : TRACE(r);
}

static int check_room(struct site *site, const char *id, const char *name)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r =
        db_first(site->db, SQL_MAINTENANCE_WINDOW_ROOM, DB_ARGS(db_text(id), db_text(name)), &rows);

    if (r == DB_ROW && db_get_u64(&rows, 0) >= MAINTENANCE_WINDOWS_MAX)
        return refuse(site,
                      REFUSAL_INVALID,
                      "A collection has at most %d maintenance windows.",
                      (int)MAINTENANCE_WINDOWS_MAX);
    return r < 0 ? TRACE(r) : 0;
}

static int store(struct site *site, const char *id, const json_t *body)
{
    OWN(freep) char *schedule = json_dumps(json_object_get(body, "schedule"), JSON_COMPACT);

    if (!schedule)
        return ERR(-ENOMEM);
    return TRACE(db_must(site->db,
                         SQL_MAINTENANCE_WINDOW_SET,
                         DB_ARGS(db_text(id),
                                 db_text(field_text(body, "name", "")),
                                 db_text(field_text(body, "applies_to", "all")),
                                 db_text(schedule),
                                 db_u64(site->now_us))));
}

static int find_item(struct site *site, const char *id, const char *name, json_t **ret)
{
    OWN(json_freep) json_t *items = NULL;
    int r = list(site, id, &items);

    for (size_t i = 0; r == 0 && i < json_array_size(items); i++)
        if (strcmp(field_text(json_array_get(items, i), "name", ""), name) == 0)
            *ret = json_incref(json_array_get(items, i));
    return TRACE(r);
}

int maintenance_window_set(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *name = field_text(body, "name", "");
    char id[SITE_ID_MAX];
    int r = check(site, body);

    if (r == 0)
        r = collection_find_own(site, which, id);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = check_room(site, id, name);
    if (r == 0)
        r = store(site, id, body);
    if (r == 0)
        r = site_audit(site, who, "collection.add-window", id, name);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(find_item(site, id, name, ret)) : TRACE(r);
}

int maintenance_window_remove(struct site *site,
                              const char *who,
                              const char *which,
                              const char *name)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    uint64_t n = 0;
    char id[SITE_ID_MAX];
    int r = collection_find_own(site, which, id);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = db_run(site->db, SQL_MAINTENANCE_WINDOW_DROP, DB_ARGS(db_text(id), db_text(name)), &n);
    if (r == 0 && n == 0)
        return refuse(
            site, REFUSAL_MISSING, "The collection has no maintenance window \"%.100s\".", name);
    if (r == 0)
        r = site_audit(site, who, "collection.remove-window", id, name);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

void device_windows_fini(struct device_windows *windows)
{
    free(windows->list);
}

int device_windows_find(struct site *site,
                        const char *device_id,
                        const char *record,
                        struct device_windows *ret)
{
    OWN(json_freep) json_t *rows = NULL;
    OWN(device_windows_fini) struct device_windows found = {0};
    int r = rows_array(
        site->db,
        SQL_MAINTENANCE_WINDOW_OF_DEVICE,
        DB_ARGS(db_text(device_id), db_text(record), db_u64(MAINTENANCE_WINDOWS_OF_DEVICE_MAX)),
        &rows);
    size_t n = json_array_size(rows);

    if (r < 0)
        return TRACE(r);
    found.list = calloc(n > 0 ? n : 1, sizeof(found.list[0]));
    if (!found.list)
        return ERR(-ENOMEM);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = read_schedule(
            site, json_object_get(json_array_get(rows, i), "schedule"), &found.list[i]);
    if (r < 0)
        return TRACE(r);
    found.windows = (struct windows){.list = found.list, .n = n, .zone = site->zone};
    *ret = found;
    found.list = NULL;
    return 0;
}

int device_windows_explain(struct site *site, const char *device_id, json_t **ret)
{
    OWN(device_windows_fini) struct device_windows windows = {0};
    char record[UNKNOWN_RECORD_MAX];
    bool is_unknown;
    int r = unknown_record(site, device_id, NULL, record, &is_unknown);

    if (r == 0)
        r = device_windows_find(site, device_id, record, &windows);
    if (r < 0)
        return TRACE(r);
    *ret = device_windows_put(&windows, site->now_us);
    return *ret ? 0 : ERR(-ENOMEM);
}
