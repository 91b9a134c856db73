/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/status_message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/device.h"
#include "site/fields.h"

#define DAY_US (UINT64_C(24) * 3600 * 1000000)

#define ENGINE  "Task Sequence Engine"
#define MANAGER "Task Sequence Manager"

enum {
    TEXT_MAX_BYTES = 32 * 1024,
    PARAMETERS_MAX = 4,
};

/* A message by its number. %1 and so on in @text are the members of the message that @parameters names. */
struct kind {
    const char *state; /* in which a device says it; NULL: the site does */
    unsigned id;
    const char *severity;
    const char *component;
    const char *text;
    const char *parameters[PARAMETERS_MAX];
};

static const struct kind kinds[] = {
    {"started",
     11140,
     "info",
     ENGINE,
     "The task sequence has begun in the environment %1.",
     {"environment"}},
    {"failed",
     11141,
     "error",
     ENGINE,
     "The task sequence has failed with the error %1, last at the step \"%2\": %3",
     {"error_id", "step_name", "message"}},
    {"cancelled",
     11141,
     "warning",
     ENGINE,
     "The task sequence was cancelled at the step \"%1\".",
     {"step_name"}},
    {"restarting",
     11142,
     "info",
     ENGINE,
     "The computer restarts; the step \"%1\" has asked for it.",
     {"step_name"}},
    {"succeeded", 11143, "info", ENGINE, "The task sequence has been completed.", {NULL}},
    {"step-skipped",
     11130,
     "info",
     ENGINE,
     "The step \"%1\" in the group \"%2\" was skipped. %3",
     {"step_name", "step_group", "message"}},
    {"step-succeeded",
     11134,
     "info",
     ENGINE,
     "The step \"%1\" in the group \"%2\" has been completed with the exit code %3.",
     {"step_name", "step_group", "exit_code"}},
    {"step-failed",
     11135,
     "error",
     ENGINE,
     "The step \"%1\" in the group \"%2\" has failed with the exit code %3: %4",
     {"step_name", "step_group", "exit_code", "message"}},
    {"step-started",
     60001,
     "info",
     ENGINE,
     "The step \"%1\" in the group \"%2\" has begun.",
     {"step_name", "step_group"}},
    {"step-progress",
     60002,
     "info",
     ENGINE,
     "The step \"%1\" is %2 percent done. %3",
     {"step_name", "percent", "message"}},
    {"paused",
     60003,
     "info",
     ENGINE,
     "The task sequence waits before the step \"%1\".",
     {"step_name"}},
    {"resumed",
     60004,
     "info",
     ENGINE,
     "The task sequence goes on with the step \"%1\".",
     {"step_name"}},
    {NULL,
     STATUS_MESSAGE_MANAGER_FAILED,
     "error",
     MANAGER,
     "The deployment has ended with the error %1: %2",
     {"error_id", "message"}},
    {NULL,
     STATUS_MESSAGE_MANAGER_COMPLETED,
     "info",
     MANAGER,
     "The deployment has been completed.",
     {NULL}},
};

enum {
    N_KINDS = sizeof(kinds) / sizeof(kinds[0]),
};

/* NULL: there is none. */
static const struct kind *kind_of_state(const char *state)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (kinds[i].state && strcmp(kinds[i].state, state) == 0)
            return &kinds[i];
    return NULL;
}

/* Two states share a number; @severity tells them apart. */
static const struct kind *kind_of_id(unsigned id, const char *severity)
{
    const struct kind *found = NULL;

    for (size_t i = 0; i < N_KINDS; i++)
        if (kinds[i].id == id && (!found || strcmp(kinds[i].severity, severity) == 0))
            found = &kinds[i];
    return found;
}

unsigned status_message_id(const char *state)
{
    const struct kind *kind = kind_of_state(state);

    return kind ? kind->id : 0;
}

const char *status_message_severity(const char *state)
{
    const struct kind *kind = kind_of_state(state);

    return kind ? kind->severity : "info";
}

