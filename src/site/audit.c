/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/digest.h"
#include "site/event.h"
#include "site/permission.h"
#include "site/site.h"

enum {
    RECORD_MAX_BYTES = 64 * 1024,
    CHAIN_BATCH = 1000,
    NUMBER_MAX = 24,
    DETAIL_MAX = 128,
};

/* One record, as it is hashed. */
struct record {
    uint64_t number;
    uint64_t time_us;
    const char *who;
    const char *address;
    const char *action;
    const char *object;
    const char *detail;
    const char *was;        /* NULL: there was none */
    const char *became;     /* NULL: there is none */
    const char *request_id; /* NULL: no request, or a record from before there was this member */
};

/* "5:hello," so that no two records look alike; "-," for what is not there */
static void put_part(struct buf *dst, const char *text)
{
    if (text)
        buf_addf(dst, "%zu:%s,", strlen(text), text);
    else
        buf_adds(dst, "-,");
}

/* SHA-256 over the hash before and all members. */
static int
hash_of(const struct record *record, const char *before, char ret[static SHA256_TEXT_MAX])
{
    OWN(buf_fini) struct buf text = BUF_INIT(RECORD_MAX_BYTES);
    const char *const parts[] = {record->who,
                                 record->address,
                                 record->action,
                                 record->object,
                                 record->detail,
                                 record->was,
                                 record->became};
    char number[NUMBER_MAX];
    char time[NUMBER_MAX];
    uint8_t hash[SHA256_BYTES];
    int r;

    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)record->number);
    (void)snprintf(time, sizeof(time), "%llu", (unsigned long long)record->time_us);
    put_part(&text, before);
    put_part(&text, number);
    put_part(&text, time);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        put_part(&text, parts[i]);
    if (record->request_id)
        put_part(&text, record->request_id);
    if (text.failed)
        return ERR(-E2BIG);
    r = digest_sha256(buf_bytes(&text), hash);
    if (r < 0)
        return TRACE(r);
    hex_put(ret, (struct bytes){hash, sizeof(hash)});
    return 0;
}

/* In a transaction. */
static int append(struct site *site, struct record *record)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char before[SHA256_TEXT_MAX];
    char hash[SHA256_TEXT_MAX];
    int r = db_first(site->db, SQL_AUDIT_HEAD_TAKE, DB_NO_ARGS, &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    record->number = db_get_u64(&rows, 0);
    (void)snprintf(before, sizeof(before), "%s", db_get_text(&rows, 1));
    db_rows_fini(&rows);
    r = hash_of(record, before, hash);
    if (r == 0)
        r = db_must(site->db,
                    SQL_AUDIT_RECORD_ADD,
                    DB_ARGS(db_u64(record->number),
                            db_u64(record->time_us),
                            db_text(record->who),
                            db_text(record->address),
                            db_text(record->action),
                            db_text(record->object),
                            db_text(record->detail),
                            db_text(record->was),
                            db_text(record->became),
                            db_text(hash),
                            db_text(record->request_id)));
    if (r == 0)
        r = db_must(site->db, SQL_AUDIT_HEAD_SET, DB_ARGS(db_text(hash)));
    return TRACE(r);
}

/* What is noted of a class: a row, and a list that belongs to it. */
static const struct noted {
    const char *class;
    enum db_sql row;
    enum db_sql list;
    const char *list_name; /* NULL: none */
} noted[] = {
    {"administrator", SQL_AUDIT_ADMINISTRATOR, SQL_ADMINISTRATOR_GRANTS, "grants"},
    {"boot-image", SQL_AUDIT_PACKAGE, 0, NULL},
    {"boundary", SQL_AUDIT_BOUNDARY, 0, NULL},
    {"boundary-group", SQL_AUDIT_BOUNDARY_GROUP, SQL_BOUNDARY_GROUP_BOUNDARIES, "boundaries"},
    {"collection", SQL_AUDIT_COLLECTION, SQL_COLLECTION_VARIABLE_LIST, "variables"},
    {"content", SQL_AUDIT_PACKAGE, 0, NULL},
    {"deployment", SQL_AUDIT_DEPLOYMENT, 0, NULL},
    {"device", SQL_AUDIT_DEVICE, SQL_DEVICE_VARIABLE_LIST, "variables"},
    {"distribution-point", SQL_AUDIT_DISTRIBUTION_POINT, 0, NULL},
    {"distribution-point-group", SQL_AUDIT_DP_GROUP, 0, NULL},
    {"driver-package", SQL_AUDIT_PACKAGE, 0, NULL},
    {"os-image", SQL_AUDIT_PACKAGE, 0, NULL},
    {"os-upgrade-package", SQL_AUDIT_PACKAGE, 0, NULL},
    {"package", SQL_AUDIT_PACKAGE, 0, NULL},
    {"phased-deployment", SQL_AUDIT_PHASED_DEPLOYMENT, SQL_PHASE_AUDIT_LIST, "phases"},
    {"security-role", SQL_AUDIT_SECURITY_ROLE, SQL_SECURITY_ROLE_PERMISSIONS, "permissions"},
    {"security-scope", SQL_AUDIT_SECURITY_SCOPE, SQL_SECURITY_SCOPE_OBJECTS, "objects"},
    {"task-sequence", SQL_AUDIT_TASK_SEQUENCE, 0, NULL},
};

