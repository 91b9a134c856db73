/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/deployment_change.h"
#include "site/device_protection.h"
#include "site/fields.h"
#include "site/rows.h"
#include "site/task_sequence_parts.h"

static int
check_size(struct site *site, const char *collection, uint64_t n, bool is_usual, const json_t *body)
{
    const json_t *confirmed = json_object_get(body, "confirm_devices");
    uint64_t usual = site->settings.deployment_usual_size;
    uint64_t most = site->settings.deployment_max_size;

    if (most > 0 && n > most)
        return refuse(site,
                      REFUSAL_HIGH_RISK,
                      "The collection \"%.100s\" has %" PRIu64
                      " devices, and this site deploys an operating "
                      "system to at most %" PRIu64 " at once (deployment-max-size).",
                      collection,
                      n,
                      most);
    if (json_is_integer(confirmed) ? field_number(body, "confirm_devices", 0) == n
                                   : usual == 0 || (is_usual && n <= usual))
        return 0;
    return refuse(site,
                  REFUSAL_CONFIRM,
                  "This wipes the disks of the %" PRIu64
                  " device(s) in the collection \"%.100s\" without asking "
                  "anybody; to go on, confirm it with that number (confirm_devices).",
                  n,
                  collection);
}

/* Nobody can say how many they are while they are being found. */
static int check_counted(struct site *site, const char *collection_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_COLLECTION_IS_COUNTING, DB_ARGS(db_text(collection_id)), &rows);

    if (r != DB_ROW)
        return TRACE(r);
    return refuse(site,
                  REFUSAL_COUNTING,
                  "The members of the collection %s, or of one that they come from, are being "
                  "found; how many disks this wipes is not known before.",
                  collection_id);
}

static int check_reach(struct site *site, const char *collection_id, const json_t *body)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    bool is_usual;
    int r = check_counted(site, collection_id);

    if (r != 0)
        return TRACE(r);
    r = db_first(site->db, SQL_DEPLOYMENT_RISK, DB_ARGS(db_text(collection_id)), &rows);
    if (r != DB_ROW)
        return TRACE(r);
    /* nobody has chosen its members, so that it is never usual */
    is_usual = strcmp(db_get_text(&rows, 0), "all-systems") != 0;
    /* before the size: no confirmation lifts it */
    r = device_protection_check(
        site, collection_id, json_is_integer(json_object_get(body, "confirm_devices")));
    if (r != 0)
        return TRACE(r);
    return TRACE(check_size(site, db_get_text(&rows, 1), db_get_u64(&rows, 2), is_usual, body));
}

int deployment_check_risk(struct site *site,
                          const char *task_sequence_id,
                          const char *collection_id,
                          const json_t *body)
{
    bool is_wiping = false;
    int r = 0;

    if (strcmp(field_text(body, "purpose", ""), "required") != 0)
        return 0;
    r = task_sequence_wipes_by_id(site, task_sequence_id, &is_wiping);
    return r == 0 && is_wiping ? TRACE(check_reach(site, collection_id, body)) : TRACE(r);
}

/* On how many it may begin when @n were confirmed; db_null(): on any number. */
static int
find_limit(struct site *site, const char *collection_id, uint64_t n, struct db_value *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t usual = site->settings.deployment_usual_size;
    uint64_t most = site->settings.deployment_max_size;
    uint64_t limit = usual == 0 ? UINT64_MAX : n > usual ? n : usual;
    int r = db_first(site->db, SQL_DEPLOYMENT_RISK, DB_ARGS(db_text(collection_id)), &rows);

    if (most > 0 && limit > most)
        limit = most;
    /* who is unknown comes and goes, and is let in by rules of its own */
    if (r == DB_ROW && strcmp(db_get_text(&rows, 0), "all-unknown") == 0)
        limit = UINT64_MAX;
    *ret = limit == UINT64_MAX ? db_null() : db_u64(limit);
    return r < 0 ? TRACE(r) : 0;
}

