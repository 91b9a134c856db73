/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/fields.h"
#include "site/order_wish.h"
#include "site/rows.h"

static int invalid(struct site *site, const char *what)
{
    return refuse(site, REFUSAL_CLIENT_INVALID, "The state is not what it should be: %s.", what);
}

/* Names with texts; a name that is in "secrets" has none. */
static int check_variables(struct site *site, const json_t *body)
{
    json_t *variables = json_object_get(body, "variables");
    const json_t *secrets = json_object_get(body, "secrets");
    const char *name;
    json_t *value;

    if (json_object_size(variables) > ORDER_STATE_VARIABLES_MAX)
        return invalid(site, "too many variables");
    json_object_foreach(variables, name, value)
    {
        if (!json_is_string(value))
            return invalid(site, "a variable is no text");
    }
    for (size_t i = 0; i < json_array_size(secrets); i++) {
        const char *secret = json_string_value(json_array_get(secrets, i));

        if (!secret || json_object_get(variables, secret))
            return invalid(site, "a secret variable has a value");
    }
    return 0;
}

static int check(struct site *site, const json_t *body)
{
    static const struct field fields[] = {
        {"version", FIELD_NUMBER, true, 1, 1, NULL},
        {"seq", FIELD_NUMBER, true, 0, INT64_MAX, NULL},
        {"phase", FIELD_CHOICE, true, 0, 0, "boot-image|full-os"},
        {"next", FIELD_OBJECT, true, 0, 0, NULL},
        {"variables", FIELD_OBJECT, true, 0, 0, NULL},
        {"secrets", FIELD_ARRAY, true, 0, ORDER_STATE_VARIABLES_MAX, NULL},
        {0},
    };
    int r = fields_check(site, body, fields, true, REFUSAL_CLIENT_INVALID);

    return r != 0 ? TRACE(r) : TRACE(check_variables(site, body));
}

int order_state_put(struct site *site,
                    const char *device_id,
                    const char *order_id,
                    const json_t *body,
                    json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(freep) char *text = NULL;
    struct order_now now = {0};
    int r = check(site, body);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = order_now_load(site, device_id, order_id, &now);
    if (r != 0)
        return TRACE(r);
    if (now.is_over)
        return refuse(
            site, REFUSAL_ORDER_OVER, "The order is over at the site: the device must stop.");
    text = json_dumps(body, JSON_COMPACT);
    if (!text)
        return ERR(-ENOMEM);
    if (strlen(text) > ORDER_STATE_MAX_BYTES)
        return invalid(site, "it is too large");
    r = db_must(site->db,
                SQL_ORDER_STATE_PUT,
                DB_ARGS(db_text(order_id),
                        db_u64(field_number(body, "seq", 0)),
                        db_u64(site->now_us),
                        db_text(text)));
    if (r == 0)
        r = db_commit(&tx);
    return r < 0 ? TRACE(r) : TRACE(order_wish_put(&now, ret));
}

int order_state_load(struct site *site, const char *order_id, json_t **ret)
{
    OWN(json_freep) json_t *row = NULL;
    int r = rows_one(site->db, SQL_ORDER_STATE_GET, DB_ARGS(db_text(order_id)), &row);

    if (r < 0)
        return TRACE(r);
    *ret = json_incref(json_object_get(row, "state"));
    return 0;
}

int order_state_get(struct site *site, const char *deployment_id, const char *device, json_t **ret)
{
    OWN(json_freep) json_t *row = NULL;
    struct order_key key;
    int r = order_key_find(site, deployment_id, device, &key);

    if (r != 0)
        return TRACE(r);
    r = rows_one(site->db, SQL_ORDER_STATE_GET, DB_ARGS(db_text(key.order_id)), &row);
    if (r < 0)
        return TRACE(r);
    if (!row)
        return refuse(
            site, REFUSAL_NO_ORDER, "The device \"%.100s\" has not told its state yet.", device);
    *ret = TAKE(row);
    return 0;
}

/* The end of a log that is too long, from the beginning of a line. */
static struct bytes end_of(struct bytes text)
{
    const uint8_t *line;

    if (text.len <= ORDER_LOG_MAX_BYTES)
        return text;
    text.ptr += text.len - ORDER_LOG_MAX_BYTES;
    text.len = ORDER_LOG_MAX_BYTES;
    line = memchr(text.ptr, '\n', text.len);
    if (line) {
        text.len -= (size_t)(line + 1 - text.ptr);
        text.ptr = line + 1;
    }
    return text;
}

/* As JSON has it: valid UTF-8 without NUL, otherwise '?' for each byte that is none. */
static int to_text(struct bytes text, char **ret)
{
    OWN(json_freep) json_t *whole = NULL;
    char *copy = malloc(text.len + 1);

    if (!copy)
        return ERR(-ENOMEM);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    for (size_t i = 0; i < text.len; i++)
        if (copy[i] == '\0')
            copy[i] = '?';
    whole = json_string(copy);
    for (size_t i = 0; !whole && i < text.len; i++)
        if ((copy[i] & 0x80) != 0)
            copy[i] = '?';
    *ret = copy;
    return 0;
}

int order_log_put(struct site *site,
                  const char *device_id,
                  const char *order_id,
                  const char *number,
                  struct bytes text)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(freep) char *kept = NULL;
    struct order_now now = {0};
    uint64_t n = 0;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = order_now_load(site, device_id, order_id, &now);
    if (r != 0)
        return TRACE(r);
    if (!bytes_parse_u64(bytes_of(number), 0, INT64_MAX, &n))
        return refuse(site, REFUSAL_CLIENT_INVALID, "The log's number is none.");
    if (now.is_over)
        return refuse(site, REFUSAL_ORDER_OVER, "The order is over at the site.");
    r = to_text(end_of(text), &kept);
    if (r < 0)
        return TRACE(r);
    r = db_must(site->db,
                SQL_ORDER_LOG_PUT,
                DB_ARGS(db_text(order_id), db_u64(site->now_us), db_text(kept)));
    if (r == 0)
        r = db_must(site->db, SQL_ORDER_LOG_SENT, DB_ARGS(db_text(order_id), db_u64(n)));
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int order_log_want(
    struct site *site, const char *who, const char *deployment_id, const char *device, json_t **ret)
{
    struct order_key key;
    int r = order_key_find(site, deployment_id, device, &key);

    if (r != 0)
        return TRACE(r);
    if (key.is_over) /* what it sent last is all there will be */
        return TRACE(order_log_get(site, deployment_id, device, ret));
    r = db_must(site->db, SQL_ORDER_LOG_WANT, DB_ARGS(db_text(key.order_id)));
    if (r == 0)
        r = site_audit(site, who, "order.log", key.order_id, key.device_id);
    return r < 0 ? TRACE(r) : TRACE(order_log_get(site, deployment_id, device, ret));
}

int order_log_get(struct site *site, const char *deployment_id, const char *device, json_t **ret)
{
    OWN(json_freep) json_t *row = NULL;
    struct order_key key;
    int r = order_key_find(site, deployment_id, device, &key);

    if (r != 0)
        return TRACE(r);
    r = rows_one(site->db, SQL_ORDER_LOG_GET, DB_ARGS(db_text(key.order_id)), &row);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(row);
    return 0;
}
