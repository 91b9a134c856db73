/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/variable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/own.h"
#include "site/access.h"
#include "site/collection.h"
#include "site/device.h"
#include "site/fields.h"
#include "site/unknown.h"
#include "ts/settings.h"
#include "ts/step_types.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_vars *, ts_vars_free);

enum {
    ID_MAX = ACCESS_DEVICE_ID_MAX, /* a collection's is shorter */
    BODY_VALUE_MAX_BYTES = 4 * TS_VAR_SEQUENCE_VALUE_MAX,
};

static const struct {
    enum db_sql set;
    enum db_sql remove;
    enum db_sql list;
    enum db_sql get;
    enum db_sql room;
    const char *noun;
    const char *set_action; /* of the audit log */
    const char *remove_action;
} owners[] = {
    [VARIABLE_OF_COLLECTION] = {SQL_COLLECTION_VARIABLE_SET,
                                SQL_COLLECTION_VARIABLE_REMOVE,
                                SQL_COLLECTION_VARIABLE_LIST,
                                SQL_COLLECTION_VARIABLE_GET,
                                SQL_COLLECTION_VARIABLE_ROOM,
                                "collection",
                                "collection.set-variable",
                                "collection.remove-variable"},
    [VARIABLE_OF_DEVICE] = {SQL_DEVICE_VARIABLE_SET,
                            SQL_DEVICE_VARIABLE_REMOVE,
                            SQL_DEVICE_VARIABLE_LIST,
                            SQL_DEVICE_VARIABLE_GET,
                            SQL_DEVICE_VARIABLE_ROOM,
                            "device",
                            "device.set-variable",
                            "device.remove-variable"},
};

static int
find(struct site *site, enum variable_owner owner, const char *which, char id[static ID_MAX])
{
    return owner == VARIABLE_OF_DEVICE ? TRACE(device_find(site, which, id))
                                       : TRACE(collection_find(site, which, id));
}

static size_t length_of(const char *utf8)
{
    size_t n = 0;

    for (; *utf8; utf8++)
        n += ((unsigned char)*utf8 & 0xc0) != 0x80;
    return n;
}

int variable_check(struct site *site, const char *name, const char *value)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    int r = ts_vars_new(&vars);

    if (r == 0)
        r = length_of(value) > TS_VAR_SEQUENCE_VALUE_MAX
                ? TS_VARS_E_LIMIT
                : ts_vars_set(vars, name, value, TS_BY_SITE);
    switch (r) {
    case TS_VARS_E_NAME:
        return refuse(
            site,
            REFUSAL_VARIABLE,
            "\"%.100s\" is no name of a variable: a letter first, then letters, digits, _ "
            "and -, at most %d.",
            name,
            (int)TS_VAR_NAME_MAX);
    case TS_VARS_E_READ_ONLY:
        return refuse(site,
                      REFUSAL_VARIABLE,
                      "%.100s begins with _: such variables are set by the task sequence engine "
                      "only.",
                      name);
    case TS_VARS_E_LIMIT:
        return refuse(site,
                      REFUSAL_VARIABLE,
                      "The value of %.100s is longer than %d characters.",
                      name,
                      (int)TS_VAR_SEQUENCE_VALUE_MAX);
    default:
        return TRACE(r);
    }
}

/* There is room for it, or it is there. */
static int
check_room(struct site *site, enum variable_owner owner, const char *id, const char *name)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, owners[owner].room, DB_ARGS(db_text(id), db_text(name)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW && !db_get_bool(&rows, 0) && db_get_u64(&rows, 1) >= VARIABLES_MAX)
        return refuse(site,
                      REFUSAL_VARIABLE,
                      "The %s has %d variables, which is the most; remove one first.",
                      owners[owner].noun,
                      (int)VARIABLES_MAX);
    return 0;
}

static struct db_value secrecy_of(const json_t *body, const char *name)
{
    if (ts_name_is_secret(name))
        return db_u64(1);
    if (!json_is_boolean(json_object_get(body, "is_secret")))
        return db_null();
    return db_u64(field_bool(body, "is_secret") ? 1 : 0);
}

