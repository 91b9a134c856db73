/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_change.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/device.h"
#include "site/device_facts.h"
#include "site/device_key.h"
#include "site/device_mark.h"
#include "site/device_parts.h"
#include "site/device_protection.h"
#include "site/fields.h"
#include "site/membership.h"
#include "site/order_end.h"
#include "site/summary.h"

enum {
    REASON_MAX = 127,
};

/* The device, unless it is a record of All Unknown Computers. @ret_state: name, kind, is_blocked, block_reason */
static int find_computer(struct site *site,
                         const char *which,
                         char id[static ACCESS_DEVICE_ID_MAX],
                         json_t **ret_state)
{
    int r = device_find(site, which, id);

    if (r == 0)
        r = rows_one(site->db, SQL_DEVICE_STATE, DB_ARGS(db_text(id)), ret_state);
    if (r != 0)
        return TRACE(r);
    if (strcmp(field_text(*ret_state, "kind", ""), "computer") != 0)
        return refuse(site,
                      REFUSAL_BUILTIN,
                      "\"%.100s\" stands for computers that the site does not know, and is always "
                      "there.",
                      which);
    return 0;
}

/* What it runs is over, and its keys and tokens are good for nothing. */
static int end_order(struct site *site, const char *id, const char *cause)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char order[UUID_TEXT_MAX];
    int r = db_first(site->db, SQL_ORDER_IN_PROGRESS, DB_ARGS(db_text(id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW) {
        (void)snprintf(order, sizeof(order), "%s", db_get_text(&rows, 0));
        db_rows_fini(&rows);
        r = order_end_failed(site, order, id, SITE_ERROR_BLOCKED, cause);
    }
    if (r < 0)
        return TRACE(r);
    return TRACE(device_key_drop_all(site, id));
}

static int set_blocked(struct site *site, const char *who, const char *id, const json_t *body)
{
    bool is_blocked = field_bool(body, "is_blocked");
    const char *reason = is_blocked ? field_text(body, "block_reason", "") : "";
    int r = db_must(site->db,
                    SQL_DEVICE_BLOCK,
                    DB_ARGS(db_text(id), db_u64(is_blocked ? 1 : 0), db_text(reason)));

    if (r == 0 && is_blocked)
        r = end_order(site, id, "An administrator has blocked the device.");
    if (r < 0)
        return TRACE(r);
    return TRACE(site_audit(site, who, is_blocked ? "device.block" : "device.unblock", id, reason));
}

static int rename_to(struct site *site, const char *who, const char *id, const char *name)
{
    int r;

    if (!device_name_is_good(name))
        return refuse(site, REFUSAL_INVALID, DEVICE_NAME_RULE);
    r = db_run(site->db, SQL_DEVICE_RENAME, DB_ARGS(db_text(id), db_text(name)), NULL);
    if (r > 0)
        return refuse(site, REFUSAL_EXISTS, "A device named \"%s\" exists.", name);
    return r < 0 ? TRACE(r) : TRACE(site_audit(site, who, "device.rename", id, name));
}

/* Its mainboard was replaced: the next TPM that registers as it is the one that is known. */
static int forget_tpm_key(struct site *site, const char *who, const char *id)
{
    int r = db_must(site->db, SQL_DEVICE_SET_TPM_KEY, DB_ARGS(db_text(id), db_text(NULL)));

    return r < 0 ? TRACE(r) : TRACE(site_audit(site, who, "device.forget-tpm-key", id, ""));
}

static int change(struct site *site, const char *who, const char *id, const json_t *body)
{
    OWN(json_freep) json_t *before = NULL;
    const char *name = field_text(body, "name", NULL);
    int r = device_facts_note(site, id, &before);

    if (r == 0 && name)
        r = rename_to(site, who, id, name);
    if (r == 0 && json_object_get(body, "is_blocked"))
        r = set_blocked(site, who, id, body);
    if (r == 0 && json_object_get(body, "is_protected"))
        r = device_protection_set(site, who, id, field_bool(body, "is_protected"));
    if (r == 0)
        r = device_mark_change(site, who, id, body);
    if (r == 0 && field_bool(body, "forget_tpm_key"))
        r = forget_tpm_key(site, who, id);
    return r == 0 ? TRACE(membership_device_changed(site, id, before)) : TRACE(r);
}

int device_change(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_TEXT, false, 1, DEVICE_NAME_MAX_BYTES, NULL},
        {"is_blocked", FIELD_BOOL, false, 0, 0, NULL},
        {"block_reason", FIELD_LINE, false, 0, REASON_MAX, NULL},
        {"is_protected", FIELD_BOOL, false, 0, 0, NULL},
        {"macs", FIELD_ARRAY, false, 0, DEVICE_MACS_MAX, NULL},
        {"smbios_uuid", FIELD_UUID, false, 0, 0, NULL},
        {"forget_tpm_key", FIELD_BOOL, false, 0, 0, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *state = NULL;
    char id[ACCESS_DEVICE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0 && json_object_size(body) == 0)
        return refuse(site, REFUSAL_INVALID, "Nothing is given that is to be changed.");
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = find_computer(site, which, id, &state);
    if (r == 0)
        r = change(site, who, id, body);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(device_get(site, id, ret)) : TRACE(r);
}

/* Half a disk would be left, and nobody to tell what became of it. */
static int check_idle(struct site *site, const char *id, const char *name)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_ORDER_IN_PROGRESS, DB_ARGS(db_text(id)), &rows);

    if (r != DB_ROW)
        return TRACE(r);
    return refuse(site,
                  REFUSAL_IN_USE,
                  "The device \"%.100s\" is running a task sequence; cancel that first, or block "
                  "the device, which ends it.",
                  name);
}

int device_delete(struct site *site, const char *who, const char *which)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *state = NULL;
    char id[ACCESS_DEVICE_ID_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = find_computer(site, which, id, &state);
    if (r == 0)
        r = check_idle(site, id, field_text(state, "name", ""));
    if (r == 0)
        r = summary_device_leaves(site, id);
    if (r == 0)
        r = membership_device_leaves(site, id);
    if (r == 0)
        r = db_must(site->db, SQL_DEVICE_ORDERS_DROP, DB_ARGS(db_text(id)));
    if (r == 0)
        r = db_must(site->db, SQL_DEVICE_DROP, DB_ARGS(db_text(id)));
    if (r == 0)
        r = site_audit(site, who, "device.delete", id, field_text(state, "name", ""));
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int device_history(struct site *site, const char *which, const struct page *page, json_t **ret)
{
    char id[ACCESS_DEVICE_ID_MAX];
    int r = device_find(site, which, id);

    if (r != 0)
        return TRACE(r);
    return TRACE(rows_page(site->db,
                           SQL_DEVICE_HISTORY,
                           DB_ARGS(db_text(id), page_after(page), page_limit(page)),
                           page,
                           ret));
}

int device_check_open(struct site *site, const char *device_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DEVICE_STATE, DB_ARGS(db_text(device_id)), &rows);

    if (r != DB_ROW || !db_get_bool(&rows, 2))
        return r < 0 ? TRACE(r) : 0;
    return refuse(site,
                  REFUSAL_BLOCKED,
                  "The device \"%s\" is blocked by an administrator. %s",
                  db_get_text(&rows, 0),
                  db_get_text(&rows, 3));
}
