/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/client_policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "plat/signature.h"
#include "site/access.h"
#include "site/boot_target.h"
#include "site/device.h"
#include "site/device_change.h"
#include "site/fields.h"
#include "site/machine_facts.h"
#include "site/maintenance_window.h"
#include "site/order.h"

enum {
    S_PER_MIN = 60,
};

static int check_inventory(struct site *site, const json_t *body)
{
    static const struct field fields[] = {
        {"environment", FIELD_CHOICE, true, 0, 0, "full-os"},
        {"macs", FIELD_ARRAY, false, 0, 256, NULL},
        {"boot_mac", FIELD_MAC, false, 0, 0, NULL},
        {"smbios", FIELD_OBJECT, true, 0, 0, NULL},
        {"firmware", FIELD_CHOICE, false, 0, 0, "uefi|bios"},
        {"secure_boot", FIELD_BOOL, false, 0, 0, NULL},
        {"arch", FIELD_TEXT, false, 0, 16, NULL},
        {"disks", FIELD_ARRAY, false, 0, 256, NULL},
        {"nics", FIELD_ARRAY, false, 0, 256, NULL},
        {"facts", FIELD_OBJECT, false, 0, 0, NULL},
        {0},
    };
    static const struct field smbios[] = {
        {"uuid", FIELD_TEXT, false, 0, 64, NULL},
        {"serial", FIELD_TEXT, false, 0, 256, NULL},
        {"manufacturer", FIELD_TEXT, false, 0, 256, NULL},
        {"model", FIELD_TEXT, false, 0, 256, NULL},
        {"asset_tag", FIELD_TEXT, false, 0, 256, NULL},
        {0},
    };
    int r = fields_check(site, body, fields, true, REFUSAL_CLIENT_INVALID);

    return r == 0
               ? TRACE(fields_check(
                     site, json_object_get(body, "smbios"), smbios, true, REFUSAL_CLIENT_INVALID))
               : TRACE(r);
}

static int is_busy(struct site *site, const char *device_id, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_ORDER_IN_PROGRESS, DB_ARGS(db_text(device_id)), &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

static int make_client(struct site *site, const char *device_id, const char *public_half)
{
    int r = db_must(
        site->db, SQL_CLIENT_KEY_REPLACE, DB_ARGS(db_text(device_id), db_text(public_half)));

    return r < 0 ? TRACE(r) : TRACE(site_audit(site, device_id, "device.client", device_id, ""));
}

/* While an order is in progress its key is the order's alone. */
static int keep_key(struct site *site, const char *device_id, const char *token)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char public_half[SIGNATURE_KEY_TEXT_MAX] = "";
    char hash[SHA256_TEXT_MAX];
    bool is_client = false;
    bool is_ordered = false;
    int r = access_hash_token(token ? token : "", hash);

    if (r == 0)
        r = db_first(
            site->db, SQL_CLIENT_KEY_OF_TOKEN, DB_ARGS(db_text(hash), db_text(device_id)), &rows);
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(public_half, sizeof(public_half), "%s", db_get_text(&rows, 0));
    is_client = db_get_bool(&rows, 1);
    db_rows_fini(&rows);
    r = is_client ? 0 : is_busy(site, device_id, &is_ordered);
    if (r < 0 || is_ordered)
        return TRACE(r);
    r = is_client ? 0 : make_client(site, device_id, public_half);
    return r < 0 ? TRACE(r)
                 : TRACE(db_must(
                       site->db,
                       SQL_CLIENT_KEY_KEEP,
                       DB_ARGS(db_text(public_half), db_u64(site->now_us + CLIENT_KEY_US))));
}

static int put_policy(struct site *site, const char *device_id, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    unsigned poll_min =
        site->settings.client_poll_min ? site->settings.client_poll_min : CLIENT_POLL_MIN;
    int r = db_first(site->db, SQL_DEVICE_BRIEF, DB_ARGS(db_text(device_id)), &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    *ret = json_pack("{s:s,s:s,s:I}",
                     "device_name",
                     db_get_text(&rows, 0),
                     "site_name",
                     site->settings.name,
                     "poll_s",
                     (json_int_t)poll_min * S_PER_MIN);
    return *ret ? 0 : ERR(-ENOMEM);
}

int client_policy_inventory(
    struct site *site, const char *device_id, const char *token, const json_t *body, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(freep) char *facts = NULL;
    int r = check_inventory(site, body);

    if (r == 0)
        r = machine_facts_check(site, body, &facts);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = device_check_open(site, device_id);
    if (r == 0)
        r = device_take_inventory(site, device_id, body);
    if (r == 0)
        r = machine_facts_keep(site, device_id, facts);
    if (r == 0)
        r = keep_key(site, device_id, token);
    if (r == 0)
        r = put_policy(site, device_id, &answer);
    if (r != 0)
        return TRACE(r);
    *ret = TAKE(answer);
    return TRACE(db_commit(&tx));
}

int client_policy_list(struct site *site, const char *device_id, json_t **ret)
{
    json_t *list = NULL;
    json_t *item;
    size_t i;
    int r = device_check_open(site, device_id);

    if (r == 0)
        r = boot_target_list(site, device_id, true, &list);
    if (r != 0)
        return TRACE(r);
    json_array_foreach(list, i, item)(void) json_object_del(item, "collection_name");
    *ret = json_pack("{s:o}", "items", list);
    return *ret ? 0 : ERR(-ENOMEM);
}

/*
 * What is in progress in the boot image, or was begun there, is nothing for the installed system; its own that a restore holds ends:
 * who still runs it reports, and does not ask. @ret_is_busy: there is one
 */
static int
find_order(struct site *site, const char *device_id, bool *ret_is_busy, bool *ret_is_ours)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char id[UUID_TEXT_MAX];
    int r = db_first(site->db, SQL_ORDER_IN_PROGRESS, DB_ARGS(db_text(device_id)), &rows);

    *ret_is_busy = r == DB_ROW;
    *ret_is_ours =
        r == DB_ROW && db_get_bool(&rows, 8) && strcmp(db_get_text(&rows, 3), "full-os") == 0;
    if (!*ret_is_ours || !db_get_bool(&rows, 9))
        return r < 0 ? TRACE(r) : 0;
    (void)snprintf(id, sizeof(id), "%s", db_get_text(&rows, 0));
    db_rows_fini(&rows);
    *ret_is_busy = *ret_is_ours = false;
    return TRACE(order_end_held(site, id, device_id));
}