static int store(struct site *site,
                 enum variable_owner owner,
                 const char *who,
                 const char *id,
                 const json_t *body)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *name = field_text(body, "name", "");
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = check_room(site, owner, id, name);
    if (r == 0)
        r = db_must(site->db,
                    owners[owner].set,
                    DB_ARGS(db_text(id),
                            db_text(name),
                            db_text(field_text(body, "value", "")),
                            secrecy_of(body, name),
                            db_u64(site->now_us)));
    if (r == 0)
        r = site_audit(site, who, owners[owner].set_action, id, name);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

static int check_body(struct site *site, const json_t *body)
{
    static const struct field fields[] = {
        {"name", FIELD_TEXT, true, 1, TS_VAR_NAME_MAX, NULL},
        {"value", FIELD_TEXT, true, 0, BODY_VALUE_MAX_BYTES, NULL},
        {"is_secret", FIELD_BOOL, false, 0, 0, NULL},
        {0},
    };
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    return r == 0 ? TRACE(variable_check(
                        site, field_text(body, "name", ""), field_text(body, "value", "")))
                  : TRACE(r);
}

int variable_give(struct site *site, const char *who, const char *id, const json_t *body)
{
    int r = check_body(site, body);

    return r == 0 ? TRACE(store(site, VARIABLE_OF_DEVICE, who, id, body)) : TRACE(r);
}

int variable_set(struct site *site,
                 enum variable_owner owner,
                 const char *who,
                 const char *which,
                 const json_t *body,
                 json_t **ret)
{
    const char *name = field_text(body, "name", "");
    char id[ID_MAX];
    int r = check_body(site, body);

    if (r == 0)
        r = find(site, owner, which, id);
    if (r == 0)
        r = store(site, owner, who, id, body);
    if (r == 0)
        r = rows_one(site->db, owners[owner].get, DB_ARGS(db_text(id), db_text(name)), ret);
    return TRACE(r);
}

int variable_remove(struct site *site,
                    enum variable_owner owner,
                    const char *who,
                    const char *which,
                    const char *name)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    uint64_t n_changes = 0;
    char id[ID_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = find(site, owner, which, id);
    if (r == 0)
        r = db_run(site->db, owners[owner].remove, DB_ARGS(db_text(id), db_text(name)), &n_changes);
    if (r == 0 && n_changes == 0)
        return refuse(site,
                      REFUSAL_MISSING,
                      "The %s %.100s has no variable \"%.100s\".",
                      owners[owner].noun,
                      which,
                      name);
    if (r == 0)
        r = site_audit(site, who, owners[owner].remove_action, id, name);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int variable_list(struct site *site, enum variable_owner owner, const char *which, json_t **ret)
{
    json_t *list = NULL;
    char id[ID_MAX];
    int r = find(site, owner, which, id);

    if (r == 0)
        r = rows_array(site->db, owners[owner].list, DB_ARGS(db_text(id)), &list);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:o}", "items", list);
    return *ret ? 0 : ERR(-ENOMEM);
}

/* @rows: as the database has them. @ret: borrows from it; owned by the caller. */
static int read_settings(const json_t *rows, struct ts_setting **ret)
{
    struct ts_setting *settings = calloc(json_array_size(rows) + 1, sizeof(*settings));

    if (!settings)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        settings[i] = (struct ts_setting){
            .source = (enum ts_source)field_number(row, "source", TS_FROM_COLLECTION),
            .priority = (unsigned)field_number(row, "priority", 0),
            .name = field_text(row, "name", ""),
            .value = field_text(row, "value", ""),
            .is_secret = field_bool(row, "is_secret"),
        };
    }
    *ret = settings;
    return 0;
}

/*
 * Its collections', as one of the unknown computers too, its own, and what was typed for @deployment_id ("": nothing). @of_start: and what
 * its boot image's prestart command has set
 */
