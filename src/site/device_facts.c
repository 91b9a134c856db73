/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_facts.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/fields.h"
#include "site/rows.h"

enum {
    PARTS_MAX = 64,
    PART_MAX_BYTES = 256,
};

const struct filter_property device_properties[] = {
    [DEVICE_ID] = {"id", FILTER_TEXT, false, 0},
    [DEVICE_NAME] = {"name", FILTER_TEXT, false, 0},
    [DEVICE_MAC] = {"mac", FILTER_TEXT, true, 0},
    [DEVICE_SMBIOS_UUID] = {"smbios_uuid", FILTER_TEXT, false, 0},
    [DEVICE_SERIAL] = {"serial", FILTER_TEXT, false, 0},
    [DEVICE_MANUFACTURER] = {"manufacturer", FILTER_TEXT, false, 0},
    [DEVICE_MODEL] = {"model", FILTER_TEXT, false, 0},
    [DEVICE_ASSET_TAG] = {"asset_tag", FILTER_TEXT, false, 0},
    [DEVICE_FIRMWARE] = {"firmware", FILTER_TEXT, false, 0},
    [DEVICE_ARCH] = {"arch", FILTER_TEXT, false, 0},
    [DEVICE_SECURE_BOOT] = {"secure_boot", FILTER_TRUTH, false, 0},
    [DEVICE_TPM] = {"tpm", FILTER_TEXT, false, 0},
    [DEVICE_CPU] = {"cpu", FILTER_TEXT, false, 0},
    [DEVICE_N_CPUS] = {"n_cpus", FILTER_NUMBER, false, 0},
    [DEVICE_MEMORY_BYTES] = {"memory_bytes", FILTER_NUMBER, false, 0},
    [DEVICE_N_DISKS] = {"n_disks", FILTER_NUMBER, false, 0},
    [DEVICE_DISK_BYTES] = {"disk_bytes", FILTER_NUMBER, false, 0},
    [DEVICE_DISK_MODEL] = {"disk_model", FILTER_TEXT, true, 0},
    [DEVICE_NIC_DRIVER] = {"nic_driver", FILTER_TEXT, true, 0},
    [DEVICE_AGENT_VERSION] = {"agent_version", FILTER_TEXT, false, 0},
    [DEVICE_IS_IMPORTED] = {"is_imported", FILTER_TRUTH, false, 0},
    [DEVICE_IS_UNKNOWN] = {"is_unknown", FILTER_TRUTH, false, 0},
    [DEVICE_IS_BLOCKED] = {"is_blocked", FILTER_TRUTH, false, 0},
    [DEVICE_CREATED_AT] = {"created_at", FILTER_TIME, false, 0},
    [DEVICE_LAST_SEEN_AT] = {"last_seen_at", FILTER_TIME, false, 0},
    [DEVICE_TPM_KEY] = {"tpm_key", FILTER_TEXT, false, 0},
    [N_DEVICE_PROPERTIES] = {0},
};

static const struct {
    enum device_property property;
    enum db_sql sql;
    const char *kind; /* of device_part; NULL: the statement has no such parameter */
} lists[DEVICE_LISTS] = {
    {DEVICE_MAC, SQL_DEVICE_FACT_MACS, NULL},
    {DEVICE_DISK_MODEL, SQL_DEVICE_FACT_PARTS, "disk-model"},
    {DEVICE_NIC_DRIVER, SQL_DEVICE_FACT_PARTS, "nic-driver"},
};

static int read_list(struct site *site, const char *device_id, size_t list, struct buf *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args with_kind = DB_ARGS(db_text(device_id), db_text(lists[list].kind));
    struct db_args without = DB_ARGS(db_text(device_id));
    int r = db_select(site->db, lists[list].sql, lists[list].kind ? with_kind : without, &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        buf_adds(ret, db_get_text(&rows, 0));
        buf_add(ret, (struct bytes){(const uint8_t *)"", 1});
    }
    return r == 0 && ret->failed ? ERR(-ENOMEM) : TRACE(r);
}

