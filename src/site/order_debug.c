/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order_debug.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/deployment.h"
#include "site/fields.h"
#include "site/order_wish.h"
#include "site/rows.h"

#define KEPT_US (UINT64_C(3600) * 1000000)

enum direction {
    TO_DEVICE = 0,
    FROM_DEVICE = 1,
};

static const struct field of_device[] = {
    {"after", FIELD_NUMBER, true, 0, INT64_MAX, NULL},
    {"messages", FIELD_ARRAY, true, 0, ORDER_DEBUG_MESSAGES_MAX, NULL},
    {"is_wanted", FIELD_BOOL, false, 0, 0, NULL},
    {0},
};

static const struct field of_admin[] = {
    {"after", FIELD_NUMBER, true, 0, INT64_MAX, NULL},
    {"messages", FIELD_ARRAY, true, 0, ORDER_DEBUG_MESSAGES_MAX, NULL},
    {0},
};

static int
check(struct site *site, const json_t *body, const struct field *fields, enum refusal_id id)
{
    static const struct field of_message[] = {
        {"number", FIELD_NUMBER, true, 1, INT64_MAX, NULL},
        {0},
    };
    const json_t *messages = json_object_get(body, "messages");
    int r = fields_check(site, body, fields, false, id);

    for (size_t i = 0; r == 0 && i < json_array_size(messages); i++)
        r = fields_check(site, json_array_get(messages, i), of_message, true, id);
    return TRACE(r);
}

static int
keep(struct site *site, const char *order_id, enum direction direction, const json_t *message)
{
    OWN(freep) char *text = json_dumps(message, JSON_COMPACT);
    int r;

    if (!text)
        return ERR(-ENOMEM);
    if (strlen(text) > ORDER_DEBUG_MESSAGE_MAX_BYTES)
        return refuse(site, REFUSAL_INVALID, "A message to or from a debugger is too large.");
    r = db_must(site->db,
                SQL_DEBUG_MESSAGE_ADD,
                DB_ARGS(db_text(order_id),
                        db_u64(direction),
                        db_u64(field_number(message, "number", 0)),
                        db_text(text),
                        db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    return TRACE(
        db_must(site->db,
                SQL_DEBUG_MESSAGE_TRIM,
                DB_ARGS(db_text(order_id), db_u64(direction), db_u64(ORDER_DEBUG_KEPT_MAX))));
}

static int list(struct site *site,
                const char *order_id,
                enum direction direction,
                const json_t *body,
                json_t **ret)
{
    return TRACE(rows_array(site->db,
                            SQL_DEBUG_MESSAGE_LIST,
                            DB_ARGS(db_text(order_id),
                                    db_u64(direction),
                                    db_u64(field_number(body, "after", 0)),
                                    db_u64(ORDER_DEBUG_MESSAGES_MAX)),
                            ret));
}

static int
keep_all(struct site *site, const char *order_id, enum direction direction, const json_t *body)
{
    const json_t *messages = json_object_get(body, "messages");
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(messages); i++)
        r = keep(site, order_id, direction, json_array_get(messages, i));
    return TRACE(r);
}

/* A variable of the device, or the sequence itself, wants the debugger: as an administrator may enable it. */
static int enable_by_device(struct site *site,
                            const char *device_id,
                            const char *order_id,
                            struct order_now *now)
{
    int r = db_must(site->db, SQL_ORDER_DEBUG, DB_ARGS(db_text(order_id)));

    if (r < 0)
        return TRACE(r);
    now->is_debug = true;
    return TRACE(site_audit(site, device_id, "order.debug-enable", order_id, device_id));
}

int order_debug_device(struct site *site,
                       const char *device_id,
                       const char *order_id,
                       const json_t *body,
                       json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *messages = NULL;
    struct order_now now = {0};
    int r = check(site, body, of_device, REFUSAL_CLIENT_INVALID);

    if (r == 0)
        r = order_now_load(site, device_id, order_id, &now);
    if (r != 0)
        return TRACE(r);
    if (now.is_over)
        return refuse(
            site, REFUSAL_ORDER_OVER, "The order is over at the site: the device must stop.");
    r = db_begin(site->db, &tx);
    if (r == 0 && !now.is_debug && field_bool(body, "is_wanted"))
        r = enable_by_device(site, device_id, order_id, &now);
    if (r == 0 && now.is_debug)
        r = keep_all(site, order_id, FROM_DEVICE, body);
    if (r == 0)
        r = db_must(site->db, SQL_ORDER_HEARD, DB_ARGS(db_text(order_id), db_u64(site->now_us)));
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        r = list(site, order_id, TO_DEVICE, body, &messages);
    if (r == 0)
        r = order_wish_put(&now, ret);
    if (r != 0)
        return TRACE(r);
    return json_object_set(*ret, "messages", messages) < 0 ? ERR(-ENOMEM) : 0;
}

/* Who sent what, without what may be secret: values and what is typed into a shell. */
static int audit(struct site *site, const char *who, const char *order_id, const json_t *body)
{
    const json_t *messages = json_object_get(body, "messages");
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(messages); i++) {
        const char *command = field_text(json_array_get(messages, i), "command", "");

        if (strcmp(command, "shell-input") != 0)
            r = site_audit(site, who, "order.debug", order_id, command);
    }
    return TRACE(r);
}

static int find(struct site *site, const struct order_debug_call *call, struct order_key *ret)
{
    int r = order_key_find(site, call->deployment_id, call->device, ret);

    if (r != 0)
        return TRACE(r);
    if (!ret->is_debug)
        return refuse(
            site,
            REFUSAL_NO_DEBUG,
            "The deployment \"%.100s\" was not made for debugging, and nobody has enabled it for "
            "the device \"%.100s\".",
            call->deployment_id,
            call->device);
    return 0;
}

int order_debug_admin(struct site *site,
                      const struct order_debug_call *call,
                      const json_t *body,
                      json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *messages = NULL;
    struct order_key key = {0};
    int r = check(site, body, of_admin, REFUSAL_INVALID);

    if (r == 0)
        r = find(site, call, &key);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0 && !key.is_over)
        r = keep_all(site, key.order_id, TO_DEVICE, body);
    if (r == 0 && !key.is_over)
        r = audit(site, call->who, key.order_id, body);
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        r = list(site, key.order_id, FROM_DEVICE, body, &messages);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:O, s:b}", "messages", messages, "is_over", (int)key.is_over);
    return *ret ? 0 : ERR(-ENOMEM);
}

int order_debug_enable(struct site *site, const struct order_debug_call *call, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    struct order_key key = {0};
    int r = order_key_find_running(site, call->deployment_id, call->device, &key);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = db_must(site->db, SQL_ORDER_DEBUG, DB_ARGS(db_text(key.order_id)));
    if (r == 0)
        r = site_audit(site, call->who, "order.debug-enable", key.order_id, key.device_id);
    if (r == 0)
        r = db_commit(&tx);
    return r != 0 ? TRACE(r) : TRACE(deployment_get(site, call->deployment_id, ret));
}

int order_debug_tick(struct site *site)
{
    return TRACE(
        db_must(site->db, SQL_DEBUG_MESSAGE_EXPIRE, DB_ARGS(db_u64(site->now_us - KEPT_US))));
}
