/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "site/device_facts.h"
#include "site/device_parts.h"
#include "site/duplicate_id.h"
#include "site/fields.h"
#include "site/maintenance_window.h"
#include "site/membership.h"

enum {
    INVENTORY_MAX_BYTES = 256 * 1024,
};

bool device_uuid_is_real(const char *uuid)
{
    /* Seen on boards whose maker never set one; shared by thousands of machines. */
    static const char *const shared_by_many[] = {
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "fefefefe-fefe-fefe-fefe-fefefefefefe",
    };
    uint8_t bytes[UUID_BYTES];

    if (!uuid || !uuid_parse(bytes_of(uuid), bytes))
        return false;
    for (size_t i = 0; i < sizeof(shared_by_many) / sizeof(shared_by_many[0]); i++)
        if (bytes_eq_nocase(bytes_of(uuid), shared_by_many[i]))
            return false;
    return true;
}

static int first_id(struct site *site, enum db_sql sql, const char *key, char *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, sql, DB_ARGS(db_text(key)), &rows);

    ret[0] = '\0';
    if (r == DB_ROW)
        (void)snprintf(ret, ACCESS_DEVICE_ID_MAX, "%s", db_get_text(&rows, 0));
    return r < 0 ? TRACE(r) : 0;
}

static int by_uuid(struct site *site, const char *uuid, char *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    bool is_duplicate = false;
    int r = 0;

    ret[0] = '\0';
    if (!device_uuid_is_real(uuid))
        return 0;
    r = duplicate_id_has(site, uuid, &is_duplicate);
    if (r < 0 || is_duplicate)
        return TRACE(r);
    r = db_first(site->db, SQL_DEVICE_BY_SMBIOS_UUID, DB_ARGS(db_text(uuid)), &rows);
    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : 0;
    (void)snprintf(ret, ACCESS_DEVICE_ID_MAX, "%s", db_get_text(&rows, 0));
    r = db_next(&rows);
    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW)
        ret[0] = '\0'; /* two machines with one UUID: it says nothing */
    return 0;
}

int device_find_hardware(struct site *site,
                         const char *const *macs,
                         size_t n_macs,
                         const char *uuid,
                         char ret[static ACCESS_DEVICE_ID_MAX])
{
    ret[0] = '\0';
    for (size_t i = 0; i < n_macs; i++) {
        int r = first_id(site, SQL_DEVICE_BY_MAC, macs[i], ret);

        if (r < 0)
            return TRACE(r);
        if (ret[0])
            return 0;
    }
    return TRACE(by_uuid(site, uuid, ret));
}

int device_find(struct site *site, const char *which, char ret[static ACCESS_DEVICE_ID_MAX])
{
    uint8_t bytes[UUID_BYTES];
    char text[UUID_TEXT_MAX];
    char seen[ACCESS_DEVICE_ID_MAX] = "";
    int r = first_id(site, SQL_DEVICE_BY_ID_OR_NAME, which, ret);

    if (r == 0 && !ret[0] && mac_parse(bytes_of(which), bytes)) {
        mac_put(text, bytes);
        r = first_id(site, SQL_DEVICE_BY_MAC, text, ret);
    }
    if (r == 0 && !ret[0] && uuid_parse(bytes_of(which), bytes)) {
        uuid_put(text, bytes);
        r = by_uuid(site, text, ret);
    }
    if (r == 0 && !ret[0])
        r = first_id(site, SQL_DEVICE_BY_TPM_KEY, which, ret);
    if (r == 0 && ret[0])
        r = first_id(site, SQL_DEVICE_VISIBLE, ret, seen);
    if (r < 0)
        return TRACE(r);
    if (!ret[0] || !seen[0])
        return refuse(
            site,
            REFUSAL_MISSING,
            "There is no device with the id, name, MAC address, SMBIOS UUID or TPM key \"%.100s\".",
            which);
    return 0;
}

int device_is_visible(struct site *site, const char *id, bool *ret)
{
    char seen[ACCESS_DEVICE_ID_MAX];
    int r = first_id(site, SQL_DEVICE_VISIBLE, id, seen);

    *ret = r == 0 && seen[0];
    return TRACE(r);
}

