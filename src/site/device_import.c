/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "site/collection_rule.h"
#include "site/csv.h"
#include "site/device.h"
#include "site/device_facts.h"
#include "site/device_mark.h"
#include "site/device_parts.h"
#include "site/fields.h"
#include "site/membership.h"
#include "site/variable.h"

#define VARIABLE_PREFIX "variable."

enum {
    NAME_MAX_BYTES = 255,
    ERRORS_SHOWN = 100,
};

/* By which a machine is known; canonical, "" for what is not given. */
struct marks {
    char mac[MAC_TEXT_MAX];
    char uuid[UUID_TEXT_MAX];
    bool is_by_mac; /* the address has an owner */
};

static int refuse_name(struct site *site, const char *name)
{
    return refuse(site, REFUSAL_EXISTS, "A device named \"%s\" exists.", name);
}

/* A computer that came as an unknown one is taken over by who may see it; any other owner of the mark is a conflict. */
static int adopt(struct site *site, const char *name, const struct marks *marks, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    bool is_visible = false;
    bool is_unknown;
    int r = device_is_visible(site, id, &is_visible);

    if (r == 0)
        r = db_first(site->db, SQL_DEVICE_BRIEF, DB_ARGS(db_text(id)), &rows);
    if (r < 0)
        return TRACE(r);
    is_unknown = db_get_bool(&rows, 1);
    db_rows_fini(&rows);
    if (!is_visible || !is_unknown)
        return marks->is_by_mac ? device_mark_refuse(site, "The MAC address", marks->mac, id)
                                : device_mark_refuse(site, "The SMBIOS UUID", marks->uuid, id);
    r = db_run(site->db,
               SQL_DEVICE_ADOPT,
               DB_ARGS(db_text(id), db_text(name), db_text(marks->uuid[0] ? marks->uuid : NULL)),
               NULL);
    return r > 0 ? refuse_name(site, name) : TRACE(r);
}

/* The device that has one of the marks; two devices cannot become one. */
static int find_owner(struct site *site, struct marks *marks, char id[static ACCESS_DEVICE_ID_MAX])
{
    char by_uuid[ACCESS_DEVICE_ID_MAX] = "";
    int r = 0;

    id[0] = '\0';
    if (marks->mac[0])
        r = device_by_mac(site, marks->mac, id);
    if (r == 0 && marks->uuid[0])
        r = device_mark_uuid(site, marks->uuid, id, marks->uuid, by_uuid);
    if (r != 0)
        return TRACE(r);
    marks->is_by_mac = id[0];
    if (id[0] && by_uuid[0])
        return device_mark_refuse(site, "The SMBIOS UUID", marks->uuid, by_uuid);
    if (!id[0])
        (void)snprintf(id, ACCESS_DEVICE_ID_MAX, "%s", by_uuid);
    return 0;
}

static int add_mac(struct site *site, const struct marks *marks, const char *id)
{
    const char *const macs[] = {marks->mac};

    return marks->mac[0] ? TRACE(device_add_macs(site, id, macs, 1)) : 0;
}

static int make_or_adopt(struct site *site,
                         const char *name,
                         const struct marks *marks,
                         char id[static ACCESS_DEVICE_ID_MAX])
{
    int r;

    if (id[0])
        return TRACE(adopt(site, name, marks, id));
    r = device_add(site, name, marks->uuid[0] ? marks->uuid : NULL, true, id);
    return r > 0 ? refuse_name(site, name) : TRACE(r);
}

/* @ret_is_new: it was not there before */
static int import_one(struct site *site,
                      const char *name,
                      struct marks *marks,
                      char id[static ACCESS_DEVICE_ID_MAX],
                      bool *ret_is_new)
{
    OWN(json_freep) json_t *before = NULL;
    int r = find_owner(site, marks, id);

    *ret_is_new = !id[0];
    if (r == 0 && id[0])
        r = device_facts_note(site, id, &before);
    if (r == 0)
        r = make_or_adopt(site, name, marks, id);
    if (r == 0)
        r = add_mac(site, marks, id);
    return r == 0 ? TRACE(membership_device_changed(site, id, before)) : TRACE(r);
}