static int read_rows(struct site *site,
                     const char *device_id,
                     const char *deployment_id,
                     bool of_start,
                     json_t **ret)
{
    char record[UNKNOWN_RECORD_MAX];
    bool is_unknown = false;
    int r = unknown_record(site, device_id, NULL, record, &is_unknown);

    return r < 0 ? TRACE(r)
                 : TRACE(rows_array(site->db,
                                    SQL_VARIABLE_SETTINGS,
                                    DB_ARGS(db_text(device_id),
                                            db_text(record),
                                            db_text(deployment_id),
                                            db_u64(of_start ? 1 : 0)),
                                    ret));
}

/* Into @vars, by precedence. @deployment_id: NULL: what holds for any. @ret_rows: all that was looked at, the later before the earlier; owned by the caller. */
static int apply(struct site *site,
                 const char *device_id,
                 const char *deployment_id,
                 struct ts_vars *vars,
                 json_t **ret_rows)
{
    OWN(freep) struct ts_setting *settings = NULL;
    const struct ts_setting *refused = NULL;
    int r = read_rows(
        site, device_id, deployment_id ? deployment_id : "", deployment_id != NULL, ret_rows);

    if (r == 0)
        r = read_settings(*ret_rows, &settings);
    /* One that cannot be was refused when it was set; what is too much in all is left out. */
    if (r == 0)
        r = ts_settings_apply(settings, json_array_size(*ret_rows), vars, &refused);
    return TRACE(r);
}

/* The last row of that name is the one that counted. */
static const char *source_of(const json_t *rows, const char *name)
{
    for (size_t i = json_array_size(rows); i-- > 0;) {
        const json_t *row = json_array_get(rows, i);

        if (strcasecmp(field_text(row, "name", ""), name) == 0)
            return field_number(row, "source", 0) == TS_FROM_DEVICE ? "device"
                                                                    : field_text(row, "owner", "");
    }
    return "";
}

static int find_value(struct site *site,
                      const char *device_id,
                      const char *name,
                      bool of_start,
                      char *ret,
                      size_t cap)
{
    OWN(json_freep) json_t *rows = NULL;
    int r = read_rows(site, device_id, "", of_start, &rows);

    if (r < 0)
        return TRACE(r);
    ret[0] = '\0';
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        if (strcasecmp(field_text(row, "name", ""), name) == 0)
            (void)snprintf(ret, cap, "%s", field_text(row, "value", ""));
    }
    return 0;
}

int variable_find(struct site *site, const char *device_id, const char *name, char *ret, size_t cap)
{
    return TRACE(find_value(site, device_id, name, true, ret, cap));
}

int variable_find_kept(
    struct site *site, const char *device_id, const char *name, char *ret, size_t cap)
{
    return TRACE(find_value(site, device_id, name, false, ret, cap));
}

/* The last row of a name says its value; any of them that it is secret. */
static const json_t *last_of(const json_t *rows, const char *name, bool *ret_is_secret)
{
    const json_t *last = NULL;

    *ret_is_secret = ts_name_is_secret(name);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        if (strcasecmp(field_text(row, "name", ""), name) != 0)
            continue;
        *ret_is_secret = *ret_is_secret || field_bool(row, "is_secret");
        last = row;
    }
    return last;
}

static int by_name(const void *a, const void *b)
{
    const json_t *const *left = a;
    const json_t *const *right = b;

    return strcasecmp(field_text(*left, "name", ""), field_text(*right, "name", ""));
}

/* @rows: in the order of precedence. @ret: borrows those that count and have no value, by name; owned by the caller. */
static int find_empty(const json_t *rows, const json_t ***ret, size_t *ret_n)
{
    const json_t **found = calloc(json_array_size(rows) + 1, sizeof(const json_t *));
    bool is_secret;

    if (!found)
        return ERR(-ENOMEM);
    *ret_n = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        if (!field_text(row, "value", "")[0] &&
            last_of(rows, field_text(row, "name", ""), &is_secret) == row)
            found[(*ret_n)++] = row;
    }
    qsort(found, *ret_n, sizeof(const json_t *), by_name);
    *ret = found;
    return 0;
}

