/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "site/access.h"
#include "site/permission.h"
#include "site/site.h"

enum {
    KEY_MAX = 128,
    PLACES_MAX_BYTES = 64 * 1024,
};

const struct event_kind event_kinds[] = {
    {"device", "device", "devices", NULL},
    {"unknown", "device", "unknown-computers", NULL},
    {"collection", "collection", "collections", NULL},
    {"deployment", "deployment", "deployments", NULL},
    {"phased-deployment", "phased-deployment", "deployments", "deployment"},
    {"operation", "operation", "operations", NULL},
    {"alert", "alert", "alerts", "deployment"},
    {"content", "content", "content", NULL},
    {"task-sequence", "task-sequence", "task-sequences", NULL},
    {"distribution-point", "distribution-point", "distribution-points", NULL},
    {"distribution-point-group", "distribution-point-group", "distribution-points", NULL},
    {"boundary", "boundary", "boundaries", NULL},
    {"boundary-group", "boundary-group", "boundaries", NULL},
    {"boot-rule", "site", "boot-rules", NULL},
    {"unknown-rule", "site", "unknown-computers", NULL},
    {"administrator", "administrator", "administrators", NULL},
    {"security-role", "security-role", "administrators", NULL},
    {"security-scope", "security-scope", "administrators", NULL},
    {.kind = NULL},
};

const struct event_kind *event_kind_find(const char *kind)
{
    for (const struct event_kind *k = event_kinds; k->kind; k++)
        if (strcmp(k->kind, kind) == 0)
            return k;
    return NULL;
}

/* One event, before it has a number. */
struct news {
    const struct event_kind *kind;
    const char *object;
    const char *change;
    const char *action;
    const char *part;
    const char *places;
    const char *class;
    const char *merge_key; /* NULL: none */
};

static int take_number(struct site *site, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_EVENT_NUMBER, DB_NO_ARGS, &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    *ret = db_get_u64(&rows, 0);
    return 0;
}

/* Of what has versions. */
static int find_version(struct site *site, const struct news *news, struct db_value *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r;

    *ret = db_null();
    if (strcmp(news->kind->kind, "task-sequence") != 0 && strcmp(news->kind->kind, "content") != 0)
        return 0;
    r = db_first(site->db, SQL_EVENT_VERSION, DB_ARGS(db_text(news->object)), &rows);
    if (r == DB_ROW)
        *ret = db_u64(db_get_u64(&rows, 0));
    return r < 0 ? TRACE(r) : 0;
}

/* What kind of content; "package" if it is gone, and nobody has noted it. */
static int find_class(struct site *site, const char *id, char ret[static AUDIT_CLASS_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_CONTENT_CLASS, DB_ARGS(db_text(id)), &rows);

    if (r < 0)
        return TRACE(r);
    (void)snprintf(ret, AUDIT_CLASS_MAX, "%s", r == DB_ROW ? db_get_text(&rows, 0) : "package");
    return 0;
}

static int put(struct site *site, const struct news *news)
{
    char of_content[AUDIT_CLASS_MAX];
    const char *class = news->class ? news->class : news->kind->class;
    struct db_value version;
    uint64_t number = 0;
    int r = 0;

    if (strcmp(class, "content") == 0) {
        r = find_class(site, news->object, of_content);
        class = of_content;
    }
    if (r == 0)
        r = find_version(site, news, &version);
    if (r == 0)
        r = take_number(site, &number);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_EVENT_ADD,
                         DB_ARGS(db_u64(number),
                                 db_u64(site->now_us),
                                 db_text(news->kind->kind),
                                 db_text(class),
                                 db_text(news->object),
                                 db_text(news->change),
                                 db_text(news->action),
                                 db_text(news->part ? news->part : ""),
                                 version,
                                 db_text(news->places ? news->places : ""),
                                 db_text(news->merge_key))));
}

/* "device.delete": by the verb. A verb "remove" mostly takes something out of the thing, which stays. */
static const char *change_of(const char *action)
{
    static const char *const made[] = {"create", "import", "join"};
    static const char *const removed[] = {
        "boot-rule.remove", "unknown-rule.remove", "distribution-point.remove"};
    const char *verb = strchr(action, '.') + 1;

    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        if (strcmp(verb, made[i]) == 0)
            return "created";
    for (size_t i = 0; i < sizeof(removed) / sizeof(removed[0]); i++)
        if (strcmp(action, removed[i]) == 0)
            return "deleted";
    return strcmp(verb, "delete") == 0 ? "deleted" : "changed";
}

