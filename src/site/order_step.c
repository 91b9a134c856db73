/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order_step.h"

#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/deployment_status.h"
#include "site/fields.h"
#include "site/order_wish.h"

/* The step that runs; .number is 0 if none does. */
struct open_step {
    uint64_t number;
    uint64_t step;
    bool is_restarting;
};

static int find_open(struct site *site, const char *order_id, struct open_step *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_ORDER_STEP_OPEN, DB_ARGS(db_text(order_id)), &rows);

    *ret = (struct open_step){0};
    if (r != DB_ROW)
        return TRACE(r);
    ret->number = db_get_u64(&rows, 0);
    ret->step = db_get_u64(&rows, 1);
    ret->is_restarting = strcmp(db_get_text(&rows, 2), "restarting") == 0;
    return 0;
}

static int add(struct site *site, const char *order_id, const json_t *body)
{
    return TRACE(db_must(site->db,
                         SQL_ORDER_STEP_ADD,
                         DB_ARGS(db_text(order_id),
                                 db_u64(field_number(body, "step", 0)),
                                 db_text(field_text(body, "step_name", "")),
                                 db_text(field_text(body, "step_type", "")),
                                 db_text(field_text(body, "group", "")),
                                 db_text(field_text(body, "environment", "")),
                                 db_u64(site->now_us))));
}

static int
set_state(struct site *site, const char *order_id, const struct open_step *open, const char *state)
{
    return TRACE(db_must(site->db,
                         SQL_ORDER_STEP_STATE,
                         DB_ARGS(db_text(order_id), db_u64(open->number), db_text(state))));
}

/* The last bytes of the output, from the beginning of a character. */
static const char *tail_of(const char *text)
{
    size_t n = strlen(text);

    if (n <= ORDER_STEP_OUTPUT_MAX)
        return text;
    text += n - ORDER_STEP_OUTPUT_MAX;
    while (((unsigned char)*text & 0xc0) == 0x80)
        text++;
    return text;
}

/* @state: "succeeded", "failed" or "skipped" */
static int end(struct site *site,
               const char *order_id,
               const struct open_step *open,
               const char *state,
               const json_t *body)
{
    const json_t *code = json_object_get(body, "exit_code");

    return TRACE(db_must(
        site->db,
        SQL_ORDER_STEP_END,
        DB_ARGS(db_text(order_id),
                db_u64(open->number),
                db_text(state),
                json_is_integer(code) ? db_i64((int32_t)json_integer_value(code)) : db_null(),
                db_text(field_text(body, "error_id", NULL)),
                db_text(field_text(body, "message", "")),
                db_text(tail_of(field_text(body, "output", ""))),
                db_u64(site->now_us))));
}

/* It goes on if it had asked for the restart; after a power cut it is another run, and the first was interrupted. */
static int
begin(struct site *site, const char *order_id, const struct open_step *open, const json_t *body)
{
    int r = 0;

    if (open->number > 0 && open->is_restarting && open->step == field_number(body, "step", 0))
        return TRACE(set_state(site, order_id, open, "running"));
    if (open->number > 0)
        r = order_step_ended(site, order_id);
    return r < 0 ? TRACE(r) : TRACE(add(site, order_id, body));
}

int order_step_report(struct site *site, const char *order_id, const json_t *body)
{
    const char *state = field_text(body, "state", "");
    struct open_step open;
    bool is_end = strcmp(state, "step-succeeded") == 0 || strcmp(state, "step-failed") == 0 ||
                  strcmp(state, "step-skipped") == 0;
    bool is_begin = strcmp(state, "step-started") == 0;
    int r;

    if (!is_begin && !is_end && strcmp(state, "restarting") != 0)
        return 0;
    r = find_open(site, order_id, &open);
    if (r < 0)
        return TRACE(r);
    if (is_begin)
        return TRACE(begin(site, order_id, &open, body));
    if (!is_end)
        return open.number > 0 ? TRACE(set_state(site, order_id, &open, "restarting")) : 0;
    if (open.number == 0 || open.step != field_number(body, "step", 0)) {
        r = begin(site, order_id, &(struct open_step){.number = open.number}, body);
        if (r == 0)
            r = find_open(site, order_id, &open);
    }
    return r < 0 ? TRACE(r) : TRACE(end(site, order_id, &open, state + strlen("step-"), body));
}

int order_step_ended(struct site *site, const char *order_id)
{
    return TRACE(db_must(
        site->db, SQL_ORDER_STEP_INTERRUPT, DB_ARGS(db_text(order_id), db_u64(site->now_us))));
}

int order_step_list(struct site *site,
                    const char *deployment_id,
                    const char *device,
                    const struct page *page,
                    json_t **ret)
{
    struct order_key key = {0};
    int r = deployment_status_check(site, deployment_id);

    if (r == 0)
        r = order_key_find(site, deployment_id, device, &key);
    if (r != 0)
        return TRACE(r);
    return TRACE(rows_page(
        site->db,
        SQL_ORDER_STEP_LIST,
        DB_ARGS(page_after(page), page_limit(page), db_text(key.order_id), db_u64(site->now_us)),
        page,
        ret));
}
