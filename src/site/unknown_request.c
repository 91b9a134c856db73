/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/unknown_request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/random.h"
#include "site/access.h"
#include "site/device_change.h"
#include "site/device_key.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/order.h"
#include "site/unknown.h"
#include "site/unknown_name.h"

#define HOUR_US (UINT64_C(3600) * 1000000)

enum {
    TICK_MAX = 100, /* requests that end in one turn; the next ones a second later */
    REASON_MAX = 127,
    TITLE_MAX = 256,
};

#define WAITING  "waiting"
#define APPROVED "approved"
#define DENIED   "denied"
#define EXPIRED  "expired"

struct request {
    bool is_there;
    char deployment_id[SITE_ID_MAX];
    char boot_image_id[SITE_ID_MAX];
    char dp_id[DP_ID_MAX];
    char state[UNKNOWN_STATE_MAX];
    char code[UNKNOWN_CODE_MAX];
    bool needs_approval;
    bool needs_name;
    char suggested_name[DEVICE_NAME_MAX_BYTES + 1];
    char asked_name[DEVICE_NAME_MAX_BYTES + 1];
    uint64_t n_asked;
    char reason[TITLE_MAX];
    uint64_t expires_us;
    bool is_unknown; /* the device still is */
    char task_sequence_name[TITLE_MAX];
};

static void copy(char *dst, size_t cap, const struct db_rows *rows, size_t column)
{
    (void)snprintf(dst, cap, "%s", db_get_text(rows, column));
}

static int load(struct site *site, const char *device_id, struct request *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_UNKNOWN_REQUEST_GET, DB_ARGS(db_text(device_id)), &rows);

    *ret = (struct request){0};
    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : 0;
    ret->is_there = true;
    copy(ret->deployment_id, sizeof(ret->deployment_id), &rows, 0);
    copy(ret->boot_image_id, sizeof(ret->boot_image_id), &rows, 1);
    copy(ret->state, sizeof(ret->state), &rows, 2);
    copy(ret->code, sizeof(ret->code), &rows, 3);
    ret->needs_approval = db_get_bool(&rows, 4);
    ret->needs_name = db_get_bool(&rows, 5);
    copy(ret->suggested_name, sizeof(ret->suggested_name), &rows, 6);
    copy(ret->asked_name, sizeof(ret->asked_name), &rows, 7);
    ret->n_asked = db_get_u64(&rows, 8);
    copy(ret->reason, sizeof(ret->reason), &rows, 9);
    ret->expires_us = db_get_u64(&rows, 10);
    ret->is_unknown = db_get_bool(&rows, 11);
    copy(ret->task_sequence_name, sizeof(ret->task_sequence_name), &rows, 12);
    copy(ret->dp_id, sizeof(ret->dp_id), &rows, 13);
    return 0;
}

static bool is_in(const struct request *request, const char *state)
{
    return request->is_there && strcmp(request->state, state) == 0;
}

static int drop(struct site *site, const char *device_id)
{
    return TRACE(db_run(site->db, SQL_UNKNOWN_REQUEST_DROP, DB_ARGS(db_text(device_id)), NULL));
}

/* "K7M-4QX", of letters and digits that nobody takes for another one. */
static void make_code(char ret[static UNKNOWN_CODE_MAX])
{
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    uint8_t random[UNKNOWN_CODE_MAX - 2];
    size_t n = 0;

    random_bytes(random, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++) {
        if (i == sizeof(random) / 2)
            ret[n++] = '-';
        ret[n++] = letters[random[i] % (sizeof(letters) - 1)];
    }
    ret[n] = '\0';
}

struct need {
    struct unknown_rule rule;
    char dp_id[DP_ID_MAX];
    bool approval;
    bool name;
};

/* What it lacks before it may begin, with the rules as they are now. */
static int find_need(struct site *site,
                     const char *device_id,
                     const char *deployment_id,
                     const struct request *request,
                     struct need *ret)
{
    bool is_named = false;
    int r = unknown_dp(site, device_id, ret->dp_id);

    if (r == 0)
        r = unknown_rule_find(site, ret->dp_id, deployment_id, &ret->rule);
    if (r == 0)
        r = unknown_name_is_given(site, device_id, &is_named);
    ret->approval = ret->rule.is_approval_needed && !is_in(request, APPROVED);
    ret->name = ret->rule.is_name_asked && !is_named && !request->asked_name[0];
    return TRACE(r);
}