/* A person who begins it decides when. */
static bool may_begin(const struct boot_target *target, bool is_by_person)
{
    if (!target->deployment_id[0] || target->is_for_unknown)
        return false;
    if (is_by_person)
        return target->verdict == DEPLOYMENT_OPEN || target->verdict == DEPLOYMENT_NOT_DUE ||
               target->verdict == DEPLOYMENT_OUTSIDE_WINDOW;
    return target->verdict == DEPLOYMENT_OPEN && target->is_required;
}

static int refuse_deployment(struct site *site, const char *id, const struct boot_target *target)
{
    if (target->is_for_unknown)
        return refuse(
            site,
            REFUSAL_CLIENT_DEPLOYMENT,
            "The site does not know this computer yet: no deployment of it has succeeded.");
    return refuse(site,
                  REFUSAL_CLIENT_DEPLOYMENT,
                  "The deployment %.15s cannot be begun on this computer now: %s.",
                  id,
                  target->deployment_id[0] ? boot_target_word(target->verdict) : "not-reached");
}

static int choose(struct site *site, const char *device_id, const char *wanted, bool *ret)
{
    struct boot_target target = {0};
    int r = boot_target_find_client(site, device_id, wanted, &target);

    if (r < 0)
        return TRACE(r);
    *ret = may_begin(&target, wanted != NULL);
    if (*ret)
        return TRACE(order_begin_client(site, device_id, target.deployment_id));
    return wanted ? refuse_deployment(site, wanted, &target) : 0;
}

int client_policy_begin(struct site *site, const char *device_id, const json_t *body, bool *ret)
{
    static const struct field fields[] = {
        {"environment", FIELD_CHOICE, true, 0, 0, "full-os"},
        {"deployment_id", FIELD_TEXT, false, 1, SITE_ID_MAX - 1, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *wanted = field_text(body, "deployment_id", NULL);
    bool is_busy_now = false;
    int r = fields_check(site, body, fields, false, REFUSAL_CLIENT_INVALID);

    *ret = false;
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = device_check_open(site, device_id);
    if (r == 0)
        r = find_order(site, device_id, &is_busy_now, ret);
    if (r == 0 && is_busy_now && wanted)
        return refuse(
            site, REFUSAL_CLIENT_DEPLOYMENT, "Another deployment is in progress on this computer.");
    if (r == 0 && !is_busy_now)
        r = choose(site, device_id, wanted, ret);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

/* Until when the client's key is good, if the device has one. */
static int put_key(struct site *site, const char *device_id, json_t *dst)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char text[CLOCK_TEXT_MAX];
    uint64_t until_us;
    int r = db_first(
        site->db, SQL_CLIENT_KEY_LATEST, DB_ARGS(db_text(device_id), db_u64(site->now_us)), &rows);

    if (r < 0)
        return TRACE(r);
    until_us = r == DB_ROW ? db_get_u64(&rows, 0) : 0;
    clock_put_rfc3339(text, until_us);
    return json_object_set_new(dst, "is_client", json_boolean(until_us > 0)) == 0 &&
                   json_object_set_new(
                       dst, "key_expires_at", until_us > 0 ? json_string(text) : json_null()) == 0
               ? 0
               : ERR(-ENOMEM);
}

int client_policy_explain(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *device = NULL;
    OWN(json_freep) json_t *deployments = NULL;
    OWN(json_freep) json_t *window = NULL;
    OWN(json_freep) json_t *answer = NULL;
    struct boot_target target = {0};
    char id[ACCESS_DEVICE_ID_MAX];
    int r = device_find(site, which, id);

    if (r == 0)
        r = device_get(site, id, &device);
    if (r == 0)
        r = boot_target_find_client(site, id, NULL, &target);
    if (r == 0)
        r = boot_target_list(site, id, true, &deployments);
    if (r == 0)
        r = device_windows_explain(site, id, &window);
    if (r != 0)
        return TRACE(r);
    answer = json_pack("{s:O,s:O,s:O,s:s?}",
                       "device",
                       device,
                       "deployments",
                       deployments,
                       "maintenance_window",
                       window,
                       "begins",
                       may_begin(&target, false) ? target.deployment_id : NULL);
    r = answer ? put_key(site, id, answer) : ERR(-ENOMEM);
    if (r == 0)
        *ret = TAKE(answer);
    return TRACE(r);
}