static int set_variables(struct site *site, const char *who, const char *id, const json_t *body)
{
    json_t *variables = json_object_get(body, "variables");
    const char *name;
    json_t *value;

    json_object_foreach(variables, name, value)
    {
        OWN(json_freep) json_t *one = json_pack("{s:s,s:O}", "name", name, "value", value);
        int r = variable_give(site, who, id, one);

        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

static int read_marks(struct site *site, const json_t *body, struct marks *ret)
{
    const char *mac = field_text(body, "mac", NULL);
    uint8_t uuid[UUID_BYTES];

    if (uuid_parse(bytes_of(field_text(body, "smbios_uuid", "")), uuid))
        uuid_put(ret->uuid, uuid);
    return mac ? TRACE(device_mark_mac(site, mac, ret->mac)) : 0;
}

/* What a checked body says, within the caller's transaction. */
static int import_body(struct site *site,
                       const char *who,
                       const json_t *body,
                       char id[static ACCESS_DEVICE_ID_MAX])
{
    const char *name = field_text(body, "name", "");
    const char *collection = field_text(body, "collection", NULL);
    struct marks marks = {.is_by_mac = false};
    bool is_new = false;
    int r = read_marks(site, body, &marks);

    if (r == 0)
        r = import_one(site, name, &marks, id, &is_new);
    if (r == 0 && collection)
        r = is_new ? collection_add_new_device(site, collection, id)
                   : collection_add_device(site, collection, id);
    if (r == 0)
        r = set_variables(site, who, id, body);
    return r == 0 ? TRACE(site_audit(site, who, "device.import", id, name)) : TRACE(r);
}

static int check_body(struct site *site, const json_t *body)
{
    static const struct field fields[] = {
        {"name", FIELD_TEXT, true, 1, DEVICE_NAME_MAX_BYTES, NULL},
        {"mac", FIELD_MAC, false, 0, 0, NULL},
        {"smbios_uuid", FIELD_UUID, false, 0, 0, NULL},
        {"collection", FIELD_TEXT, false, 1, NAME_MAX_BYTES, NULL},
        {"variables", FIELD_OBJECT, false, 0, 0, NULL},
        {"validate_only", FIELD_BOOL, false, 0, 0, NULL},
        {0},
    };
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    if (!device_name_is_good(field_text(body, "name", "")))
        return refuse(site, REFUSAL_INVALID, DEVICE_NAME_RULE);
    if (!field_text(body, "mac", NULL) && !field_text(body, "smbios_uuid", NULL))
        return refuse(
            site,
            REFUSAL_INVALID,
            "Give \"mac\", \"smbios_uuid\" or both: by them the machine is known when it starts.");
    return 0;
}

int device_import(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[ACCESS_DEVICE_ID_MAX];
    int r = check_body(site, body);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = import_body(site, who, body, id);
    if (r == 0) /* also if it is in none of his collections */
        r = device_show(site, id, ret);
    if (r == 0 && !field_bool(body, "validate_only"))
        r = db_commit(&tx);
    return TRACE(r);
}

/* The object that a line stands for; a column without a name, or of an empty field, is left out. */
static int
put_line(const struct csv *csv, const json_t *columns, const char *collection, json_t **ret)
{
    OWN(json_freep) json_t *body = json_object();
    json_t *variables = json_object();

    if (json_object_set_new(body, "variables", variables) < 0)
        return ERR(-ENOMEM);
    if (collection)
        (void)json_object_set_new(body, "collection", json_string(collection));
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const char *column = json_string_value(json_array_get(columns, i));
        const char *field = csv_field(csv, i);
        json_t *value = column[0] && field[0] ? json_string(field) : NULL;

        if (!value)
            continue;
        if (strncmp(column, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) == 0)
            (void)json_object_set_new(variables, column + strlen(VARIABLE_PREFIX), value);
        else
            (void)json_object_set_new(body, column, value);
    }
    *ret = TAKE(body);
    return 0;
}

static int refuse_csv(struct site *site, const struct csv *csv)
{
    return refuse(
        site,
        REFUSAL_INVALID,
        "This is no CSV: a quote is missing or not at the edge of a field, or the line has "
        "more than %d fields or %d bytes (line %zu).",
        CSV_FIELDS_MAX,
        CSV_ROW_MAX_BYTES,
        csv->line);
}

static bool is_column(const char *name)
{
    static const char *const names[] = {"", "name", "mac", "smbios_uuid", "collection"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) == 0;
}

/* Names of variables know no upper and lower case. Columns without a name are left out in any case. */
static bool is_there(const json_t *columns, const char *name)
{
    for (size_t i = 0; name[0] && i < json_array_size(columns); i++)
        if (bytes_eq_nocase(bytes_of(json_string_value(json_array_get(columns, i))), name))
            return true;
    return false;
}

/* The first line. */
static int read_columns(struct site *site, struct csv *csv, json_t *ret)
{
    int r = csv_next(csv);

    if (r != CSV_ROW)
        return r == 0 ? refuse(site, REFUSAL_INVALID, "The file is empty.") : refuse_csv(site, csv);
    for (size_t i = 0; i < csv->n_fields; i++) {
        const char *name = csv_field(csv, i);

        if (!is_column(name))
            return refuse(
                site,
                REFUSAL_INVALID,
                "The first line names the columns, separated by commas, and \"%.100s\" is "
                "none: name, mac, smbios_uuid, collection, variable.NAME, or nothing.",
                name);
        if (is_there(ret, name))
            return refuse(
                site, REFUSAL_INVALID, "The first line names the column \"%.100s\" twice.", name);
        if (json_array_append_new(ret, json_string(name)) < 0)
            return refuse(site, REFUSAL_INVALID, "The first line is not UTF-8.");
    }
    return 0;
}

/* What stands behind the last column would be lost; what is missing at the end is empty. */
static int check_width(struct site *site, const struct csv *csv, size_t n_columns)
{
    if (csv->n_fields <= n_columns)
        return 0;
    return refuse(
        site,
        REFUSAL_INVALID,
        "The line has %zu fields, the first line %zu; a comma in a field needs quotes around "
        "the field.",
        csv->n_fields,
        n_columns);
}

/* One line; what is refused is added to @errors. */
static int import_line(struct site *site,
                       const char *who,
                       const struct csv *csv,
                       size_t n_columns,
                       const json_t *body,
                       json_t *errors)
{
    char id[ACCESS_DEVICE_ID_MAX];
    int r = check_width(site, csv, n_columns);

    if (r == 0)
        r = check_body(site, body);
    if (r == 0)
        r = import_body(site, who, body, id);
    if (r != SITE_E_REFUSED)
        return TRACE(r);
    if (json_array_size(errors) < ERRORS_SHOWN)
        (void)json_array_append_new(errors,
                                    json_pack("{s:I,s:s,s:s}",
                                              "line",
                                              (json_int_t)csv->line,
                                              "error_id",
                                              refusal_error_id(site->refusal.id),
                                              "detail",
                                              site->refusal.detail));
    return 0;
}

static int import_lines(
    struct site *site, const char *who, const json_t *request, json_t *errors, size_t *ret_n)
{
    OWN(csv_fini)
    struct csv csv = {.rest = bytes_of(field_text(request, "csv", ""))};
    OWN(json_freep) json_t *columns = json_array();
    int r = read_columns(site, &csv, columns);

    *ret_n = 0;
    while (r == 0 && (r = csv_next(&csv)) == CSV_ROW) {
        OWN(json_freep) json_t *body = NULL;

        if (++*ret_n > DEVICE_IMPORT_LINES_MAX)
            return refuse(
                site, REFUSAL_INVALID, "The file has more than %d lines.", DEVICE_IMPORT_LINES_MAX);
        r = put_line(&csv, columns, field_text(request, "collection", NULL), &body);
        if (r == 0)
            r = import_line(site, who, &csv, json_array_size(columns), body, errors);
    }
    return r == CSV_E_WRONG ? refuse_csv(site, &csv) : TRACE(r);
}

int device_import_file(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"csv", FIELD_TEXT, true, 1, DEVICE_IMPORT_FILE_MAX_BYTES, NULL},
        {"collection", FIELD_TEXT, false, 1, NAME_MAX_BYTES, NULL},
        {"validate_only", FIELD_BOOL, false, 0, 0, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *errors = json_array();
    bool is_wanted = !field_bool(body, "validate_only");
    size_t n = 0;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = import_lines(site, who, body, errors, &n);
    is_wanted = is_wanted && json_array_size(errors) == 0;
    if (r == 0 && is_wanted)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:I,s:b,s:O}",
                     "n_devices",
                     (json_int_t)n,
                     "is_imported",
                     (int)is_wanted,
                     "errors",
                     errors);
    return *ret ? 0 : ERR(-ENOMEM);
}
