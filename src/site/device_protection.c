/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_protection.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "site/device.h"
#include "site/fields.h"

#define ADAPTER_LIFE_US (UINT64_C(30) * 24 * 3600 * 1000000)

enum {
    ADAPTERS_MAX = 64, /* of one server */
    NAMED_MAX = 5,     /* in a refusal; one more row says that there are more */
    NAMES_MAX_BYTES = 512,
};

/* What was said before then is forgotten. */
static uint64_t since_us(const struct site *site)
{
    return site->now_us > ADAPTER_LIFE_US ? site->now_us - ADAPTER_LIFE_US : 0;
}

int device_protection_set(struct site *site, const char *who, const char *id, bool is_protected)
{
    int r =
        db_must(site->db, SQL_DEVICE_PROTECT, DB_ARGS(db_text(id), db_u64(is_protected ? 1 : 0)));

    if (r < 0)
        return TRACE(r);
    return TRACE(
        site_audit(site, who, is_protected ? "device.protect" : "device.unprotect", id, ""));
}

static int note_one(struct site *site, const char *dp_id, const char *text)
{
    uint8_t bytes[MAC_BYTES];
    char mac[MAC_TEXT_MAX];

    if (!text || !mac_parse(bytes_of(text), bytes))
        return refuse(site, REFUSAL_INVALID, "\"macs\" must be MAC addresses.");
    mac_put(mac, bytes);
    return TRACE(db_run(site->db,
                        SQL_SERVER_MAC_SEEN,
                        DB_ARGS(db_text(dp_id), db_text(mac), db_u64(site->now_us)),
                        NULL));
}

int device_protection_note(struct site *site, const char *dp_id, const json_t *macs)
{
    size_t i;
    json_t *mac;
    int r = 0;

    if (!macs)
        return 0;
    if (!json_is_array(macs) || json_array_size(macs) > ADAPTERS_MAX)
        return refuse(
            site, REFUSAL_INVALID, "\"macs\" must be at most %d MAC addresses.", ADAPTERS_MAX);
    json_array_foreach(macs, i, mac)
    {
        r = note_one(site, dp_id, json_string_value(mac));
        if (r != 0)
            return TRACE(r);
    }
    return TRACE(db_run(site->db, SQL_SERVER_MACS_FORGET, DB_ARGS(db_u64(since_us(site))), NULL));
}

static int find_adapter(struct site *site, const char *mac, enum device_protection *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(
        site->db, SQL_SERVER_MAC_FIND, DB_ARGS(db_u64(since_us(site)), db_text(mac)), &rows);

    if (r == DB_ROW)
        *ret = DEVICE_SITE_SYSTEM;
    return r < 0 ? TRACE(r) : 0;
}

int device_protection_find(struct site *site,
                           const char *device_id,
                           const char *mac,
                           enum device_protection *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r;

    *ret = DEVICE_OPEN;
    if (!device_id[0])
        return mac ? TRACE(find_adapter(site, mac, ret)) : 0;
    r = db_first(
        site->db, SQL_DEVICE_PROTECTED, DB_ARGS(db_u64(since_us(site)), db_text(device_id)), &rows);
    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : 0;
    if (db_get_bool(&rows, 1))
        *ret = DEVICE_SITE_SYSTEM;
    else if (db_get_bool(&rows, 0))
        *ret = DEVICE_PROTECTED;
    return 0;
}

/* @ret: names with commas between; empty if there are none. */
static int name_members(struct site *site, const char *collection_id, struct buf *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    size_t n = 0;
    int r = db_select(site->db,
                      SQL_DEVICE_PROTECTED_MEMBERS,
                      DB_ARGS(db_u64(since_us(site)), db_text(collection_id)),
                      &rows);

    while (r == 0 && (r = db_next(&rows)) == DB_ROW) {
        if (n < NAMED_MAX)
            buf_addf(ret, "%s%s", n ? ", " : "", db_get_text(&rows, 0));
        else
            buf_adds(ret, " and others");
        n++;
        r = 0;
    }
    return TRACE(r);
}

int device_protection_check(struct site *site, const char *collection_id, bool is_confirmed)
{
    OWN(buf_fini) struct buf names = BUF_INIT(NAMES_MAX_BYTES);
    int r = name_members(site, collection_id, &names);

    if (r < 0 || names.len == 0)
        return TRACE(r);
    if (!site->settings.is_protection_warning)
        return refuse(site,
                      REFUSAL_PROTECTED,
                      "The collection has protected devices, or computers that servers of the site "
                      "run on: %s. Leave them out of it.",
                      buf_str(&names));
    if (is_confirmed)
        return 0;
    return refuse(site,
                  REFUSAL_CONFIRM,
                  "This wipes the disks of protected devices, or of computers that servers of the "
                  "site run on: %s. To go on, confirm it with the number of all devices "
                  "(confirm_devices).",
                  buf_str(&names));
}