int device_facts_of_row(struct site *site,
                        const struct db_rows *rows,
                        uint64_t wanted,
                        struct device_facts *ret)
{
    *ret = (struct device_facts){.rows = rows};
    for (size_t i = 0; i < DEVICE_LISTS; i++) {
        int r;

        ret->lists[i] = BUF_INIT(DEVICE_LIST_MAX_BYTES);
        if (!(wanted & DEVICE_BIT(lists[i].property)))
            continue;
        r = read_list(site, db_get_text(rows, DEVICE_ID), i, &ret->lists[i]);
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

void device_facts_fini(struct device_facts *facts)
{
    for (size_t i = 0; i < DEVICE_LISTS; i++)
        buf_fini(&facts->lists[i]);
}

static bool nth_of_list(const struct buf *list, size_t n, struct filter_value *ret)
{
    struct bytes rest = buf_bytes(list);
    struct bytes value;

    while (bytes_take_cstr(&rest, &value))
        if (n-- == 0) {
            *ret = (struct filter_value){.type = FILTER_TEXT, .text = value};
            return true;
        }
    return false;
}

bool device_facts_get(const void *ctx, unsigned property, size_t n, struct filter_value *ret)
{
    const struct device_facts *facts = ctx;
    enum filter_type type = device_properties[property].type;

    for (size_t i = 0; i < DEVICE_LISTS; i++)
        if (lists[i].property == property)
            return nth_of_list(&facts->lists[i], n, ret);
    if (n > 0 || db_column_type(facts->rows, property) == DB_NULL)
        return false;
    *ret = (struct filter_value){.type = type};
    if (type == FILTER_TEXT)
        ret->text = bytes_of(db_get_text(facts->rows, property));
    else
        ret->n = db_get_u64(facts->rows, property);
    return type != FILTER_TEXT || ret->text.len > 0;
}

static json_t *value_json(const struct filter_value *value)
{
    if (value->type != FILTER_TEXT)
        return json_integer((json_int_t)value->n);
    return json_stringn_nocheck((const char *)value->text.ptr, value->text.len);
}

static int note_all(const struct device_facts *facts, json_t *ret)
{
    for (unsigned i = 0; i < N_DEVICE_PROPERTIES; i++) {
        json_t *values = json_array();
        struct filter_value value;

        if (json_array_append_new(ret, values) < 0)
            return ERR(-ENOMEM);
        for (size_t n = 0; device_facts_get(facts, i, n, &value); n++)
            if (json_array_append_new(values, value_json(&value)) < 0)
                return ERR(-ENOMEM);
    }
    return 0;
}

int device_facts_note(struct site *site, const char *device_id, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(device_facts_fini) struct device_facts facts = {0};
    OWN(json_freep) json_t *note = json_array();
    int r = db_first(site->db, SQL_DEVICE_FACTS, DB_ARGS(db_text(device_id)), &rows);

    *ret = NULL;
    if (r != DB_ROW)
        return TRACE(r);
    if (!note)
        return ERR(-ENOMEM);
    r = device_facts_of_row(site, &rows, DEVICE_ALL_PROPERTIES, &facts);
    if (r == 0)
        r = note_all(&facts, note);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(note);
    return 0;
}

uint64_t device_facts_differ(const json_t *before, const json_t *after)
{
    uint64_t ret = 0;

    for (size_t i = 0; i < N_DEVICE_PROPERTIES; i++)
        if (!json_equal(json_array_get(before, i), json_array_get(after, i)))
            ret |= DEVICE_BIT(i);
    return ret;
}

/* A text of each member of a list of objects. */
static int keep_parts(struct site *site,
                      const char *device_id,
                      const char *kind,
                      const json_t *list,
                      const char *member)
{
    for (size_t i = 0; i < json_array_size(list) && i < PARTS_MAX; i++) {
        const char *text = json_string_value(json_object_get(json_array_get(list, i), member));
        int r;

        if (!text || !text[0] || strlen(text) > PART_MAX_BYTES)
            continue;
        r = db_must(site->db,
                    SQL_DEVICE_PART_ADD,
                    DB_ARGS(db_text(device_id), db_text(kind), db_text(text)));
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

static uint64_t number_in(const json_t *object, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(object, name));

    return n > 0 ? (uint64_t)n : 0;
}

static void measure_disks(const json_t *disks, uint64_t *ret_n, uint64_t *ret_bytes)
{
    *ret_n = 0;
    *ret_bytes = 0;
    for (size_t i = 0; i < json_array_size(disks); i++) {
        const json_t *disk = json_array_get(disks, i);
        uint64_t bytes = number_in(disk, "size_bytes");

        if (json_is_true(json_object_get(disk, "is_removable")))
            continue;
        *ret_n += 1;
        if (bytes > *ret_bytes)
            *ret_bytes = bytes;
    }
}

/* A text of a registration that nobody has checked; NULL if it is none. */
static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text && strlen(text) <= PART_MAX_BYTES ? text : NULL;
}

int device_facts_keep(struct site *site, const char *device_id, const json_t *registration)
{
    const json_t *disks = json_object_get(registration, "disks");
    uint64_t n_disks;
    uint64_t disk_bytes;
    int r;

    measure_disks(disks, &n_disks, &disk_bytes);
    r = db_must(site->db,
                SQL_DEVICE_MEASURED,
                DB_ARGS(db_text(device_id),
                        db_text(text_in(registration, "tpm")),
                        db_text(text_in(registration, "cpu")),
                        db_u64(number_in(registration, "n_cpus")),
                        db_u64(number_in(registration, "memory_bytes")),
                        db_u64(n_disks),
                        db_u64(disk_bytes),
                        db_text(text_in(registration, "agent_version"))));
    if (r == 0)
        r = db_must(site->db, SQL_DEVICE_PART_CLEAR, DB_ARGS(db_text(device_id)));
    if (r == 0)
        r = keep_parts(site, device_id, "disk-model", disks, "model");
    if (r == 0)
        r = keep_parts(
            site, device_id, "nic-driver", json_object_get(registration, "nics"), "driver");
    return TRACE(r);
}
