/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/db.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/tables.h"

struct db {
    sqlite3 *engine;                /* owned */
    sqlite3_stmt *stmts[SQL_COUNT]; /* owned; prepared at first use */
    unsigned depth;                 /* of open transactions */
    bool is_doomed;                 /* an inner transaction was rolled back */
    char why[256];
};

enum {
    BUSY_TIMEOUT_MS = 0, /* nobody else may have the file, so there is nothing to wait for */
    VALUE_MAX_BYTES = 64 * 1024 * 1024,
};

static struct db_stmt *to_handle(sqlite3_stmt *stmt)
{
    return (struct db_stmt *)stmt;
}

static sqlite3_stmt *to_stmt(const struct db_rows *rows)
{
    return (sqlite3_stmt *)rows->stmt;
}

static void stmt_freep(sqlite3_stmt **p)
{
    (void)sqlite3_finalize(*p);
}

static int fail(struct db *db, int code)
{
    (void)snprintf(db->why, sizeof(db->why), "%s", sqlite3_errmsg(db->engine));
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return ERR(-ENOMEM);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR(-EBUSY);
    case SQLITE_FULL:
        return ERR(-ENOSPC);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return ERR(-EACCES);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR(-EUCLEAN);
    case SQLITE_TOOBIG:
        return ERR(-E2BIG);
    default:
        return ERR(-EIO);
    }
}

const char *db_why(const struct db *db)
{
    return db->why;
}

