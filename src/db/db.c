/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/db.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/own.h"
#include "db/copy.h"
#include "db/engine.h"

enum {
    ARGS_MAX = 64,
};

/* Of the last db_open() that failed: there is no handle to keep it. */
static char open_why[DB_WHY_MAX];

DEFINE_FREEP(struct db *, db_free);

bool db_is_postgresql(const char *address)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};

    return strncmp(address, schemes[0], strlen(schemes[0])) == 0 ||
           strncmp(address, schemes[1], strlen(schemes[1])) == 0;
}

/* With the lock of who changes the schema. */
static int migrate_postgresql(struct db *db)
{
    int r = db_postgresql_lock_schema(db);

    if (r == 0)
        r = db_migrate(db);
    return r == 0 ? TRACE(db_postgresql_unlock_schema(db)) : TRACE(r);
}

static int open_any(const char *address, struct db **ret)
{
    int r;

    if (!db_is_postgresql(address)) {
        r = db_sqlite_open(address, ret);
        return r == 0 ? TRACE(db_migrate(*ret)) : TRACE(r);
    }
    r = db_postgresql_open(address, ret);
    if (r == 0)
        r = db_postgresql_check_finished(*ret);
    return r == 0 ? TRACE(migrate_postgresql(*ret)) : TRACE(r);
}

static int open_target(const char *address, struct db **ret)
{
    int r;

    if (!db_is_postgresql(address)) {
        struct stat st;

        if (stat(address, &st) == 0)
            return DB_E_NOT_EMPTY;
        return TRACE(open_any(address, ret));
    }
    r = db_postgresql_open(address, ret);
    if (r == 0)
        r = db_postgresql_take(*ret);
    return r == 0 ? TRACE(migrate_postgresql(*ret)) : TRACE(r);
}

static int open_reader(const char *address, struct db **ret)
{
    int r = db_is_postgresql(address) ? db_postgresql_open_reader(address, ret)
                                      : db_sqlite_open_reader(address, ret);

    if (r == 0)
        (*ret)->is_reader = (*ret)->is_read_only = true;
    return TRACE(r);
}

static int
open_by(int (*open)(const char *address, struct db **ret), const char *address, struct db **ret)
{
    OWN(db_freep) struct db *db = NULL;
    int r = open(address, &db);

    (void)snprintf(open_why, sizeof(open_why), "%s", db ? db->why : "");
    if (r != 0)
        return TRACE(r);
    *ret = TAKE(db);
    return 0;
}

int db_open(const char *address, struct db **ret)
{
    return TRACE(open_by(open_any, address, ret));
}

int db_open_target(const char *address, struct db **ret)
{
    return TRACE(open_by(open_target, address, ret));
}

int db_open_reader(const char *address, struct db **ret)
{
    return TRACE(open_by(open_reader, address, ret));
}

int db_snapshot_begin(struct db *db)
{
    int r;

    assert(db->is_reader && db->depth == 0);
    r = db->ops->begin_snapshot(db);
    if (r == 0)
        db->depth = 1;
    return TRACE(r);
}

void db_snapshot_end(struct db *db)
{
    assert(db->is_reader && db->depth == 1);
    db->ops->rollback(db);
    db->depth = 0;
}

bool db_is_shared(const struct db *db)
{
    return db->ops->engine == DB_POSTGRESQL;
}

void db_free(struct db *db)
{
    if (db)
        db->ops->close(db);
}

const char *db_why(const struct db *db)
{
    return db ? db->why : open_why;
}

void db_set_principal(struct db *db, const char *id)
{
    assert(strlen(id) < sizeof(db->principal));
    (void)snprintf(db->principal, sizeof(db->principal), "%s", id);
}

const char *db_principal(const struct db *db)
{
    return db->principal;
}

void db_set_read_only(struct db *db, bool is_on)
{
    db->is_read_only = is_on || db->is_reader;
}

bool db_is_read_only(const struct db *db)
{
    return db->is_read_only;
}

