/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_mark.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/device.h"
#include "site/device_parts.h"
#include "site/duplicate_id.h"
#include "site/fields.h"
#include "site/rows.h"

enum {
    GROUP_BIT = 1, /* of the first byte: IEEE 802, 8.2 */
    DETAIL_MAX = 512,
};

static int refuse_duplicate(struct site *site, const char *what, const char *mark)
{
    bool is_duplicate = false;
    int r = duplicate_id_has(site, mark, &is_duplicate);

    if (r < 0 || !is_duplicate)
        return TRACE(r);
    return refuse(
        site,
        REFUSAL_INVALID,
        "%s %s is on the list of duplicate ids, so that it tells no machine from another.",
        what,
        mark);
}

int device_mark_mac(struct site *site, const char *text, char ret[static MAC_TEXT_MAX])
{
    static const uint8_t nobody[MAC_BYTES] = {0};
    uint8_t mac[MAC_BYTES];

    if (!mac_parse(bytes_of(text), mac))
        return refuse(site, REFUSAL_INVALID, "\"%.100s\" is no MAC address.", text);
    mac_put(ret, mac);
    if (memcmp(mac, nobody, MAC_BYTES) == 0 || (mac[0] & GROUP_BIT))
        return refuse(
            site,
            REFUSAL_INVALID,
            "%s is no address of one adapter (all zeros, broadcast and multicast are none).",
            ret);
    return TRACE(refuse_duplicate(site, "The MAC address", ret));
}

int device_mark_uuid(struct site *site,
                     const char *text,
                     const char *but,
                     char ret[static UUID_TEXT_MAX],
                     char ret_device[static ACCESS_DEVICE_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint8_t uuid[UUID_BYTES];
    int r;

    ret_device[0] = '\0';
    if (!uuid_parse(bytes_of(text), uuid) || !device_uuid_is_real(text))
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"smbios_uuid\" is one that many machines share; leave it out.");
    uuid_put(ret, uuid);
    r = refuse_duplicate(site, "The SMBIOS UUID", ret);
    if (r == 0)
        r = db_first(site->db, SQL_DEVICE_BY_SMBIOS_UUID, DB_ARGS(db_text(ret)), &rows);
    while (r == DB_ROW) {
        if (strcmp(db_get_text(&rows, 0), but) != 0)
            (void)snprintf(ret_device, ACCESS_DEVICE_ID_MAX, "%s", db_get_text(&rows, 0));
        r = db_next(&rows);
    }
    return TRACE(r);
}

int device_mark_refuse(struct site *site, const char *what, const char *mark, const char *device)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    bool is_visible = false;
    int r = device_is_visible(site, device, &is_visible);

    if (r == 0)
        r = db_first(site->db, SQL_DEVICE_BRIEF, DB_ARGS(db_text(device)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW && is_visible)
        return refuse(site,
                      REFUSAL_EXISTS,
                      "%s %s belongs to the device \"%s\".",
                      what,
                      mark,
                      db_get_text(&rows, 0));
    return refuse(site, REFUSAL_EXISTS, "%s %s belongs to another device.", what, mark);
}

static int set_uuid(struct site *site, const char *id, const char *text)
{
    char uuid[UUID_TEXT_MAX] = "";
    char other[ACCESS_DEVICE_ID_MAX] = "";
    int r = text ? device_mark_uuid(site, text, id, uuid, other) : 0;

    if (r == 0 && other[0])
        r = device_mark_refuse(site, "The SMBIOS UUID", uuid, other);
    if (r != 0)
        return TRACE(r);
    return TRACE(
        db_must(site->db, SQL_DEVICE_UUID_SET, DB_ARGS(db_text(id), db_text(text ? uuid : NULL))));
}

static int add_mac(struct site *site, const char *id, const char *text)
{
    char mac[MAC_TEXT_MAX];
    char other[ACCESS_DEVICE_ID_MAX];
    const char *const macs[] = {mac};
    int r = device_mark_mac(site, text, mac);

    if (r == 0)
        r = device_by_mac(site, mac, other);
    if (r != 0)
        return TRACE(r);
    if (other[0] && strcmp(other, id) != 0)
        return device_mark_refuse(site, "The MAC address", mac, other);
    return TRACE(device_add_macs(site, id, macs, 1));
}

static int set_macs(struct site *site, const char *id, const json_t *macs)
{
    size_t i;
    json_t *mac;
    int r = db_must(site->db, SQL_DEVICE_MACS_DROP, DB_ARGS(db_text(id)));

    json_array_foreach(macs, i, mac)
    {
        const char *text = json_string_value(mac);

        if (r == 0)
            r = text ? add_mac(site, id, text)
                     : refuse(site, REFUSAL_INVALID, "\"macs\" must be a list of MAC addresses.");
    }
    return TRACE(r);
}

/* @ret: for the audit log */
static int check_left(struct site *site, const char *id, char ret[static DETAIL_MAX])
{
    OWN(json_freep) json_t *row = NULL;
    OWN(freep) char *macs = NULL;
    const char *uuid;
    int r = rows_one(site->db, SQL_DEVICE_MARKS_GET, DB_ARGS(db_text(id)), &row);

    if (r < 0)
        return TRACE(r);
    uuid = field_text(row, "smbios_uuid", "");
    macs = json_dumps(json_object_get(row, "macs"), JSON_COMPACT);
    if (!macs)
        return ERR(-ENOMEM);
    if (json_array_size(json_object_get(row, "macs")) == 0 && !uuid[0])
        return refuse(
            site,
            REFUSAL_INVALID,
            "Nothing would be left by which the device is known; give it a MAC address or an "
            "SMBIOS UUID.");
    (void)snprintf(ret, DETAIL_MAX, "macs %s smbios_uuid %s", macs, uuid[0] ? uuid : "-");
    return 0;
}

int device_mark_change(struct site *site, const char *who, const char *id, const json_t *body)
{
    const json_t *macs = json_object_get(body, "macs");
    const json_t *uuid = json_object_get(body, "smbios_uuid");
    char detail[DETAIL_MAX];
    int r = 0;

    if (!json_is_array(macs) && !uuid)
        return 0;
    if (uuid)
        r = set_uuid(site, id, json_string_value(uuid));
    if (r == 0 && json_is_array(macs))
        r = set_macs(site, id, macs);
    if (r == 0)
        r = check_left(site, id, detail);
    return r == 0 ? TRACE(site_audit(site, who, "device.identify", id, detail)) : TRACE(r);
}
