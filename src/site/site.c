/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/random.h"
#include "site/access.h"
#include "site/alert.h"
#include "site/audit.h"
#include "site/boot_image.h"
#include "site/challenge.h"
#include "site/collection_graph.h"
#include "site/content.h"
#include "site/cursor.h"
#include "site/deployment_change.h"
#include "site/distribution_job.h"
#include "site/dp.h"
#include "site/event.h"
#include "site/idempotency.h"
#include "site/job.h"
#include "site/lease.h"
#include "site/membership.h"
#include "site/order.h"
#include "site/order_debug.h"
#include "site/order_wish.h"
#include "site/phased_deployment.h"
#include "site/rows.h"
#include "site/security_role.h"
#include "site/status_message.h"
#include "site/unknown_request.h"
#include "site/wake_on_lan.h"
#include "site/zone.h"

DEFINE_FREEP(struct site *, site_free);

int site_open_reader(const char *path, const struct site_settings *settings, struct site **ret)
{
    OWN(site_freep) struct site *site = calloc(1, sizeof(*site));
    int r;

    if (!site)
        return ERR(-ENOMEM);
    site->settings = *settings;
    r = zone_open("", &site->zone);
    if (r == 0)
        r = db_open_reader(path, &site->db);
    if (r != 0)
        return r > 0 ? SITE_E_IN_USE : TRACE(r);
    *ret = TAKE(site);
    return 0;
}

int site_open(const char *path, const struct site_settings *settings, struct site **ret)
{
    OWN(site_freep) struct site *site = calloc(1, sizeof(*site));
    int r;

    if (!site)
        return ERR(-ENOMEM);
    site->settings = *settings;
    r = zone_open("", &site->zone); /* a server without one counts in UTC */
    if (r < 0)
        return TRACE(r);
    random_uuid(site->holder, 0);
    r = db_open(path, &site->db);
    if (r < 0)
        return TRACE(r);
    if (r == 0)
        r = security_role_put_builtins(site);
    if (r == 0)
        r = audit_adopt(site);
    if (r == 0)
        r = audit_restored(site);
    if (r == 0)
        r = cursor_make_key(site);
    if (r == 0)
        r = challenge_make_key(site);
    if (r < 0)
        return TRACE(r);
    switch (r) {
    case 0:
        *ret = TAKE(site);
        return 0;
    case DB_E_NEWER:
        return SITE_E_NEWER;
    case DB_E_IN_USE:
        return SITE_E_IN_USE;
    default:
        return SITE_E_CHANGED;
    }
}

void site_free(struct site *site)
{
    if (!site)
        return;
    audit_forget(site);
    if (site->db && !db_is_read_only(site->db) && db_is_shared(site->db))
        (void)lease_drop(site, LEASE_TICK); /* if it is too late for that, it ends by itself */
    json_decref(site->refusal.more);
    json_decref(site->directory_unsure);
    json_decref(site->n_answers);
    collection_graph_free(site->collections);
    db_free(site->db);
    zone_free(site->zone);
    free(site);
}

static int say_alive(struct site *site)
{
    return TRACE(site_role_seen(site, "site"));
}

static int checkpoint(struct site *site)
{
    return TRACE(db_checkpoint(site->db));
}

typedef int tick_part(struct site *site);

/* One that fails keeps none of the others from its turn: the checkpoint may be what frees the disk. Return: of the first. */
static int run_parts(struct site *site, tick_part *const *parts, size_t n)
{
    int ret = 0;

    for (size_t i = 0; i < n; i++) {
        int r = parts[i](site);

        ret = ret < 0 ? ret : r;
    }
    return TRACE(ret);
}

/* SQLite's file has one process anyway. */
static int find_leader(struct site *site, bool *ret)
{
    *ret = true;
    return db_is_shared(site->db) ? TRACE(lease_hold(site, LEASE_TICK, LEASE_TICK_S, ret)) : 0;
}