static int add(struct site *site,
               const char *device_id,
               const char *boot_image_id,
               const char *deployment_id,
               const struct need *need)
{
    char code[UNKNOWN_CODE_MAX];
    char proposal[DEVICE_NAME_MAX_BYTES + 1];
    int r = unknown_name_propose(site, device_id, &need->rule, proposal);

    make_code(code);
    if (r == 0)
        r = db_must(site->db,
                    SQL_UNKNOWN_REQUEST_ADD,
                    DB_ARGS(db_text(device_id),
                            db_text(deployment_id),
                            db_text(need->dp_id),
                            db_text(boot_image_id),
                            db_text(code),
                            db_u64(need->approval ? 1 : 0),
                            db_u64(need->name ? 1 : 0),
                            db_text(proposal),
                            db_u64(site->now_us),
                            db_u64(site->now_us + need->rule.approval_hours * HOUR_US)));
    return r == 0 ? TRACE(site_audit(site, device_id, "unknown.ask", device_id, deployment_id))
                  : TRACE(r);
}

/* It may begin: it is called what it is to be called. */
static int let_begin(struct site *site, const char *device_id, const struct need *need)
{
    int r = drop(site, device_id);

    return r == 0 ? TRACE(unknown_name_apply(site, device_id, &need->rule)) : TRACE(r);
}

static int is_unknown(struct site *site, const char *device_id, bool *ret)
{
    char record[UNKNOWN_RECORD_MAX];

    return TRACE(unknown_record(site, device_id, NULL, record, ret));
}

int unknown_gate(struct site *site,
                 const char *device_id,
                 const char *boot_image_id,
                 const struct boot_target *target,
                 bool *ret)
{
    struct request request;
    struct need need = {0};
    bool is_stranger = false;
    int r = load(site, device_id, &request);

    *ret = false;
    if (r == 0)
        r = is_unknown(site, device_id, &is_stranger);
    if (r == 0 && !is_stranger) {
        *ret = true;
        return TRACE(drop(site, device_id));
    }
    if (r < 0 || is_in(&request, DENIED))
        return TRACE(r);
    if (request.is_there &&
        (is_in(&request, EXPIRED) || strcmp(request.deployment_id, target->deployment_id) != 0)) {
        r = drop(site, device_id);
        request = (struct request){0};
    }
    if (r == 0)
        r = find_need(site, device_id, target->deployment_id, &request, &need);
    if (r < 0)
        return TRACE(r);
    if (!need.approval && !need.name) {
        *ret = true;
        return TRACE(let_begin(site, device_id, &need));
    }
    if (!request.is_there)
        return TRACE(add(site, device_id, boot_image_id, target->deployment_id, &need));
    return TRACE(db_must(site->db,
                         SQL_UNKNOWN_REQUEST_NEED,
                         DB_ARGS(db_text(device_id),
                                 db_u64(need.approval ? 1 : 0),
                                 db_u64(need.name ? 1 : 0),
                                 db_text(boot_image_id))));
}

static int put(const struct request *request, json_t **ret)
{
    *ret = json_pack("{s:s,s:b,s:b,s:s,s:s,s:s,s:s,s:s,s:I}",
                     "state",
                     request->state,
                     "needs_approval",
                     (int)request->needs_approval,
                     "needs_name",
                     (int)request->needs_name,
                     "code",
                     request->code,
                     "name",
                     request->asked_name,
                     "suggested_name",
                     request->suggested_name,
                     "task_sequence_name",
                     request->task_sequence_name,
                     "reason",
                     request->reason,
                     "expires_us",
                     (json_int_t)request->expires_us);
    return *ret ? 0 : ERR(-ENOMEM);
}

static int expire(struct site *site, const char *device_id)
{
    int r = db_must(site->db, SQL_UNKNOWN_REQUEST_EXPIRE, DB_ARGS(db_text(device_id)));

    return r == 0 ? TRACE(site_audit(site, "site", "unknown.expire", device_id, "")) : TRACE(r);
}

/* What waits goes on if it can, or ends if it must. */
static int move_on(struct site *site, const char *device_id, const struct request *request)
{
    bool is_open = false;
    int r;

    if (!is_in(request, WAITING) && !is_in(request, APPROVED))
        return 0;
    if (request->expires_us <= site->now_us)
        return TRACE(expire(site, device_id));
    r = order_begin(site, device_id, request->boot_image_id, &is_open);
    if (r == 0 && !is_open) /* nothing is deployed to it any more */
        r = drop(site, device_id);
    return TRACE(r);
}