static const struct noted *noted_of(const char *class)
{
    for (size_t i = 0; i < sizeof(noted) / sizeof(noted[0]); i++)
        if (strcmp(noted[i].class, class) == 0)
            return &noted[i];
    return NULL;
}

/* As text, or its hash where it is long. @ret: owned by the caller. */
static int put_state(json_t *object, char **ret)
{
    OWN(freep) char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    uint8_t hash[SHA256_BYTES];
    char hex[SHA256_TEXT_MAX];
    int r;

    if (!text)
        return ERR(-ENOMEM);
    if (strlen(text) <= AUDIT_STATE_MAX_BYTES) {
        *ret = TAKE(text);
        return 0;
    }
    r = digest_sha256(bytes_of(text), hash);
    if (r < 0)
        return TRACE(r);
    hex_put(hex, (struct bytes){hash, sizeof(hash)});
    return asprintf(ret, "{\"sha256\":\"%s\"}", hex) < 0 ? ERR(-ENOMEM) : 0;
}

/* @ret: NULL if there is no such thing, or nothing is noted of its class; owned by the caller */
static int find_state(struct site *site, const char *class, const char *id, char **ret)
{
    OWN(json_freep) json_t *object = NULL;
    OWN(json_freep) json_t *list = NULL;
    const struct noted *of = noted_of(class);
    int r = of ? rows_one(site->db, of->row, DB_ARGS(db_text(id)), &object) : 0;

    *ret = NULL;
    if (r == 0 && of && !object && strcmp(class, "content") == 0)
        return TRACE(find_state(site, "task-sequence", id, ret));
    if (r < 0 || !object)
        return TRACE(r);
    if (of->list_name)
        r = rows_array(site->db, of->list, DB_ARGS(db_text(id)), &list);
    if (r < 0)
        return TRACE(r);
    if (list && json_object_set(object, of->list_name, list) < 0)
        return ERR(-ENOMEM);
    return TRACE(put_state(object, ret));
}

int audit_before(struct site *site, const char *class, const char *id)
{
    int r;

    audit_forget(site);
    site->audit.class = class;
    (void)snprintf(site->audit.id, sizeof(site->audit.id), "%s", id);
    r = event_before(site, class, id);
    return r < 0 ? TRACE(r) : TRACE(find_state(site, class, id, &site->audit.was));
}

void audit_forget(struct site *site)
{
    free(site->audit.was);
    free(site->audit.places);
    site->audit = (struct audit_note){.class = NULL};
}

/* "phased-deployment" of "phased-deployment.create" */
static void put_class_of(const char *action, char ret[static AUDIT_CLASS_MAX])
{
    size_t n = strcspn(action, ".");

    (void)snprintf(ret, AUDIT_CLASS_MAX, "%.*s", (int)(n < AUDIT_CLASS_MAX ? n : 0), action);
}

/*
 * What the request was said to be about. Else what it has made: of the class that the action is about, or of the operation's.
 * @ret_is_other: it is not what the request was said to be about
 */
static int find_after(
    struct site *site, const char *action, const char *object, char **ret, bool *ret_is_other)
{
    const struct permission *operation = site->principal.operation;
    const struct audit_note *note = &site->audit;
    char class[AUDIT_CLASS_MAX];
    int r = 0;

    *ret = NULL;
    put_class_of(action, class);
    if (operation && (!note->class || strcmp(object, note->id) != 0))
        r = find_state(site, class, object, ret);
    *ret_is_other = *ret != NULL;
    if (r < 0 || *ret)
        return TRACE(r);
    if (note->class)
        return TRACE(find_state(site, note->class, note->id, ret));
    return operation ? TRACE(find_state(site, operation->class, object, ret)) : 0;
}

int site_audit(
    struct site *site, const char *who, const char *action, const char *object, const char *detail)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(freep) char *became = NULL;
    bool is_other = false;
    struct record record = {
        .time_us = site->now_us,
        .who = who,
        .address = site->principal.address,
        .action = action,
        .object = object,
        .detail = detail,
        .request_id = site->principal.request_id[0] ? site->principal.request_id : NULL,
    };
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = find_after(site, action, object, &became, &is_other);
    record.was = is_other ? NULL : site->audit.was;
    record.became = became;
    if (r == 0)
        r = append(site, &record);
    if (r == 0)
        r = event_audited(site, action, object);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

int audit_list(struct site *site, const char *object, const struct page *page, json_t **ret)
{
    return TRACE(rows_page(site->db,
                           SQL_AUDIT_RECORD_LIST,
                           DB_ARGS(page_after(page), page_limit(page), db_text(object)),
                           page,
                           ret));
}