/* What the engine has given up is not gone on with. Return: @r. */
static int watch_batch(struct db *db, int r)
{
    if (r >= 0 || db->batch != DB_BATCH_OPEN || db->ops->is_open(db))
        return r;
    db->batch = DB_BATCH_LOST;
    db->batch_error = r;
    return r;
}

static bool is_given_up(struct db *db)
{
    (void)watch_batch(db, -EAGAIN);
    return db->batch == DB_BATCH_LOST;
}

/* What is asked in the transaction from now on can be taken back, and its failure is the request's own. */
static int enter_part(struct db *db)
{
    int r;

    if (db->part != DB_PART_READY || db->batch != DB_BATCH_OPEN)
        return 0;
    r = watch_batch(db, db->ops->exec(db, "SAVEPOINT p"));
    if (r == 0)
        db->part = DB_PART_OPEN;
    return TRACE(r);
}

/* The batch begins with the first change. Who cannot begin it in time shall not have each of the others wait again. */
static int enter_batch(struct db *db)
{
    int r;

    /* looked at first: a SAVEPOINT where none is open would begin a transaction */
    if (is_given_up(db))
        return ERR(-EAGAIN);
    if (db->batch == DB_BATCH_READY) {
        r = db->ops->begin(db);
        db->batch = r == 0 ? DB_BATCH_OPEN : DB_BATCH_LOST;
        db->batch_error = r;
        if (r < 0)
            return TRACE(r);
    }
    return TRACE(enter_part(db));
}

void db_part_begin(struct db *db)
{
    assert(db->part == DB_PART_OFF && db->depth == 0);
    db->part = DB_PART_READY;
}

int db_part_end(struct db *db, bool is_kept)
{
    bool is_open = db->part == DB_PART_OPEN && db->batch == DB_BATCH_OPEN;

    assert(db->part != DB_PART_OFF && db->depth == 0);
    db->part = DB_PART_OFF;
    if (!is_open)
        return 0;
    return TRACE(
        watch_batch(db, db->ops->exec(db, is_kept ? "RELEASE p" : "ROLLBACK TO p; RELEASE p")));
}

void db_batch_begin(struct db *db)
{
    assert(db->batch == DB_BATCH_OFF && db->depth == 0);
    db->batch = DB_BATCH_READY;
}

int db_batch_lock(struct db *db)
{
    return db->ops->engine == DB_POSTGRESQL && db->batch == DB_BATCH_READY ? TRACE(enter_batch(db))
                                                                           : 0;
}

int db_batch_commit(struct db *db)
{
    enum db_batch batch = db->batch;
    int r;

    assert(batch != DB_BATCH_OFF && db->depth == 0);
    if (batch == DB_BATCH_LOST) {
        db->ops->rollback(db);
        db->batch = DB_BATCH_OFF;
        return ERR(db->batch_error);
    }
    r = batch == DB_BATCH_OPEN ? db->ops->commit(db) : 0;
    if (r < 0)
        db->ops->rollback(db);
    db->batch = DB_BATCH_OFF;
    return TRACE(r);
}

bool db_batch_has_changes(const struct db *db)
{
    return db->batch == DB_BATCH_OPEN || db->batch == DB_BATCH_LOST;
}

int db_begin(struct db *db, struct db **ret)
{
    int r;

    if (db->is_read_only)
        return ERR(-EROFS);
    r = enter_batch(db);
    if (r == 0)
        r = db_is_in_transaction(db) ? watch_batch(db, db->ops->exec(db, "SAVEPOINT t"))
                                     : db->ops->begin(db);
    if (r < 0)
        return TRACE(r);
    db->depth++;
    *ret = db;
    return 0;
}

/* Whether the innermost transaction is one of its own, not a part of another. */
static bool is_outermost(const struct db *db)
{
    return db->depth == 1 && db->batch == DB_BATCH_OFF;
}

int db_commit(struct db **tx)
{
    struct db *db = *tx;
    int r;

    assert(db && db->depth > 0);
    if (db->batch == DB_BATCH_LOST)
        return ERR(-EAGAIN);
    if (is_outermost(db))
        r = db->ops->commit(db);
    else
        r = watch_batch(db, db->ops->exec(db, "RELEASE t"));
    if (r < 0)
        return TRACE(r);
    *tx = NULL;
    db->depth--;
    return 0;
}