int unknown_ask(struct site *site, const char *device_id, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *answer = NULL;
    struct request request;
    int r = load(site, device_id, &request);

    *ret = NULL;
    if (r < 0 || !request.is_there)
        return TRACE(r);
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = device_check_open(site, device_id);
    if (r == 0)
        r = db_must(
            site->db, SQL_UNKNOWN_REQUEST_HEARD, DB_ARGS(db_text(device_id), db_u64(site->now_us)));
    if (r == 0)
        r = move_on(site, device_id, &request);
    if (r == 0)
        r = load(site, device_id, &request);
    if (r == 0 && request.is_there)
        r = put(&request, &answer);
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        *ret = TAKE(answer);
    return TRACE(r);
}

static int check_name_wanted(struct site *site, const struct request *request)
{
    if (!is_in(request, WAITING) && !is_in(request, APPROVED))
        return refuse(site, REFUSAL_NO_NAME_WANTED, "This computer waits for no name.");
    if (!request->needs_name)
        return refuse(site, REFUSAL_NO_NAME_WANTED, "This computer has a name already.");
    if (request->n_asked >= UNKNOWN_NAMES_MAX)
        return refuse(site,
                      REFUSAL_NO_NAME_WANTED,
                      "%d names were tried; an administrator gives one with \"slipway unknown "
                      "approve\".",
                      UNKNOWN_NAMES_MAX);
    return 0;
}

/* Without a gate it is its name from now on; with one it is what the administrator sees. */
static int
take_name(struct site *site, const char *device_id, const char *name, const struct request *request)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    struct need need = {0};
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = find_need(site, device_id, request->deployment_id, request, &need);
    if (r == 0)
        r = unknown_name_give(
            site, device_id, name, need.rule.name_max, "screen", REFUSAL_COMPUTER_NAME);
    if (r == 0)
        r = db_must(site->db, SQL_UNKNOWN_REQUEST_NAME, DB_ARGS(db_text(device_id), db_text(name)));
    if (r == 0)
        r = site_audit(site, device_id, "device.rename", device_id, name);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int unknown_name_from_screen(struct site *site,
                             const char *device_id,
                             const json_t *body,
                             json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_TEXT, true, 0, 255, NULL},
        {0},
    };
    struct request request;
    int r = fields_check(site, body, fields, false, REFUSAL_CLIENT_INVALID);

    if (r == 0)
        r = load(site, device_id, &request);
    if (r == 0)
        r = check_name_wanted(site, &request);
    if (r == 0) /* also what is refused below counts */
        r = db_must(site->db, SQL_UNKNOWN_REQUEST_ASKED, DB_ARGS(db_text(device_id)));
    if (r == 0)
        r = take_name(site, device_id, field_text(body, "name", ""), &request);
    if (r == 0)
        r = load(site, device_id, &request);
    return r == 0 ? TRACE(put(&request, ret)) : TRACE(r);
}

int unknown_state(struct site *site, const char *device_id, char ret[static UNKNOWN_STATE_MAX])
{
    struct request request;
    int r = load(site, device_id, &request);

    (void)snprintf(ret, UNKNOWN_STATE_MAX, "%s", request.state);
    return TRACE(r);
}

int unknown_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_UNKNOWN_REQUEST_LIST, args, page, ret));
}

/* The request of the device that is meant, and of that one only: the code says that the administrator sees its screen. */
static int find(struct site *site,
                const char *which,
                const char *code,
                char id[static ACCESS_DEVICE_ID_MAX],
                struct request *ret)
{
    int r = device_find(site, which, id);

    *ret = (struct request){0};
    if (r == 0)
        r = load(site, id, ret);
    if (r != 0)
        return TRACE(r);
    if (!ret->is_there)
        return refuse(site, REFUSAL_MISSING, "The device \"%.100s\" waits for nothing.", which);
    if (code && strcasecmp(code, ret->code) != 0)
        return refuse(site,
                      REFUSAL_UNKNOWN_CODE,
                      "The code is that of another computer, or of an earlier request; \"slipway "
                      "unknown list\" shows those of now.");
    return 0;
}

