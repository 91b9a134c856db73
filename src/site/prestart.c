/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/prestart.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/boot_decision.h"
#include "site/boot_target.h"
#include "site/fields.h"
#include "site/variable.h"
#include "ts/step_types.h"

#define PREFERRED "SMSTSPreferredAdvertID"

int prestart_is_set(struct site *site, const char *boot_image_id, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_PRESTART_COMMAND, DB_ARGS(db_text(boot_image_id)), &rows);

    *ret = r == DB_ROW && db_get_text(&rows, 0)[0] != '\0';
    return r < 0 ? TRACE(r) : 0;
}

int prestart_is_any(struct site *site, const char *boot_image_id, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_PRESTART_ANY, DB_ARGS(db_text(boot_image_id)), &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

static int forget(struct site *site, const char *device_id)
{
    int r = db_run(site->db, SQL_PRESTART_DROP, DB_ARGS(db_text(device_id)), NULL);

    return r < 0 ? TRACE(r)
                 : TRACE(db_run(
                       site->db, SQL_PRESTART_VARIABLE_DROP, DB_ARGS(db_text(device_id)), NULL));
}

int prestart_open(struct site *site, const char *device_id, const char *boot_image_id, bool *ret)
{
    int r = forget(site, device_id);

    *ret = false;
    if (r == 0)
        r = prestart_is_set(site, boot_image_id, ret);
    if (r < 0 || !*ret)
        return TRACE(r);
    return TRACE(
        db_must(site->db, SQL_PRESTART_ADD, DB_ARGS(db_text(device_id), db_text(boot_image_id))));
}

int prestart_ask(struct site *site, const char *device_id, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_PRESTART_GET, DB_ARGS(db_text(device_id)), &rows);

    *ret = NULL;
    if (r != DB_ROW || !db_get_text(&rows, 0)[0]) /* it may have been taken away meanwhile */
        return r < 0 ? TRACE(r) : 0;
    *ret = json_pack("{s:s,s:s}", "state", "prestart", "command", db_get_text(&rows, 0));
    return *ret ? 0 : ERR(-ENOMEM);
}

int prestart_forget_order(struct site *site, const char *order_id)
{
    return TRACE(
        db_run(site->db, SQL_PRESTART_VARIABLE_DROP_OF_ORDER, DB_ARGS(db_text(order_id)), NULL));
}

static int keep_one(struct site *site, const char *device_id, const char *name, const json_t *value)
{
    const char *text = json_string_value(value);
    int r;

    if (!text || strlen(text) != json_string_length(value))
        return refuse(site, REFUSAL_VARIABLE, "The value of %.100s is no text.", name);
    r = variable_check(site, name, text);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_PRESTART_VARIABLE_ADD,
                         DB_ARGS(db_text(device_id),
                                 db_text(name),
                                 db_text(text),
                                 db_u64(ts_name_is_secret(name) ? 1 : 0))));
}

/* {"a": …, "A": …}: which of them counts nobody could say */
static bool is_said_twice(json_t *variables, const char *name)
{
    const char *other;
    json_t *value;
    size_t n = 0;

    json_object_foreach(variables, other, value) n += strcasecmp(other, name) == 0 ? 1 : 0;
    return n > 1;
}

static int keep(struct site *site, const char *device_id, json_t *variables)
{
    const char *name;
    json_t *value;
    int r = 0;

    if (json_object_size(variables) > PRESTART_VARIABLES_MAX)
        return refuse(site,
                      REFUSAL_VARIABLE,
                      "The prestart command has set more than %d variables.",
                      (int)PRESTART_VARIABLES_MAX);
    json_object_foreach(variables, name, value)
    {
        if (r == 0 && is_said_twice(variables, name))
            r = refuse(site, REFUSAL_VARIABLE, "%.100s is there twice.", name);
        if (r == 0)
            r = keep_one(site, device_id, name, value);
    }
    return TRACE(r);
}

/* Who has asked for one deployment gets no other one in its place. */
static int check_preferred(struct site *site, const char *device_id, const char *wanted)
{
    enum deployment_verdict verdict;
    uint64_t changes_us;
    int r = boot_target_judge(site, device_id, wanted, &verdict, &changes_us);

    if (r < 0 || verdict == DEPLOYMENT_OPEN)
        return TRACE(r);
    if (verdict == DEPLOYMENT_NOT_REACHED)
        return refuse(
            site,
            REFUSAL_PREFERRED,
            "SMSTSPreferredAdvertID names the deployment \"%.32s\", which does not exist, "
            "or does not reach this computer.",
            wanted);
    return refuse(site,
                  REFUSAL_PREFERRED,
                  "SMSTSPreferredAdvertID names the deployment \"%.32s\", which this computer "
                  "cannot begin now: %s.",
                  wanted,
                  boot_target_word(verdict));
}

static const char *preferred_of(json_t *variables)
{
    const char *name;
    json_t *value;

    json_object_foreach(variables, name, value)
    {
        if (strcasecmp(name, PREFERRED) == 0)
            return json_string_value(value);
    }
    return "";
}

static int check_waits(struct site *site, const char *device_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_PRESTART_GET, DB_ARGS(db_text(device_id)), &rows);

    if (r == DB_ROW)
        return 0;
    return r < 0 ? TRACE(r)
                 : refuse(site,
                          REFUSAL_NOT_ASKED,
                          "No prestart command is to be run on this computer.");
}

/* Whoever looks for it finds it with explain-boot. */
static int note(struct site *site, const char *device_id, uint64_t code)
{
    char detail[96];

    (void)snprintf(detail,
                   sizeof(detail),
                   "The prestart command of its boot image ended with exit code %u.",
                   (unsigned)code);
    return TRACE(boot_event_add_device(site, device_id, "prestart", detail));
}

static int take(struct site *site, const char *device_id, const json_t *body)
{
    json_t *variables = json_object_get(body, "variables");
    uint64_t code = field_number(body, "exit_code", 0);
    const char *preferred = preferred_of(variables);
    int r = check_waits(site, device_id);

    if (r == 0)
        r = note(site, device_id, code);
    if (r == 0)
        r = site_audit(site, device_id, "deployment.prestart", device_id, "");
    if (r != 0 || code != 0)
        return TRACE(r);
    r = forget(site, device_id);
    if (r == 0)
        r = keep(site, device_id, variables);
    if (r == 0 && preferred && preferred[0])
        r = check_preferred(site, device_id, preferred);
    return TRACE(r);
}

int prestart_take(struct site *site, const char *device_id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"exit_code", FIELD_NUMBER, true, 0, INT_MAX, NULL},
        {"variables", FIELD_OBJECT, false, 0, 0, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = fields_check(site, body, fields, false, REFUSAL_CLIENT_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = take(site, device_id, body);
    if (r == 0)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    *ret = json_object();
    return *ret ? 0 : ERR(-ENOMEM);
}
