/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/machine_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/device.h"
#include "site/refusal.h"
#include "site/rows.h"
#include "site/site.h"
#include "ts/facts.h"
#include "ts/facts_json.h"
#include "ts/vars.h"

enum {
    WHY_MAX_BYTES = 256,
};

static void fini_file(struct ts_facts_file *file)
{
    ts_table_free(file->table);
    ts_vars_free(file->vars);
}

static bool has_few_properties(json_t *classes)
{
    const char *name;
    json_t *instances;

    json_object_foreach(classes, name, instances)
    {
        for (size_t i = 0; i < json_array_size(instances); i++)
            if (json_object_size(json_array_get(instances, i)) > MACHINE_FACTS_PROPERTIES_MAX)
                return false;
    }
    return true;
}

/* Only what the engine says of a computer, and not what the site itself says of it. */
static bool has_variables_of_computer(json_t *variables)
{
    const char *name;
    json_t *value;

    json_object_foreach(variables, name, value)
    {
        if (name[0] != '_' || bytes_eq_nocase(bytes_of(name), "_SMSTSMachineName"))
            return false;
    }
    return json_object_size(variables) <= MACHINE_FACTS_VARIABLES_MAX;
}

static int check(const json_t *facts, struct ts_facts_file *ret, struct buf *why)
{
    json_t *classes = json_object_get(facts, "classes");

    if (json_object_size(classes) > MACHINE_FACTS_CLASSES_MAX || !has_few_properties(classes)) {
        buf_adds(why, "there are too many classes or properties");
        return TS_FACTS_E_MALFORMED;
    }
    if (!has_variables_of_computer(json_object_get(facts, "variables"))) {
        buf_adds(why, "a variable is none of the computer's");
        return TS_FACTS_E_MALFORMED;
    }
    return TRACE(ts_facts_read(facts, ret, why));
}

/* Files, folders, registry and software are of the system that runs there: none that a deployment will meet. */
static int write_text(const struct ts_facts_file *file, char **ret)
{
    static const char *const others[] = {"files", "folders", "registry", "software"};
    OWN(json_freep) json_t *json = NULL;
    int r = ts_facts_json(file, &json);

    if (r < 0)
        return TRACE(r);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        (void)json_object_del(json, others[i]);
    *ret = json_dumps(json, JSON_COMPACT);
    return *ret ? 0 : ERR(-ENOMEM);
}

int machine_facts_check(struct site *site, const json_t *registration, char **ret)
{
    const json_t *facts = json_object_get(registration, "facts");
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    OWN(fini_file) struct ts_facts_file file = {0};
    OWN(freep) char *text = NULL;
    int r;

    *ret = NULL;
    if (!facts || json_is_null(facts))
        return 0;
    r = check(facts, &file, &why);
    if (r == 0)
        r = write_text(&file, &text);
    if (r < 0)
        return TRACE(r);
    if (r == 0 && text && strlen(text) > TS_FACTS_REGISTERED_MAX_BYTES) {
        buf_adds(&why, "it is too large");
        r = TS_FACTS_E_MALFORMED;
    }
    if (r > 0)
        return refuse(
            site, REFUSAL_CLIENT_INVALID, "\"facts\" is not what it should be: %s.", buf_str(&why));
    *ret = TAKE(text);
    return 0;
}

int machine_facts_keep(struct site *site, const char *device_id, const char *text)
{
    if (!text)
        return TRACE(db_must(site->db, SQL_MACHINE_FACTS_DROP, DB_ARGS(db_text(device_id))));
    return TRACE(db_must(site->db,
                         SQL_MACHINE_FACTS_PUT,
                         DB_ARGS(db_text(device_id), db_text(text), db_u64(site->now_us))));
}

/* What the site adds to either: the name, and where the rest is from. */
static int put_origin(json_t *facts, const json_t *row, bool is_registered)
{
    json_t *variables = json_object_get(facts, "variables");

    if (json_object_set_new(
            facts, "source", json_string(is_registered ? "registration" : "inventory")) < 0 ||
        json_object_set(facts, "registered_at", json_object_get(row, "registered_at")) < 0 ||
        json_object_set(variables, "_SMSTSMachineName", json_object_get(row, "name")) < 0)
        return ERR(-ENOMEM);
    return 0;
}

int machine_facts_get(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *row = NULL;
    OWN(json_freep) json_t *facts = NULL;
    char id[ACCESS_DEVICE_ID_MAX];
    bool is_registered;
    int r = device_find(site, which, id);

    if (r == 0)
        r = rows_one(site->db, SQL_MACHINE_FACTS_GET, DB_ARGS(db_text(id)), &row);
    if (r != 0)
        return TRACE(r);
    is_registered = json_is_object(json_object_get(row, "facts"));
    if (is_registered)
        facts = json_incref(json_object_get(row, "facts"));
    else
        r = machine_facts_of_inventory(json_object_get(row, "inventory"), &facts);
    if (r == 0)
        r = put_origin(facts, row, is_registered);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(facts);
    return 0;
}