static int decide(struct site *site,
                  const char *id,
                  const char *state,
                  const char *who,
                  const char *reason,
                  const struct request *request)
{
    uint64_t hours = UNKNOWN_APPROVAL_HOURS;
    struct unknown_rule rule;
    int r = unknown_rule_find(site, request->dp_id, request->deployment_id, &rule);

    if (r == 0)
        hours = rule.approval_hours;
    if (r == 0)
        r = db_must(site->db,
                    SQL_UNKNOWN_REQUEST_DECIDE,
                    DB_ARGS(db_text(id),
                            db_text(state),
                            db_text(reason),
                            db_text(who),
                            db_u64(site->now_us),
                            db_u64(site->now_us + hours * HOUR_US)));
    return TRACE(r);
}

/* The name that the administrator says is the device's at once. */
static int name_it(struct site *site, const char *who, const char *id, const char *name)
{
    int r = unknown_name_give(site, id, name, NAME_MAX_BYTES, "approval", REFUSAL_INVALID);

    if (r == 0)
        r = db_must(site->db, SQL_UNKNOWN_REQUEST_NAME, DB_ARGS(db_text(id), db_text(name)));
    return r == 0 ? TRACE(site_audit(site, who, "device.rename", id, name)) : TRACE(r);
}

static int
check_approvable(struct site *site, const struct request *request, const char *which, bool has_name)
{
    if (is_in(request, EXPIRED) || request->expires_us <= site->now_us)
        return refuse(site,
                      REFUSAL_REQUEST_OVER,
                      "The request of \"%.100s\" has expired; start the computer again from the "
                      "network.",
                      which);
    if (is_in(request, APPROVED) && !has_name)
        return refuse(site, REFUSAL_REQUEST_OVER, "\"%.100s\" is approved already.", which);
    return 0;
}

int unknown_approve(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"code", FIELD_TEXT, true, 1, 16, NULL},
        {"name", FIELD_TEXT, false, 1, NAME_MAX_BYTES, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *name = field_text(body, "name", NULL);
    char id[ACCESS_DEVICE_ID_MAX];
    struct request request;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = find(site, which, field_text(body, "code", ""), id, &request);
    if (r == 0)
        r = check_approvable(site, &request, which, name != NULL);
    if (r == 0 && name)
        r = name_it(site, who, id, name);
    if (r == 0)
        r = decide(site, id, APPROVED, who, "", &request);
    if (r == 0)
        r = site_audit(site, who, "unknown.approve", id, request.deployment_id);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(rows_one(site->db, SQL_UNKNOWN_REQUEST_ONE, DB_ARGS(db_text(id)), ret))
                  : TRACE(r);
}

int unknown_deny(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"code", FIELD_TEXT, true, 1, 16, NULL},
        {"reason", FIELD_LINE, false, 0, REASON_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *reason = field_text(body, "reason", "");
    char id[ACCESS_DEVICE_ID_MAX];
    struct request request;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = find(site, which, field_text(body, "code", ""), id, &request);
    if (r == 0)
        r = decide(site, id, DENIED, who, reason, &request);
    if (r == 0)
        r = site_audit(site, who, "unknown.deny", id, reason);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(rows_one(site->db, SQL_UNKNOWN_REQUEST_ONE, DB_ARGS(db_text(id)), ret))
                  : TRACE(r);
}

int unknown_forget(struct site *site, const char *who, const char *which)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[ACCESS_DEVICE_ID_MAX];
    struct request request;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = find(site, which, NULL, id, &request);
    if (r == 0)
        r = drop(site, id);
    if (r == 0)
        r = site_audit(site, who, "unknown.forget", id, request.state);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

/* @ret: whether there was one to end */
static int end_one(struct site *site, bool *ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(db_rows_fini) struct db_rows rows = {0};
    char id[ACCESS_DEVICE_ID_MAX];
    int r = db_begin(site->db, &tx);

    *ret = false;
    if (r == 0)
        r = db_first(site->db, SQL_UNKNOWN_REQUEST_DUE, DB_ARGS(db_u64(site->now_us)), &rows);
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(id, sizeof(id), "%s", db_get_text(&rows, 0));
    db_rows_fini(&rows);
    *ret = true;
    r = expire(site, id);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int unknown_tick(struct site *site)
{
    bool is_more = true;
    int r = db_run(
        site->db,
        SQL_UNKNOWN_REQUEST_KEEP,
        DB_ARGS(db_u64(site->now_us + DEVICE_KEY_US), db_u64(site->now_us + DEVICE_KEY_US / 2)),
        NULL);

    for (unsigned i = 0; r == 0 && is_more && i < TICK_MAX; i++)
        r = end_one(site, &is_more);
    return TRACE(r);
}