int status_message_ended(struct site *site,
                         const char *order_id,
                         const char *error_id,
                         const char *cause)
{
    bool is_cancelled = error_id && strcmp(error_id, SITE_ERROR_ORDER_CANCELLED) == 0;

    return TRACE(db_must(
        site->db,
        SQL_STATUS_MESSAGE_OF_SITE,
        DB_ARGS(db_text(order_id),
                db_text(error_id ? "ended-failed" : "ended-succeeded"),
                db_text(error_id),
                db_text(cause),
                db_u64(site->now_us),
                db_u64(error_id ? STATUS_MESSAGE_MANAGER_FAILED : STATUS_MESSAGE_MANAGER_COMPLETED),
                db_text(is_cancelled ? "warning"
                        : error_id   ? "error"
                                     : "info"))));
}

/* The value of a member as text. */
static void put_value(const json_t *message, const char *name, struct buf *dst)
{
    const json_t *value = json_object_get(message, name);

    if (json_is_integer(value))
        buf_addf(dst, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_string(value))
        buf_adds(dst, json_string_value(value));
}

static json_t *parameters_of(const struct kind *kind, const json_t *message)
{
    json_t *ret = json_array();

    for (size_t i = 0; i < PARAMETERS_MAX && kind->parameters[i]; i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

        put_value(message, kind->parameters[i], &text);
        (void)json_array_append_new(ret, json_string(buf_str(&text)));
    }
    return ret;
}

static json_t *text_of(const struct kind *kind, const json_t *parameters)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    for (const char *c = kind->text; *c; c++) {
        size_t n = c[0] == '%' && c[1] >= '1' ? (size_t)(c[1] - '1') : PARAMETERS_MAX;

        if (n < PARAMETERS_MAX) {
            const char *value = json_string_value(json_array_get(parameters, n));

            buf_adds(&text, value ? value : "");
            c++;
        } else {
            buf_add(&text, (struct bytes){(const uint8_t *)c, 1});
        }
    }
    while (text.len > 0 && text.ptr[text.len - 1] == ' ')
        text.ptr[--text.len] = '\0';
    return json_string(buf_str(&text));
}

static int explain(json_t *message)
{
    const struct kind *kind = kind_of_id((unsigned)field_number(message, "message_id", 0),
                                         field_text(message, "severity", ""));
    json_t *parameters;

    if (!kind)
        return 0;
    parameters = parameters_of(kind, message);
    (void)json_object_set_new(message, "text", text_of(kind, parameters));
    (void)json_object_set_new(message, "component", json_string(kind->component));
    return json_object_set_new(message, "parameters", parameters) < 0 ? ERR(-ENOMEM) : 0;
}

int status_message_list(struct site *site,
                        const struct status_message_query *query,
                        const struct page *page,
                        json_t **ret)
{
    char id[ACCESS_DEVICE_ID_MAX];
    const json_t *items;
    int r = query->device ? device_find(site, query->device, id) : 0;

    if (r != 0)
        return TRACE(r);
    r = rows_page(site->db,
                  SQL_STATUS_MESSAGE_LIST,
                  DB_ARGS(page_after(page),
                          page_limit(page),
                          db_text(query->device ? id : NULL),
                          db_text(query->deployment),
                          db_text(query->severity)),
                  page,
                  ret);
    items = json_object_get(*ret, "items");
    for (size_t i = 0; r == 0 && i < json_array_size(items); i++)
        r = explain(json_array_get(items, i));
    return TRACE(r);
}

int status_message_tick(struct site *site)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t keep_us = STATUS_MESSAGE_DAYS * DAY_US;
    uint64_t since_us = site->now_us > keep_us ? site->now_us - keep_us : 0;
    uint64_t first;
    uint64_t last;
    uint64_t oldest_us;
    int r = db_first(site->db, SQL_STATUS_MESSAGE_RANGE, DB_NO_ARGS, &rows);

    if (r != DB_ROW)
        return TRACE(r);
    first = db_get_u64(&rows, 0);
    last = db_get_u64(&rows, 1);
    oldest_us = db_get_u64(&rows, 2);
    db_rows_fini(&rows);
    if (last == 0 || (oldest_us >= since_us && last - first < STATUS_MESSAGES_MAX))
        return 0;
    r = db_must(site->db,
                SQL_STATUS_MESSAGE_EXPIRE,
                DB_ARGS(db_u64(since_us),
                        db_u64(last > STATUS_MESSAGES_MAX ? last - STATUS_MESSAGES_MAX : 0)));
    return r < 0 ? TRACE(r)
                 : TRACE(db_must(site->db, SQL_ORDER_STEP_EXPIRE, DB_ARGS(db_u64(since_us))));
}