/* @value: NULL: it is asked for on the screen */
static json_t *
effective_json(const json_t *rows, const char *name, const char *value, bool is_secret)
{
    return json_pack("{s:s,s:s?,s:b,s:b,s:s}",
                     "name",
                     name,
                     "value",
                     is_secret ? NULL
                     : value   ? value
                               : "",
                     "is_secret",
                     (int)is_secret,
                     "is_asked",
                     (int)!value,
                     "source",
                     source_of(rows, name));
}

/* Those that are asked for, behind the others. */
static int add_asked(const json_t *rows, json_t *items)
{
    OWN(freep) const json_t **found = NULL;
    bool is_secret;
    size_t n = 0;
    int r = find_empty(rows, &found, &n);

    for (size_t i = 0; r == 0 && i < n && i < VARIABLES_ASKED_MAX; i++) {
        const char *name = field_text(found[i], "name", "");

        (void)last_of(rows, name, &is_secret);
        if (json_array_append_new(items, effective_json(rows, name, NULL, is_secret)) < 0)
            r = ERR(-ENOMEM);
    }
    return TRACE(r);
}

int variable_list_effective(struct site *site, const char *device, json_t **ret)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(json_freep) json_t *rows = NULL;
    OWN(json_freep) json_t *items = json_array();
    char id[ACCESS_DEVICE_ID_MAX];
    const char *name;
    const char *value;
    bool is_secret;
    int r = device_find(site, device, id);

    if (r == 0)
        r = ts_vars_new(&vars);
    if (r == 0)
        r = apply(site, id, NULL, vars, &rows);
    for (size_t i = 0; r == 0 && ts_vars_at(vars, i, &name, &value, &is_secret); i++)
        if (value[0] != '\0' &&
            json_array_append_new(items, effective_json(rows, name, value, is_secret)) < 0)
            r = ERR(-ENOMEM);
    if (r == 0)
        r = add_asked(rows, items);
    if (r == 0)
        *ret = json_pack("{s:O}", "items", items);
    return r == 0 && !*ret ? ERR(-ENOMEM) : TRACE(r);
}

int variable_list_asked(struct site *site, const char *device_id, json_t **ret)
{
    OWN(freep) const json_t **found = NULL;
    OWN(json_freep) json_t *rows = NULL;
    OWN(json_freep) json_t *list = json_array();
    bool is_secret;
    size_t n = 0;
    int r = device_id ? read_rows(site, device_id, "", true, &rows) : 0;

    if (r == 0)
        r = find_empty(rows, &found, &n);
    for (size_t i = 0; r == 0 && i < n && i < VARIABLES_ASKED_MAX; i++) {
        const char *name = field_text(found[i], "name", "");

        (void)last_of(rows, name, &is_secret);
        if (json_array_append_new(
                list, json_pack("{s:s,s:b}", "name", name, "is_secret", (int)is_secret)) < 0)
            r = ERR(-ENOMEM);
    }
    if (r == 0)
        *ret = TAKE(list);
    return TRACE(r);
}

int variable_put_order(struct site *site,
                       const char *device_id,
                       const char *deployment_id,
                       const char *device_name,
                       json_t **ret,
                       json_t **ret_secrets)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(json_freep) json_t *rows = NULL;
    OWN(json_freep) json_t *variables = json_object();
    OWN(json_freep) json_t *secrets = json_array();
    const char *name;
    const char *value;
    bool is_secret;
    int r = ts_vars_new(&vars);

    if (r == 0)
        r = ts_vars_set(vars, "_SMSTSMachineName", device_name, TS_BY_ENGINE);
    if (r == 0 && site->settings.organization)
        r = ts_vars_set(vars, "_SMSTSOrgName", site->settings.organization, TS_BY_ENGINE);
    if (r == 0)
        r = apply(site, device_id, deployment_id, vars, &rows);
    if (r != 0)
        return TRACE(r);
    for (size_t i = 0; ts_vars_at(vars, i, &name, &value, &is_secret); i++) {
        if (value[0] == '\0')
            continue;
        if (json_object_set_new(variables, name, json_string(value)) < 0 ||
            (is_secret && json_array_append_new(secrets, json_string(name)) < 0))
            return ERR(-ENOMEM);
    }
    *ret = TAKE(variables);
    *ret_secrets = TAKE(secrets);
    return 0;
}