int event_audited(struct site *site, const char *action, const char *object)
{
    struct news news = {.object = object, .action = action};
    char kind[EVENT_NAME_MAX];
    size_t n = strcspn(action, ".");

    if (n >= sizeof(kind) || action[n] == '\0' || object[0] == '\0')
        return 0;
    memcpy(kind, action, n);
    kind[n] = '\0';
    if (strcmp(kind, "order") == 0)
        return TRACE(event_order(site, object));
    news.kind = event_kind_find(kind);
    /* an import from a folder is about an operation, which says it itself */
    if (!news.kind || strcmp(action, "content.prestage") == 0)
        return 0;
    news.change = change_of(action);
    if (strcmp(news.change, "deleted") == 0 && site->audit.places) {
        news.places = site->audit.places;
        news.class = site->audit.of_content[0] ? site->audit.of_content : NULL;
    }
    return TRACE(put(site, &news));
}

int event_before(struct site *site, const char *class, const char *id)
{
    const struct permission *operation = site->principal.operation;
    OWN(buf_fini) struct buf places = BUF_INIT(PLACES_MAX_BYTES);
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r;

    if (!operation || strcmp(operation->verb, "delete") != 0)
        return 0;
    r = db_select(site->db, SQL_EVENT_PLACES, DB_ARGS(db_text(class), db_text(id)), &rows);
    buf_adds(&places, " ");
    while (r == 0 && (r = db_next(&rows)) == DB_ROW) {
        buf_addf(&places, "%s ", db_get_text(&rows, 0));
        r = 0;
    }
    if (r == 0 && strcmp(class, "content") == 0)
        r = find_class(site, id, site->audit.of_content);
    if (r < 0)
        return TRACE(r);
    site->audit.places = places.failed ? NULL : buf_take(&places);
    return 0;
}

int event_progress(struct site *site, const char *kind, const char *id, const char *action)
{
    char key[KEY_MAX];
    struct news news = {
        .kind = event_kind_find(kind),
        .object = id,
        .change = "progress",
        .action = action,
        .merge_key = key,
    };

    if (!news.kind)
        return ERR(-EINVAL);
    (void)snprintf(key, sizeof(key), "%s %s", kind, id);
    return TRACE(put(site, &news));
}

int event_order(struct site *site, const char *order_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char key[KEY_MAX];
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    struct news news = {
        .kind = event_kind_find("deployment"),
        .object = deployment,
        .change = "progress",
        .action = "deployment.progress",
        .part = device,
        .merge_key = key,
    };
    int r = db_first(site->db, SQL_EVENT_OF_ORDER, DB_ARGS(db_text(order_id)), &rows);

    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(deployment, sizeof(deployment), "%s", db_get_text(&rows, 0));
    (void)snprintf(device, sizeof(device), "%s", db_get_text(&rows, 1));
    (void)snprintf(key, sizeof(key), "deployment %s %s", deployment, device);
    db_rows_fini(&rows);
    return TRACE(put(site, &news));
}

int event_alerts(struct site *site)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_EVENT_ALERTS, DB_ARGS(db_u64(site->now_us)), &rows);

    while (r == 0 && (r = db_next(&rows)) == DB_ROW)
        r = event_progress(site,
                           "alert",
                           db_get_text(&rows, 0),
                           strcmp(db_get_text(&rows, 1), "closed") == 0 ? "alert.close"
                                                                        : "alert.raise");
    return TRACE(r);
}

/* A number that a statement finds; 0: none. */
static int find_number(struct site *site, enum db_sql sql, uint64_t arg, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, sql, DB_ARGS(db_u64(arg)), &rows);

    if (r < 0)
        return TRACE(r);
    *ret = r == DB_ROW ? db_get_u64(&rows, 0) : 0;
    return 0;
}

/* The newest number that is old enough to go, or too many. Numbers that progress has left behind are no events, so they count nothing. */
static int find_old(struct site *site, uint64_t n_numbers, uint64_t *ret)
{
    uint64_t before_us = site->now_us > EVENT_KEPT_US ? site->now_us - EVENT_KEPT_US : 0;
    uint64_t kept = site->settings.events_kept ? site->settings.events_kept : EVENT_KEPT_MAX;
    uint64_t surplus = 0;
    int r = find_number(site, SQL_EVENT_OLD, before_us, ret);

    if (r == 0 && n_numbers > kept)
        r = find_number(site, SQL_EVENT_SURPLUS, kept, &surplus);
    if (r == 0 && *ret < surplus)
        *ret = surplus;
    return TRACE(r);
}

int event_tick(struct site *site)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    uint64_t newest = 0;
    uint64_t gone = 0;
    uint64_t old = 0;
    int r;

    if (site->now_us < site->events_us + EVENT_TICK_US && site->now_us >= site->events_us)
        return 0;
    site->events_us = site->now_us;
    r = event_head(site, &newest, &gone);
    if (r == 0)
        r = find_old(site, newest - gone, &old);
    if (r < 0 || old <= gone)
        return TRACE(r);
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = db_must(site->db, SQL_EVENT_DROP, DB_ARGS(db_u64(old)));
    if (r == 0)
        r = db_must(site->db, SQL_EVENT_GONE, DB_ARGS(db_u64(old)));
    return r < 0 ? TRACE(r) : TRACE(db_commit(&tx));
}