int audit_adopt(struct site *site)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(db_rows_fini) struct db_rows head = {0};
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = db_first(site->db, SQL_AUDIT_HEAD, DB_NO_ARGS, &head);
    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    if (db_get_u64(&head, 0) > 0)
        return 0;
    r = db_select(site->db, SQL_AUDIT_UNCHAINED, DB_NO_ARGS, &rows);
    while (r == 0 && (r = db_next(&rows)) == DB_ROW) {
        struct record record = {
            .time_us = db_get_u64(&rows, 0),
            .who = db_get_text(&rows, 1),
            .address = "",
            .action = db_get_text(&rows, 2),
            .object = db_get_text(&rows, 3),
            .detail = db_get_text(&rows, 4),
        };

        r = append(site, &record);
    }
    return r < 0 ? TRACE(r) : TRACE(db_commit(&tx));
}

int audit_restored(struct site *site)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(db_rows_fini) struct db_rows rows = {0};
    char detail[DETAIL_MAX];
    uint64_t at_us;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = db_first(site->db, SQL_RESTORE_NOTE_GET, DB_NO_ARGS, &rows);
    if (r != DB_ROW)
        return TRACE(r);
    at_us = db_get_u64(&rows, 0);
    (void)snprintf(detail,
                   sizeof(detail),
                   "from a backup; %" PRIu64 " required deployments are held",
                   db_get_u64(&rows, 1));
    db_rows_fini(&rows);
    r = db_must(site->db, SQL_RESTORE_NOTE_DROP, DB_ARGS(db_u64(at_us)));
    if (r == 0) {
        struct record record = {
            .time_us = at_us,
            .who = "slipwayd",
            .address = "",
            .action = "site.restore",
            .object = "",
            .detail = detail,
        };

        r = append(site, &record);
    }
    return r < 0 ? TRACE(r) : TRACE(db_commit(&tx));
}

/* How far a verification is. */
struct chain {
    uint64_t n;
    char hash[SHA256_TEXT_MAX];
    const char *why; /* NULL: whole so far */
};

static const char *text_or_null(const struct db_rows *rows, size_t column)
{
    return db_column_type(rows, column) == DB_NULL ? NULL : db_get_text(rows, column);
}

/* The next record; chain->why is set if it does not follow. */
static int follow(const struct db_rows *rows, struct chain *chain)
{
    struct record record = {
        .number = db_get_u64(rows, 0),
        .time_us = db_get_u64(rows, 1),
        .who = db_get_text(rows, 2),
        .address = db_get_text(rows, 3),
        .action = db_get_text(rows, 4),
        .object = db_get_text(rows, 5),
        .detail = db_get_text(rows, 6),
        .was = text_or_null(rows, 7),
        .became = text_or_null(rows, 8),
        .request_id = text_or_null(rows, 10),
    };
    char hash[SHA256_TEXT_MAX];
    int r = hash_of(&record, chain->hash, hash);

    if (r < 0)
        return TRACE(r);
    if (record.number != chain->n + 1)
        chain->why = "a record is missing";
    else if (strcmp(hash, db_get_text(rows, 9)) != 0)
        chain->why = "a record is not what was written, or does not follow the one before";
    else
        chain->n++;
    if (!chain->why)
        (void)snprintf(chain->hash, sizeof(chain->hash), "%s", hash);
    return 0;
}

/* Some records. @ret_n: how many. */
static int follow_batch(struct site *site, struct chain *chain, uint64_t *ret_n)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(
        site->db, SQL_AUDIT_RECORD_CHAIN, DB_ARGS(db_u64(chain->n), db_u64(CHAIN_BATCH)), &rows);

    *ret_n = 0;
    while (r == 0 && !chain->why && (r = db_next(&rows)) == DB_ROW) {
        (*ret_n)++;
        r = follow(&rows, chain);
    }
    return TRACE(r);
}

static int check_head(struct site *site, struct chain *chain)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_AUDIT_HEAD, DB_NO_ARGS, &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW || db_get_u64(&rows, 0) != chain->n ||
        strcmp(db_get_text(&rows, 1), chain->hash) != 0)
        chain->why = "the end of the chain is missing, or is not what was written";
    return 0;
}

int audit_verify(struct site *site, json_t **ret)
{
    struct chain chain = {.n = 0};
    uint64_t n = CHAIN_BATCH;
    int r = 0;

    while (r == 0 && !chain.why && n == CHAIN_BATCH)
        r = follow_batch(site, &chain, &n);
    if (r == 0 && !chain.why)
        r = check_head(site, &chain);
    if (r < 0)
        return TRACE(r);
    *ret = json_pack("{s:b,s:I,s:s,s:o,s:s}",
                     "is_whole",
                     chain.why == NULL,
                     "n_records",
                     (json_int_t)chain.n,
                     "head",
                     chain.hash,
                     "first_bad",
                     chain.why ? json_integer((json_int_t)chain.n + 1) : json_null(),
                     "why",
                     chain.why ? chain.why : "");
    return *ret ? 0 : ERR(-ENOMEM);
}
