/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/duplicate_id.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "site/device.h"
#include "site/device_facts.h"
#include "site/device_parts.h"
#include "site/fields.h"
#include "site/membership.h"

enum {
    COMMENT_MAX = 127,
};

int duplicate_id_has(struct site *site, const char *id, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DUPLICATE_ID_HAS, DB_ARGS(db_text(id)), &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

/* As it is kept. */
static int
canonical(struct site *site, const char *text, char ret[static UUID_TEXT_MAX], bool *ret_is_mac)
{
    uint8_t bytes[UUID_BYTES];

    *ret_is_mac = mac_parse(bytes_of(text), bytes);
    if (*ret_is_mac) {
        mac_put(ret, bytes);
        return 0;
    }
    if (!uuid_parse(bytes_of(text), bytes))
        return refuse(
            site, REFUSAL_INVALID, "\"%.100s\" is neither a MAC address nor a UUID.", text);
    uuid_put(ret, bytes);
    return 0;
}

/* The name, for who may see it; NULL: nobody's, or not for him. Owned. */
static int name_of(struct site *site, const char *device, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    bool is_visible = false;
    int r = device_is_visible(site, device, &is_visible);

    if (r < 0 || !is_visible)
        return TRACE(r);
    r = db_first(site->db, SQL_DEVICE_BRIEF, DB_ARGS(db_text(device)), &rows);
    if (r == DB_ROW)
        *ret = json_string(db_get_text(&rows, 0));
    return r < 0 ? TRACE(r) : 0;
}

/* From the device that has it. */
static int take_mac(struct site *site, const char *mac, json_t **ret_name)
{
    OWN(json_freep) json_t *before = NULL;
    char device[ACCESS_DEVICE_ID_MAX];
    int r = device_by_mac(site, mac, device);

    if (r < 0 || !device[0])
        return TRACE(r);
    r = name_of(site, device, ret_name);
    if (r == 0)
        r = device_facts_note(site, device, &before);
    if (r == 0)
        r = db_must(site->db, SQL_DEVICE_MAC_DROP, DB_ARGS(db_text(mac)));
    return r < 0 ? TRACE(r) : TRACE(membership_device_changed(site, device, before));
}

static int add(struct site *site, const char *id, const char *comment)
{
    int r = db_run(site->db,
                   SQL_DUPLICATE_ID_ADD,
                   DB_ARGS(db_text(id), db_text(comment), db_u64(site->now_us)),
                   NULL);

    if (r > 0)
        return refuse(site, REFUSAL_EXISTS, "%s is on the list already.", id);
    return TRACE(r);
}

int duplicate_id_add(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"id", FIELD_TEXT, true, 1, UUID_TEXT_MAX, NULL},
        {"comment", FIELD_LINE, false, 0, COMMENT_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *taken_from = NULL;
    const char *comment = field_text(body, "comment", "");
    char id[UUID_TEXT_MAX];
    bool is_mac = false;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = canonical(site, field_text(body, "id", ""), id, &is_mac);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0 && is_mac)
        r = take_mac(site, id, &taken_from);
    if (r == 0)
        r = add(site, id, comment);
    if (r == 0)
        r = site_audit(site, who, "duplicate-id.add", id, comment);
    if (r == 0)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:s,s:O*}", "id", id, "comment", comment, "taken_from", taken_from);
    return *ret ? 0 : ERR(-ENOMEM);
}

int duplicate_id_remove(struct site *site, const char *who, const char *which)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[UUID_TEXT_MAX];
    bool is_mac = false;
    uint64_t n = 0;
    int r = canonical(site, which, id, &is_mac);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = db_run(site->db, SQL_DUPLICATE_ID_DROP, DB_ARGS(db_text(id)), &n);
    if (r == 0 && n == 0)
        return refuse(site, REFUSAL_MISSING, "%s is not on the list.", id);
    if (r == 0)
        r = site_audit(site, who, "duplicate-id.remove", id, "");
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int duplicate_id_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_DUPLICATE_ID_LIST, args, page, ret));
}