static int name_is_taken(struct site *site, const char *name, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DEVICE_NAME_TAKEN, DB_ARGS(db_text(name)), &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

/* "SLW-" and the last six digits of the MAC address; with "-2", "-3" ... if that is taken. */
static int make_name(struct site *site, const char *mac, char ret[static DEVICE_NAME_MAX_BYTES + 1])
{
    char base[16];
    size_t n = 0;
    bool is_taken = true;

    (void)snprintf(base,
                   sizeof(base),
                   "SLW-%c%c%c%c%c%c",
                   mac[9],
                   mac[10],
                   mac[12],
                   mac[13],
                   mac[15],
                   mac[16]);
    for (char *c = base; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    while (is_taken) {
        int r;

        if (n++ == 0)
            (void)snprintf(ret, DEVICE_NAME_MAX_BYTES + 1, "%s", base);
        else
            (void)snprintf(ret, DEVICE_NAME_MAX_BYTES + 1, "%s-%zu", base, n);
        r = name_is_taken(site, ret, &is_taken);
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

int device_add(struct site *site,
               const char *name,
               const char *uuid,
               bool is_imported,
               char ret[static ACCESS_DEVICE_ID_MAX])
{
    random_uuid(ret, site->now_us);
    return TRACE(db_run(site->db,
                        SQL_DEVICE_ADD,
                        DB_ARGS(db_text(ret),
                                db_text(name),
                                db_text(uuid),
                                db_u64(is_imported ? 0 : 1),
                                db_u64(is_imported ? 1 : 0),
                                db_u64(site->now_us)),
                        NULL));
}

int device_add_macs(struct site *site, const char *device_id, const char *const *macs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_duplicate;
        int r = duplicate_id_has(site, macs[i], &is_duplicate);

        if (r == 0 && !is_duplicate)
            r = db_must(
                site->db, SQL_DEVICE_MAC_ADD, DB_ARGS(db_text(macs[i]), db_text(device_id)));
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

bool device_name_is_good(const char *name)
{
    uint8_t mark[UUID_BYTES];
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && (name[i] != '-' || i == 0 || i + 1 == len))
            return false;
    return len > 0 && !mac_parse(bytes_of(name), mark) && !uuid_parse(bytes_of(name), mark);
}

int device_by_mac(struct site *site, const char *mac, char ret[static ACCESS_DEVICE_ID_MAX])
{
    return TRACE(first_id(site, SQL_DEVICE_BY_MAC, mac, ret));
}

/* The MACs of a registration, canonical, the one it was admitted by first. */
static size_t
read_macs(const char *admitted, const json_t *registration, char texts[][MAC_TEXT_MAX])
{
    const json_t *list = json_object_get(registration, "macs");
    uint8_t mac[MAC_BYTES];
    size_t n = 0;

    (void)snprintf(texts[n++], MAC_TEXT_MAX, "%s", admitted);
    if (mac_parse(bytes_of(field_text(registration, "boot_mac", "")), mac))
        mac_put(texts[n++], mac);
    for (size_t i = 0; i < json_array_size(list) && n < DEVICE_MACS_MAX; i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (text && mac_parse(bytes_of(text), mac))
            mac_put(texts[n++], mac);
    }
    return n;
}

static int save_inventory(struct site *site, const char *id, const char *uuid, const json_t *src)
{
    const json_t *smbios = json_object_get(src, "smbios");
    OWN(json_freep) json_t *copy = json_deep_copy(src);
    OWN(freep) char *text = NULL;

    (void)json_object_del(copy, "ticket");
    (void)json_object_del(copy, "facts"); /* site/machine_facts.h */
    (void)json_object_del(copy, "tpm_key");
    text = json_dumps(copy, JSON_COMPACT);
    if (!text)
        return ERR(-ENOMEM);
    return TRACE(db_must(site->db,
                         SQL_DEVICE_REGISTERED,
                         DB_ARGS(db_text(id),
                                 db_text(uuid),
                                 db_text(field_text(smbios, "serial", "")),
                                 db_text(field_text(smbios, "manufacturer", "")),
                                 db_text(field_text(smbios, "model", "")),
                                 db_text(field_text(smbios, "asset_tag", "")),
                                 db_text(field_text(src, "firmware", "")),
                                 db_text(field_text(src, "arch", "")),
                                 db_u64(field_bool(src, "secure_boot") ? 1 : 0),
                                 db_text(strlen(text) <= INVENTORY_MAX_BYTES ? text : NULL),
                                 db_u64(site->now_us))));
}

/* The marks by which a machine is recognised. */
struct marks {
    const char *macs[DEVICE_MACS_MAX + 2];
    size_t n_macs;
    const char *uuid; /* NULL: none that says anything */
    const char *serial;
    const char *tpm_key; /* proven; "": none */
};

/*
 * Makers give a whole batch of boards one UUID: what has another serial number is another machine, and what hides a serial number
 * that the site knows is none of ours.
 */
static int
find_by_uuid(struct site *site, const struct marks *marks, char ret[static ACCESS_DEVICE_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = device_find_hardware(site, NULL, 0, marks->uuid, ret);

    if (r < 0 || !ret[0])
        return TRACE(r);
    r = db_first(site->db, SQL_DEVICE_SERIAL, DB_ARGS(db_text(ret)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW && db_get_text(&rows, 0)[0] &&
        strcmp(marks->serial, db_get_text(&rows, 0)) != 0)
        ret[0] = '\0';
    return 0;
}

/* Its other addresses are what it says of itself: they count where the UUID or the serial number says the same. */
static int find_by_other_macs(struct site *site,
                              const struct marks *marks,
                              char ret[static ACCESS_DEVICE_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    bool is_same;
    int r = device_find_hardware(site, marks->macs + 1, marks->n_macs - 1, NULL, ret);

    if (r == 0 && ret[0])
        r = db_first(site->db, SQL_DEVICE_MARKS, DB_ARGS(db_text(ret)), &rows);
    if (r <= 0)
        return TRACE(r);
    is_same = (marks->uuid && strcmp(marks->uuid, db_get_text(&rows, 0)) == 0) ||
              (marks->serial[0] && strcmp(marks->serial, db_get_text(&rows, 1)) == 0);
    if (!is_same)
        ret[0] = '\0';
    return 0;
}

static bool is_different(const char *one, const char *other)
{
    return one && one[0] && other[0] && strcmp(one, other) != 0;
}

/*
 * A device that is known by its TPM and comes with another one is refused. Where UUID and serial number are others as well it is
 * another computer, which has no more than an adapter of it. @device: emptied then
 */
static int compare_tpm(struct site *site, const struct marks *marks, char *device)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = device[0] ? db_first(site->db, SQL_DEVICE_TPM_KEY, DB_ARGS(db_text(device)), &rows) : 0;

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : 0;
    if (!db_get_text(&rows, 0)[0])
        return 0;
    if (is_different(marks->uuid, db_get_text(&rows, 1)) &&
        is_different(marks->serial, db_get_text(&rows, 2))) {
        device[0] = '\0';
        return 0;
    }
    if (!marks->tpm_key[0])
        return 0;
    return refuse(
        site,
        REFUSAL_TPM_KEY,
        "By its addresses, its SMBIOS UUID or its serial number this is the device \"%.63s\", which "
        "had another TPM when it registered last. If its mainboard was replaced, say so: slipway "
        "device forget-tpm-key %.63s. If two computers share a network adapter, add its address to "
        "the duplicate hardware ids.",
        db_get_text(&rows, 3),
        db_get_text(&rows, 3));
}

/* By what else than its TPM. */
static int
find_by_board(struct site *site, const struct marks *marks, char ret[static ACCESS_DEVICE_ID_MAX])
{
    int r = device_find_hardware(site, marks->macs, 1, NULL, ret); /* the one that is proven */

    if (r == 0)
        r = compare_tpm(site, marks, ret);
    if (r != 0 || ret[0])
        return TRACE(r);
    r = find_by_other_macs(site, marks, ret);
    if (r == 0 && !ret[0])
        r = find_by_uuid(site, marks, ret);
    return r == 0 ? TRACE(compare_tpm(site, marks, ret)) : TRACE(r);
}

/* @ret_before: what the device was like; NULL: it is new */
static int find_or_add(struct site *site,
                       const struct marks *marks,
                       char ret[static ACCESS_DEVICE_ID_MAX],
                       json_t **ret_before)
{
    char name[DEVICE_NAME_MAX_BYTES + 1];
    int r = 0;

    ret[0] = '\0';
    if (marks->tpm_key[0])
        r = first_id(site, SQL_DEVICE_BY_TPM_KEY, marks->tpm_key, ret);
    if (r == 0 && !ret[0])
        r = find_by_board(site, marks, ret);
    if (r > 0)
        return r;
    if (r == 0 && ret[0])
        return TRACE(device_facts_note(site, ret, ret_before));
    if (r < 0)
        return TRACE(r);
    r = make_name(site, marks->macs[0], name);
    if (r < 0)
        return TRACE(r);
    r = device_add(site, name, marks->uuid, false, ret);
    return r > 0 ? ERR(-EIO) : TRACE(r);
}

static int keep_tpm_key(struct site *site, const char *id, const char *tpm_key)
{
    return tpm_key[0]
               ? TRACE(db_must(
                     site->db, SQL_DEVICE_SET_TPM_KEY, DB_ARGS(db_text(id), db_text(tpm_key))))
               : 0;
}

int device_register(struct site *site,
                    const char *mac,
                    const char *tpm_key,
                    const json_t *registration,
                    char ret_id[static ACCESS_DEVICE_ID_MAX])
{
    char texts[DEVICE_MACS_MAX + 2][MAC_TEXT_MAX];
    const json_t *smbios = json_object_get(registration, "smbios");
    const char *asked = field_text(smbios, "uuid", "");
    struct marks marks = {
        .n_macs = read_macs(mac, registration, texts),
        .serial = field_text(smbios, "serial", ""),
        .tpm_key = tpm_key,
    };
    OWN(json_freep) json_t *before = NULL;
    char uuid[UUID_TEXT_MAX];
    uint8_t bytes[UUID_BYTES];
    int r;

    for (size_t i = 0; i < marks.n_macs; i++)
        marks.macs[i] = texts[i];
    if (device_uuid_is_real(asked) && uuid_parse(bytes_of(asked), bytes)) {
        uuid_put(uuid, bytes);
        marks.uuid = uuid;
    }
    r = find_or_add(site, &marks, ret_id, &before);
    if (r == 0)
        r = keep_tpm_key(site, ret_id, tpm_key);
    if (r == 0)
        r = device_add_macs(site, ret_id, marks.macs, marks.n_macs);
    if (r == 0)
        r = save_inventory(site, ret_id, marks.uuid, registration);
    if (r == 0)
        r = device_facts_keep(site, ret_id, registration);
    return r == 0 ? TRACE(membership_device_changed(site, ret_id, before)) : TRACE(r);
}

int device_take_inventory(struct site *site, const char *id, const json_t *inventory)
{
    OWN(json_freep) json_t *before = NULL;
    int r = device_facts_note(site, id, &before);

    if (r == 0)
        r = save_inventory(site, id, NULL, inventory);
    if (r == 0)
        r = device_facts_keep(site, id, inventory);
    return r == 0 ? TRACE(membership_device_changed(site, id, before)) : TRACE(r);
}

int device_show(struct site *site, const char *id, json_t **ret)
{
    const struct principal *principal = &site->principal;
    int r = rows_one(site->db, SQL_DEVICE_GET, DB_ARGS(db_text(id)), ret);

    if (r != 0 || !principal->id[0])
        return TRACE(r);
    if (!principal_words_allow(principal->permissions, "collection", "read"))
        (void)json_object_set_new(*ret, "collections", json_array());
    if (!principal_words_allow(principal->permissions, "deployment", "read"))
        (void)json_object_set_new(*ret, "deployment", json_null());
    return 0;
}

int device_get(struct site *site, const char *which, json_t **ret)
{
    char id[ACCESS_DEVICE_ID_MAX];
    OWN(json_freep) json_t *window = NULL;
    int r = device_find(site, which, id);

    if (r == 0)
        r = device_show(site, id, ret);
    if (r == 0)
        r = device_windows_explain(site, id, &window);
    if (r == 0 && json_object_set(*ret, "maintenance_window", window) < 0)
        return ERR(-ENOMEM);
    return TRACE(r);
}

int device_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(
        site->db, page->is_by_name ? SQL_DEVICE_LIST_BY_NAME : SQL_DEVICE_LIST, args, page, ret));
}

int device_log_list(struct site *site, const char *which, const struct page *page, json_t **ret)
{
    char id[ACCESS_DEVICE_ID_MAX];
    int r = device_find(site, which, id);

    if (r != 0)
        return TRACE(r);
    return TRACE(rows_page(site->db,
                           SQL_DEVICE_LOG_LIST,
                           DB_ARGS(db_text(id), page_after(page), page_limit(page)),
                           page,
                           ret));
}