static int exec(struct db *db, const char *text)
{
    int code = sqlite3_exec(db->engine, text, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : fail(db, code);
}

/* docs/decisions: what a careful SQLite handle needs, each off or other by default. */
static int harden(struct db *db)
{
    static const struct {
        int option;
        int value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        int code = sqlite3_db_config(db->engine, options[i].option, options[i].value, NULL);

        if (code != SQLITE_OK)
            return fail(db, code);
    }
    (void)sqlite3_busy_timeout(db->engine, BUSY_TIMEOUT_MS);
    (void)sqlite3_limit(db->engine, SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES);
    (void)sqlite3_limit(db->engine, SQLITE_LIMIT_ATTACHED, 0);
    /* locking_mode=EXCLUSIVE in WAL mode: no shared memory, and a second process is refused. */
    return exec(db,
                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "PRAGMA wal_autocheckpoint=0; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;"
                "PRAGMA journal_size_limit=16777216; PRAGMA secure_delete=FAST");
}

static int prepare(struct db *db, const char *text, sqlite3_stmt **ret)
{
    int code = sqlite3_prepare_v3(db->engine, text, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);

    return code == SQLITE_OK ? 0 : fail(db, code);
}

/* Return: 0 if it is to be applied, DB_ROW if it is there as it should be, DB_E_CHANGED, or -errno. */
static int migration_state(struct db *db, const struct db_migration *migration)
{
    OWN(stmt_freep) sqlite3_stmt *stmt = NULL;
    int r = prepare(db, "SELECT sha256 FROM schema_migration WHERE number = ?1", &stmt);
    int code;

    if (r < 0)
        return TRACE(r);
    (void)sqlite3_bind_int(stmt, 1, migration->number);
    code = sqlite3_step(stmt);
    if (code == SQLITE_DONE)
        return 0;
    if (code != SQLITE_ROW)
        return fail(db, code);
    if (strcmp((const char *)sqlite3_column_text(stmt, 0), migration->sha256[DB_SQLITE]) != 0)
        return DB_E_CHANGED;
    return DB_ROW;
}

static int record(struct db *db, const struct db_migration *migration)
{
    OWN(stmt_freep) sqlite3_stmt *stmt = NULL;
    int r = prepare(db,
                    "INSERT INTO schema_migration (number, name, sha256, applied_at)"
                    " VALUES (?1, ?2, ?3, datetime('now'))",
                    &stmt);
    int code;

    if (r < 0)
        return TRACE(r);
    (void)sqlite3_bind_int(stmt, 1, migration->number);
    (void)sqlite3_bind_text(stmt, 2, migration->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 3, migration->sha256[DB_SQLITE], -1, SQLITE_STATIC);
    code = sqlite3_step(stmt);
    return code == SQLITE_DONE ? 0 : fail(db, code);
}

static int migrate_one(struct db *db, const struct db_migration *migration)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = db_begin(db, &tx);

    if (r < 0)
        return TRACE(r);
    r = exec(db, migration->text[DB_SQLITE]);
    if (r < 0)
        return TRACE(r);
    r = record(db, migration);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

static int newest_number(struct db *db, int *ret)
{
    OWN(stmt_freep) sqlite3_stmt *stmt = NULL;
    int r = prepare(db, "SELECT coalesce(max(number), 0) FROM schema_migration", &stmt);
    int code;

    if (r < 0)
        return TRACE(r);
    code = sqlite3_step(stmt);
    if (code != SQLITE_ROW)
        return fail(db, code);
    *ret = sqlite3_column_int(stmt, 0);
    return 0;
}

static int migrate(struct db *db)
{
    int newest = 0;
    int n = 0;
    int r = exec(db,
                 "CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER PRIMARY KEY,"
                 " name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT");

    if (r < 0)
        return TRACE(r);
    r = newest_number(db, &newest);
    if (r < 0)
        return TRACE(r);
    while (db_migrations[n].name)
        n++;
    if (newest > n)
        return DB_E_NEWER;

    for (int i = 0; i < n; i++) {
        r = migration_state(db, &db_migrations[i]);
        if (r == DB_E_CHANGED)
            return DB_E_CHANGED;
        if (r == 0)
            r = migrate_one(db, &db_migrations[i]);
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

DEFINE_FREEP(struct db *, db_free);

int db_open(const char *path, struct db **ret)
{
    OWN(db_freep) struct db *db = calloc(1, sizeof(*db));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW |
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code;
    int r;

    if (!db)
        return ERR(-ENOMEM);
    code = sqlite3_open_v2(path, &db->engine, flags, NULL);
    if (code != SQLITE_OK)
        return db->engine ? fail(db, code) : ERR(-ENOMEM);
    r = harden(db);
    if (r == 0)
        r = migrate(db);
    if (r < 0 && (sqlite3_errcode(db->engine) & 0xff) == SQLITE_BUSY)
        return DB_E_IN_USE;
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return r;
    *ret = TAKE(db);
    return 0;
}

void db_free(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(db->stmts[i]);
    (void)sqlite3_close(db->engine); /* the last handle also checkpoints */
    free(db);
}

int db_begin(struct db *db, struct db **ret)
{
    if (db->depth == 0) {
        int r = exec(db, "BEGIN IMMEDIATE");

        if (r < 0)
            return TRACE(r);
        db->is_doomed = false;
    }
    db->depth++;
    *ret = db;
    return 0;
}

int db_commit(struct db **tx)
{
    struct db *db = *tx;

    assert(db && db->depth > 0);
    if (db->depth > 1) {
        *tx = NULL;
        db->depth--;
        return 0;
    }
    if (db->is_doomed)
        return ERR(-ECANCELED);

    int r = exec(db, "COMMIT");

    if (r < 0)
        return TRACE(r);
    *tx = NULL;
    db->depth = 0;
    return 0;
}

void db_rollbackp(struct db **tx)
{
    struct db *db = *tx;

    if (!db)
        return;
    assert(db->depth > 0);
    if (--db->depth == 0)
        (void)sqlite3_exec(db->engine, "ROLLBACK", NULL, NULL, NULL);
    else
        db->is_doomed = true;
}

static int bind_one(sqlite3_stmt *stmt, int at, const struct db_value *value)
{
    switch (value->type) {
    case DB_NULL:
        return sqlite3_bind_null(stmt, at);
    case DB_U64:
        if (value->n > INT64_MAX)
            return SQLITE_RANGE;
        return sqlite3_bind_int64(stmt, at, (sqlite3_int64)value->n);
    case DB_TEXT:
    default:
        return sqlite3_bind_text64(stmt,
                                   at,
                                   value->text.ptr ? (const char *)value->text.ptr : "",
                                   value->text.len,
                                   SQLITE_TRANSIENT,
                                   SQLITE_UTF8);
    }
}

int db_prepare(struct db *db, enum db_sql sql)
{
    sqlite3_stmt **slot = &db->stmts[sql];

    return *slot ? 0 : TRACE(prepare(db, db_statements[sql].text[DB_SQLITE], slot));
}

int db_select(struct db *db, enum db_sql sql, struct db_args args, struct db_rows *ret)
{
    sqlite3_stmt **slot = &db->stmts[sql];
    int r = db_prepare(db, sql);

    if (r < 0)
        return TRACE(r);
    assert(!sqlite3_stmt_busy(*slot));
    assert((size_t)sqlite3_bind_parameter_count(*slot) == args.n);

    for (size_t i = 0; i < args.n; i++) {
        int code = bind_one(*slot, (int)i + 1, &args.values[i]);

        if (code != SQLITE_OK)
            return fail(db, code);
    }
    *ret = (struct db_rows){.stmt = to_handle(*slot), .db = db};
    return 0;
}

int db_next(struct db_rows *rows)
{
    int code = sqlite3_step(to_stmt(rows));

    if (code == SQLITE_ROW)
        return DB_ROW;
    if (code == SQLITE_DONE)
        return 0;
    return fail(rows->db, code);
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
    (void)sqlite3_reset(to_stmt(rows));
    (void)sqlite3_clear_bindings(to_stmt(rows));
    rows->stmt = NULL;
}

int db_run(struct db *db, enum db_sql sql, struct db_args args, uint64_t *ret_changes)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(db, sql, args, &rows);
    int code;

    if (r < 0)
        return TRACE(r);
    code = sqlite3_step(to_stmt(&rows));
    if ((code & 0xff) == SQLITE_CONSTRAINT) {
        (void)snprintf(db->why, sizeof(db->why), "%s", sqlite3_errmsg(db->engine));
        return DB_E_EXISTS;
    }
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return fail(db, code);
    if (ret_changes)
        *ret_changes = (uint64_t)sqlite3_changes64(db->engine);
    return 0;
}

int db_must(struct db *db, enum db_sql sql, struct db_args args)
{
    int r = db_run(db, sql, args, NULL);

    return r > 0 ? ERR(-EIO) : TRACE(r);
}

size_t db_n_columns(const struct db_rows *rows)
{
    return (size_t)sqlite3_column_count(to_stmt(rows));
}

const char *db_column_name(const struct db_rows *rows, size_t column)
{
    return sqlite3_column_name(to_stmt(rows), (int)column);
}

enum db_type db_column_type(const struct db_rows *rows, size_t column)
{
    switch (sqlite3_column_type(to_stmt(rows), (int)column)) {
    case SQLITE_INTEGER:
        return DB_U64;
    case SQLITE_NULL:
        return DB_NULL;
    default:
        return DB_TEXT;
    }
}

const char *db_get_text(const struct db_rows *rows, size_t column)
{
    const unsigned char *text = sqlite3_column_text(to_stmt(rows), (int)column);

    return text ? (const char *)text : "";
}

uint64_t db_get_u64(const struct db_rows *rows, size_t column)
{
    sqlite3_int64 n = sqlite3_column_int64(to_stmt(rows), (int)column);

    return n > 0 ? (uint64_t)n : 0;
}

bool db_get_bool(const struct db_rows *rows, size_t column)
{
    return db_get_u64(rows, column) != 0;
}

int db_checkpoint(struct db *db)
{
    int code;

    if (db->depth > 0)
        return 0;
    code = sqlite3_wal_checkpoint_v2(db->engine, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return code == SQLITE_OK ? 0 : fail(db, code);
}