void db_rollbackp(struct db **tx)
{
    struct db *db = *tx;

    if (!db)
        return;
    assert(db->depth > 0);
    if (is_outermost(db))
        db->ops->rollback(db);
    else if (db->batch != DB_BATCH_LOST)
        (void)watch_batch(db, db->ops->exec(db, "ROLLBACK TO t; RELEASE t"));
    db->depth--;
}

int db_prepare(struct db *db, enum db_sql sql)
{
    return TRACE(db->ops->prepare(db, sql));
}

/* What was given, and behind it in whose name the statement runs. @values has room for both. */
static struct db_args all_args(struct db *db,
                               enum db_sql sql,
                               struct db_args args,
                               struct db_value values[static ARGS_MAX + 1])
{
    if (!db_statements[sql].has_principal)
        return args;
    assert(args.n <= ARGS_MAX);
    if (args.n > 0)
        memcpy(values, args.values, args.n * sizeof(*values));
    values[args.n] = db_text(db->principal);
    return (struct db_args){values, args.n + 1};
}

static int before_statement(struct db *db, enum db_sql sql)
{
    bool is_read = db_statements[sql].is_read;

    if (db->is_read_only && !is_read)
        return ERR(-EROFS);
    return is_read && db->batch == DB_BATCH_READY ? 0 : TRACE(enter_batch(db));
}

int db_select(struct db *db, enum db_sql sql, struct db_args args, struct db_rows *ret)
{
    struct db_value values[ARGS_MAX + 1];

    int r = before_statement(db, sql);

    if (r < 0)
        return TRACE(r);
    return TRACE(watch_batch(db, db->ops->select(db, sql, all_args(db, sql, args, values), ret)));
}

int db_next(struct db_rows *rows)
{
    return TRACE(watch_batch(rows->db, rows->db->ops->next(rows)));
}

int db_first(struct db *db, enum db_sql sql, struct db_args args, struct db_rows *ret)
{
    int r = db_select(db, sql, args, ret);

    return r < 0 ? TRACE(r) : TRACE(db_next(ret));
}

void db_rows_fini(struct db_rows *rows)
{
    if (!rows->stmt)
        return;
    rows->db->ops->rows_fini(rows);
    rows->stmt = NULL;
}

int db_run(struct db *db, enum db_sql sql, struct db_args args, uint64_t *ret_changes)
{
    struct db_value values[ARGS_MAX + 1];

    int r = before_statement(db, sql);

    if (r < 0)
        return TRACE(r);
    return TRACE(
        watch_batch(db, db->ops->run(db, sql, all_args(db, sql, args, values), ret_changes)));
}

int db_must(struct db *db, enum db_sql sql, struct db_args args)
{
    struct db_value values[ARGS_MAX + 1];

    int r = before_statement(db, sql);

    if (r < 0)
        return TRACE(r);
    return TRACE(watch_batch(db, db->ops->must(db, sql, all_args(db, sql, args, values))));
}

size_t db_n_columns(const struct db_rows *rows)
{
    return rows->db->ops->n_columns(rows);
}

const char *db_column_name(const struct db_rows *rows, size_t column)
{
    return rows->db->ops->column_name(rows, column);
}

enum db_type db_column_type(const struct db_rows *rows, size_t column)
{
    return rows->db->ops->column_type(rows, column);
}

const char *db_get_text(const struct db_rows *rows, size_t column)
{
    return rows->db->ops->get_text(rows, column);
}

uint64_t db_get_u64(const struct db_rows *rows, size_t column)
{
    return rows->db->ops->get_u64(rows, column);
}

bool db_get_bool(const struct db_rows *rows, size_t column)
{
    return db_get_u64(rows, column) != 0;
}

int db_checkpoint(struct db *db)
{
    return db_is_in_transaction(db) ? 0 : TRACE(db->ops->checkpoint(db));
}