int site_tick(struct site *site)
{
    static tick_part *const of_leader[] = {
        order_debug_tick,
        order_wish_tick, /* before tokens and orders expire */
        access_expire,
        challenge_expire,
        order_expire,
        job_expire,
        wake_on_lan_tick,
        content_prune,
        status_message_tick,
        phased_deployment_tick,
        deployment_risk_tick,
        alert_tick,
        dp_tick,
        distribution_tick,
        membership_tick,
        unknown_tick,
        idempotency_tick,
        event_tick,
    };
    static tick_part *const of_each[] = {say_alive, checkpoint};
    bool is_leader;
    int led = find_leader(site, &is_leader);
    int each;

    site->passed_over[0] = '\0';
    if (led == 0 && is_leader)
        led = run_parts(site, of_leader, sizeof(of_leader) / sizeof(of_leader[0]));
    each = run_parts(site, of_each, sizeof(of_each) / sizeof(of_each[0]));
    return led < 0 ? TRACE(led) : TRACE(each);
}

void site_passed_over(struct site *site, const char *what, const char *id)
{
    if (!site->passed_over[0])
        (void)snprintf(site->passed_over, sizeof(site->passed_over), "%s %s", what, id);
}

int site_take_id(struct site *site, enum site_id kind, char ret[static SITE_ID_MAX])
{
    static const struct {
        const char *name;
        uint64_t end;
    } kinds[] = {
        [SITE_ID_OBJECT] = {"object", 0x10000},
        [SITE_ID_COLLECTION] = {"collection", 0x20000},
        [SITE_ID_DEPLOYMENT] = {"deployment", 0x30000},
        [SITE_ID_PHASED] = {"phased-deployment", 0x40000},
    };
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(kinds[kind].name), db_u64(kinds[kind].end));
    int r = db_first(site->db, SQL_COUNTER_TAKE, args, &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site, REFUSAL_NO_IDS, "There is no %s id left.", kinds[kind].name);
    (void)snprintf(ret, SITE_ID_MAX, "%s%05X", SITE_CODE, (unsigned)db_get_u64(&rows, 0));
    db_rows_fini(&rows);
    return kind == SITE_ID_OBJECT ? TRACE(principal_made(site, ret)) : 0;
}

int site_role_seen(struct site *site, const char *role)
{
    return TRACE(db_must(site->db, SQL_ROLE_SEEN, DB_ARGS(db_text(role), db_u64(site->now_us))));
}

static int schema_version(struct site *site, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_SCHEMA_VERSION, DB_NO_ARGS, &rows);

    if (r < 0)
        return TRACE(r);
    *ret = r == DB_ROW ? db_get_u64(&rows, 0) : 0;
    return 0;
}

int site_status(struct site *site, json_t **ret)
{
    OWN(json_freep) json_t *counts = NULL;
    OWN(json_freep) json_t *roles = NULL;
    OWN(json_freep) json_t *operations = NULL;
    OWN(json_freep) json_t *boot_images = NULL;
    uint64_t version = 0;
    int r = schema_version(site, &version);

    if (r < 0)
        return TRACE(r);
    r = rows_one(site->db, SQL_SITE_COUNTS, DB_NO_ARGS, &counts);
    if (r < 0)
        return TRACE(r);
    r = rows_array(site->db, SQL_ROLE_LIST, DB_NO_ARGS, &roles);
    if (r < 0)
        return TRACE(r);
    r = rows_array(site->db, SQL_OPERATION_LIST_OPEN, DB_NO_ARGS, &operations);
    if (r < 0)
        return TRACE(r);
    r = boot_image_defaults(site, &boot_images);
    if (r < 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:s*,s:s,s:I,s:O,s:O,s:O,s:O}",
                     "site_name",
                     site->settings.name,
                     "organization",
                     site->settings.organization,
                     "site_code",
                     SITE_CODE,
                     "schema_version",
                     (json_int_t)version,
                     "counts",
                     counts,
                     "roles",
                     roles,
                     "operations",
                     operations,
                     "boot_images",
                     boot_images);
    return *ret ? 0 : ERR(-ENOMEM);
}
