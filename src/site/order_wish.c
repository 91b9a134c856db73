/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order_wish.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/deployment.h"
#include "site/device.h"
#include "site/fields.h"

#define TOKEN_US    (UINT64_C(24) * 3600 * 1000000)
#define US_PER_S    UINT64_C(1000000)
#define WHILE_IT_IS "While it is wanted, it cannot be taken back; deploy again to run it again."

int order_now_load(struct site *site,
                   const char *device_id,
                   const char *order_id,
                   struct order_now *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(
        site->db, SQL_ORDER_FOR_STATUS, DB_ARGS(db_text(order_id), db_text(device_id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site,
                      REFUSAL_ORDER_MISSING,
                      "This device was never given the order \"%.100s\".",
                      order_id);
    *ret = (struct order_now){
        .is_over = strcmp(db_get_text(&rows, 0), "in-progress") != 0,
        .last_seq = db_get_u64(&rows, 1),
        .is_cancelled = db_get_bool(&rows, 2),
        .applies_image = db_get_bool(&rows, 3),
        .is_paused = strcmp(db_get_text(&rows, 4), "pause") == 0,
        .pause_until_us = db_get_u64(&rows, 5),
        .is_debug = db_get_bool(&rows, 8),
    };
    if (db_get_u64(&rows, 6) > db_get_u64(&rows, 7))
        ret->log_wanted = db_get_u64(&rows, 6);
    return 0;
}

int order_wish_put(const struct order_now *now, json_t **ret)
{
    bool is_paused = now->is_paused && !now->is_cancelled;

    *ret = json_pack("{s:b, s:s, s:o, s:I, s:b}",
                     "is_cancelled",
                     (int)now->is_cancelled,
                     "wish",
                     now->is_cancelled ? "cancel"
                     : is_paused       ? "pause"
                                       : "run",
                     "pause_until_us",
                     is_paused && now->pause_until_us > 0
                         ? json_integer((json_int_t)now->pause_until_us)
                         : json_null(),
                     "log_wanted",
                     (json_int_t)now->log_wanted,
                     "is_debug",
                     (int)now->is_debug);
    return *ret ? 0 : ERR(-ENOMEM);
}

int order_wish_get(struct site *site, const char *device_id, const char *order_id, json_t **ret)
{
    struct order_now now = {0};
    int r = order_now_load(site, device_id, order_id, &now);

    if (r != 0)
        return TRACE(r);
    if (now.is_over)
        return refuse(
            site, REFUSAL_ORDER_OVER, "The order is over at the site: the device must stop.");
    r = db_must(site->db, SQL_ORDER_HEARD, DB_ARGS(db_text(order_id), db_u64(site->now_us)));
    return r < 0 ? TRACE(r) : TRACE(order_wish_put(&now, ret));
}

int order_key_find(struct site *site,
                   const char *deployment_id,
                   const char *device,
                   struct order_key *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct order_key key = {0};
    int r = device_find(site, device, key.device_id);

    if (r != 0)
        return TRACE(r);
    r = db_first(
        site->db, SQL_ORDER_FIND, DB_ARGS(db_text(deployment_id), db_text(key.device_id)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site,
                      REFUSAL_NO_ORDER,
                      "The device \"%.100s\" has not begun the deployment \"%.100s\".",
                      device,
                      deployment_id);
    (void)snprintf(key.order_id, sizeof(key.order_id), "%s", db_get_text(&rows, 0));
    key.is_over = strcmp(db_get_text(&rows, 1), "in-progress") != 0;
    key.is_to_be_cancelled = strcmp(db_get_text(&rows, 2), "cancel") == 0;
    key.was_cancelled = db_get_bool(&rows, 3);
    key.is_debug = db_get_bool(&rows, 4);
    *ret = key;
    return 0;
}

int order_key_find_running(struct site *site,
                           const char *deployment_id,
                           const char *device,
                           struct order_key *ret)
{
    int r = order_key_find(site, deployment_id, device, ret);

    if (r != 0)
        return TRACE(r);
    if (ret->is_over)
        return refuse(site,
                      REFUSAL_NO_ORDER,
                      "The deployment \"%.100s\" is over on the device \"%.100s\".",
                      deployment_id,
                      device);
    return 0;
}

static int
write_wish(struct site *site, const char *order_id, enum order_wish wish, uint64_t timeout_s)
{
    struct db_value until = timeout_s > 0 ? db_u64(site->now_us + timeout_s * US_PER_S) : db_null();
    struct db_value id = db_text(order_id);
    struct db_value now = db_u64(site->now_us);

    switch (wish) {
    case ORDER_WISH_CANCEL:
        return TRACE(db_must(site->db, SQL_ORDER_CANCEL, DB_ARGS(id)));
    case ORDER_WISH_PAUSE:
        return TRACE(db_must(site->db, SQL_ORDER_PAUSE, DB_ARGS(id, now, until)));
    case ORDER_WISH_RUN:
        break;
    }
    return TRACE(db_must(site->db, SQL_ORDER_RESUME, DB_ARGS(id, now)));
}

/* Within the caller's transaction. */
static int change(struct site *site, const struct order_wish_call *call, uint64_t timeout_s)
{
    static const char *const actions[] = {
        [ORDER_WISH_RUN] = "order.resume",
        [ORDER_WISH_PAUSE] = "order.pause",
        [ORDER_WISH_CANCEL] = "order.cancel",
    };
    struct order_key key = {0};
    int r = order_key_find(site, call->deployment_id, call->device, &key);

    if (r != 0)
        return TRACE(r);
    if (call->wish == ORDER_WISH_CANCEL && (key.was_cancelled || key.is_to_be_cancelled))
        return 0;
    if (key.is_to_be_cancelled)
        return refuse(
            site,
            REFUSAL_ORDER_WISH,
            "The deployment \"%.100s\" is cancelled on the device \"%.100s\". " WHILE_IT_IS,
            call->deployment_id,
            call->device);
    if (key.is_over)
        return refuse(site,
                      REFUSAL_NO_ORDER,
                      "The deployment \"%.100s\" is over on the device \"%.100s\".",
                      call->deployment_id,
                      call->device);
    r = write_wish(site, key.order_id, call->wish, timeout_s);
    if (r < 0)
        return TRACE(r);
    return TRACE(site_audit(site, call->who, actions[call->wish], key.order_id, key.device_id));
}

int order_wish_set(struct site *site,
                   const struct order_wish_call *call,
                   const json_t *body,
                   json_t **ret)
{
    static const struct field fields[] = {
        {"timeout_s", FIELD_NUMBER, false, 1, ORDER_PAUSE_MAX_S, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = body ? fields_check(site, body, fields, false, REFUSAL_INVALID) : 0;

    if (r != 0)
        return TRACE(r);
    r = db_begin(site->db, &tx);
    if (r < 0)
        return TRACE(r);
    r = change(site, call, field_number(body, "timeout_s", 0));
    if (r != 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(deployment_get(site, call->deployment_id, ret));
}

int order_wish_tick(struct site *site)
{
    uint64_t now = site->now_us;
    int r = db_must(site->db, SQL_ORDER_PAUSES_END, DB_ARGS(db_u64(now)));

    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_ORDER_PAUSES_KEEP,
                         DB_ARGS(db_u64(now + TOKEN_US), db_u64(now + TOKEN_US / 2))));
}
