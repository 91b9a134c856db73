/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/event.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "site/access.h"
#include "site/oidc_login.h"
#include "site/refusal.h"
#include "site/site.h"

/* Columns of SQL_EVENT_LIST */
enum {
    COLUMN_NUMBER,
    COLUMN_KIND,
    COLUMN_IS_ABOUT_RIGHTS,
    COLUMN_IS_VISIBLE,
    COLUMN_TIME,
    COLUMN_OBJECT,
    COLUMN_CHANGE,
    COLUMN_ACTION,
    COLUMN_PART,
    COLUMN_VERSION,
    COLUMN_CLASS,
};

/* Kinds of the same topic have the same bit: that of the first of them. */
static uint32_t bit_of(const struct event_kind *kind)
{
    const struct event_kind *first = event_kinds;

    while (strcmp(first->topic, kind->topic) != 0)
        first++;
    return UINT32_C(1) << (first - event_kinds);
}

static uint32_t find_topic(struct bytes name)
{
    for (const struct event_kind *kind = event_kinds; kind->kind; kind++)
        if (bytes_eq(name, bytes_of(kind->topic)))
            return bit_of(kind);
    return EVENT_NO_TOPIC;
}

int event_topics(struct site *site, const char *names, uint32_t *ret)
{
    uint32_t topics = EVENT_NO_TOPIC;

    *ret = EVENT_ALL;
    if (!names)
        return 0;
    for (const char *at = names; at; at = strchr(at, ',')) {
        size_t n;
        uint32_t topic;

        at += *at == ',';
        n = strcspn(at, ",");
        topic = find_topic((struct bytes){(const uint8_t *)at, n});
        if (topic == EVENT_NO_TOPIC)
            return refuse_parameter(
                site, "topics", "There is no topic \"%.*s\".", (int)(n < 64 ? n : 64), at);
        topics |= topic;
    }
    *ret = topics;
    return 0;
}

int event_head(struct site *site, uint64_t *ret_newest, uint64_t *ret_gone)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_EVENT_HEAD, DB_NO_ARGS, &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    *ret_newest = db_get_u64(&rows, 0);
    *ret_gone = db_get_u64(&rows, 1);
    return 0;
}

int event_check(struct site *site, struct principal *who, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t trust_us = site->settings.directory.check_us + site->settings.directory.trust_us;
    uint64_t oidc_us = oidc_is_on(&site->settings.oidc) ? site->settings.oidc.trust_us : 0;
    int r;

    principal_set(site, who);
    r = db_first(site->db,
                 SQL_EVENT_TOKEN,
                 DB_ARGS(db_text(who->token_id),
                         db_u64(site->now_us),
                         db_u64(site->now_us > ACCESS_IDLE_US ? site->now_us - ACCESS_IDLE_US : 0),
                         db_u64(site->now_us > trust_us ? site->now_us - trust_us : 0),
                         db_u64(site->now_us > oidc_us ? site->now_us - oidc_us : 0)),
                 &rows);
    *ret = r == DB_ROW;
    if (r == DB_ROW)
        (void)snprintf(who->permissions, sizeof(who->permissions), "%s", db_get_text(&rows, 0));
    principal_clear(site);
    return r < 0 ? TRACE(r) : 0;
}

/* A reset is for everybody, whatever they follow: what they see may have changed. */
static bool tell_reset(const struct db_rows *rows,
                       bool (*take)(void *ctx, const struct event *event),
                       void *ctx)
{
    OWN(json_freep) json_t *data = json_pack("{s:s}", "reason", "rights");
    struct event event = {.number = db_get_u64(rows, COLUMN_NUMBER), .name = "reset", .data = data};

    return take(ctx, &event);
}

static bool is_wanted(struct site *site, const struct db_rows *rows, uint32_t topics)
{
    const struct event_kind *kind = event_kind_find(db_get_text(rows, COLUMN_KIND));
    const char *words;

    if (!kind || (bit_of(kind) & topics) == 0 || !db_get_bool(rows, COLUMN_IS_VISIBLE))
        return false;
    words = kind->words ? kind->words : db_get_text(rows, COLUMN_CLASS);
    return !site->principal.id[0] ||
           principal_words_allow(site->principal.permissions, words, "read");
}

/* @ret: owned by the caller */
static int put_data(const struct db_rows *rows, json_t **ret)
{
    char time[CLOCK_TEXT_MAX];
    OWN(json_freep) json_t *data = NULL;

    clock_put_rfc3339(time, db_get_u64(rows, COLUMN_TIME));
    data = json_pack("{s:s,s:s,s:s,s:s,s:s}",
                     "time",
                     time,
                     "kind",
                     db_get_text(rows, COLUMN_KIND),
                     "id",
                     db_get_text(rows, COLUMN_OBJECT),
                     "change",
                     db_get_text(rows, COLUMN_CHANGE),
                     "action",
                     db_get_text(rows, COLUMN_ACTION));
    if (!data)
        return ERR(-ENOMEM);
    if (db_get_text(rows, COLUMN_PART)[0] != '\0')
        (void)json_object_set_new(data, "device_id", json_string(db_get_text(rows, COLUMN_PART)));
    if (db_column_type(rows, COLUMN_VERSION) != DB_NULL)
        (void)json_object_set_new(
            data, "version", json_integer((json_int_t)db_get_u64(rows, COLUMN_VERSION)));
    *ret = TAKE(data);
    return 0;
}

/* @ret: whether there was room for it */
static int tell(const struct db_rows *rows,
                bool (*take)(void *ctx, const struct event *event),
                void *ctx,
                bool *ret)
{
    OWN(json_freep) json_t *data = NULL;
    struct event event = {.number = db_get_u64(rows, COLUMN_NUMBER)};
    int r = put_data(rows, &data);

    if (r < 0)
        return TRACE(r);
    (void)snprintf(event.name, sizeof(event.name), "%s", db_get_text(rows, COLUMN_KIND));
    event.data = data;
    *ret = take(ctx, &event);
    return 0;
}

/* How far one look goes. */
static int find_end(struct site *site, uint64_t after, uint64_t newest, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_EVENT_LOOK, DB_ARGS(db_u64(after), db_u64(newest)), &rows);

    *ret = r == DB_ROW ? db_get_u64(&rows, 0) : newest;
    return r < 0 ? TRACE(r) : 0;
}

/* NOLINTNEXTLINE(readability-function-size): what to look at, and who gets it */
int event_list(struct site *site,
               uint64_t after,
               uint64_t newest,
               uint32_t topics,
               bool (*take)(void *ctx, const struct event *event),
               void *ctx,
               uint64_t *ret_at)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t end = newest;
    bool has_room = true;
    int r = find_end(site, after, newest, &end);

    *ret_at = after;
    if (r == 0)
        r = db_select(site->db, SQL_EVENT_LIST, DB_ARGS(db_u64(after), db_u64(end)), &rows);
    while (r == 0 && has_room && (r = db_next(&rows)) == DB_ROW) {
        r = 0;
        if (db_get_bool(&rows, COLUMN_IS_ABOUT_RIGHTS))
            has_room = tell_reset(&rows, take, ctx);
        if (has_room && is_wanted(site, &rows, topics))
            r = tell(&rows, take, ctx, &has_room);
        if (has_room)
            *ret_at = db_get_u64(&rows, COLUMN_NUMBER);
    }
    if (r < 0)
        return TRACE(r);
    if (has_room && end > *ret_at)
        *ret_at = end;
    return 0;
}