/* @n: how many were confirmed; of what wipes nothing nobody has to. */
static int
keep_reach(struct site *site, const char *id, const char *collection_id, bool is_wiping, uint64_t n)
{
    struct db_value limit = db_null();
    int r = is_wiping ? find_limit(site, collection_id, n, &limit) : 0;

    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_DEPLOYMENT_SET_REACH,
                         DB_ARGS(db_text(id), db_u64(is_wiping ? 1 : 0), limit)));
}

int deployment_keep_reach(struct site *site,
                          const char *id,
                          const char *task_sequence_id,
                          const char *collection_id,
                          const json_t *body)
{
    bool is_wiping = false;
    int r = 0;

    if (strcmp(field_text(body, "purpose", ""), "required") == 0)
        r = task_sequence_wipes_by_id(site, task_sequence_id, &is_wiping);
    return r == 0
               ? TRACE(keep_reach(
                     site, id, collection_id, is_wiping, field_number(body, "confirm_devices", 0)))
               : TRACE(r);
}

/* What was confirmed stays so. */
static int look(struct site *site, const json_t *row)
{
    bool is_wiping = false;
    const json_t *confirmed = json_object_get(row, "confirmed_n");
    struct db_value limit = db_null();
    int r = task_sequence_wipes_by_id(site, field_text(row, "task_sequence_id", ""), &is_wiping);

    if (r == 0 && is_wiping && json_is_integer(confirmed))
        r = find_limit(site,
                       field_text(row, "collection_id", ""),
                       field_number(row, "confirmed_n", 0),
                       &limit);
    if (r < 0)
        return TRACE(r);
    return TRACE(
        db_must(site->db,
                SQL_DEPLOYMENT_SET_REACH,
                DB_ARGS(db_text(field_text(row, "id", "")), db_u64(is_wiping ? 1 : 0), limit)));
}

int deployment_risk_tick(struct site *site)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *rows = NULL;
    int r = rows_array(site->db, SQL_DEPLOYMENT_NOT_LOOKED_AT, DB_NO_ARGS, &rows);

    if (r < 0 || json_array_size(rows) == 0)
        return TRACE(r);
    json_decref(rows);
    rows = NULL;
    /* from here on no other site server changes what is read */
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = rows_array(site->db, SQL_DEPLOYMENT_NOT_LOOKED_AT, DB_NO_ARGS, &rows);
    for (size_t i = 0; r == 0 && i < json_array_size(rows); i++)
        r = look(site, json_array_get(rows, i));
    return r < 0 ? TRACE(r) : TRACE(db_commit(&tx));
}

/* Those of one task sequence that wipes from now on. */
static int check_edited(struct site *site, const char *task_sequence_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(json_freep) json_t *nothing = json_object();
    int r =
        db_select(site->db, SQL_DEPLOYMENT_REQUIRED_OF, DB_ARGS(db_text(task_sequence_id)), &rows);

    while (r == 0 && (r = db_next(&rows)) == DB_ROW) {
        r = check_reach(site, db_get_text(&rows, 1), nothing);
        if (r == SITE_E_REFUSED && site->refusal.id != REFUSAL_PROTECTED)
            return refuse(site,
                          REFUSAL_WOULD_WIPE,
                          "The required deployment %s of the task sequence %s would wipe the disks "
                          "of more devices than are usual, and nobody has confirmed that.",
                          db_get_text(&rows, 0),
                          task_sequence_id);
        if (r == 0)
            r = keep_reach(site, db_get_text(&rows, 0), db_get_text(&rows, 1), true, 0);
    }
    return TRACE(r);
}

int deployment_check_edited(struct site *site, const json_t *harmless)
{
    size_t i;
    json_t *id;
    int looked = db_must(site->db, SQL_DEPLOYMENT_LOOK_AGAIN, DB_NO_ARGS);

    if (looked < 0)
        return TRACE(looked);
    json_array_foreach(harmless, i, id)
    {
        bool is_wiping = false;
        int r = task_sequence_wipes_by_id(site, json_string_value(id), &is_wiping);

        if (r == 0 && is_wiping)
            r = check_edited(site, json_string_value(id));
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}
