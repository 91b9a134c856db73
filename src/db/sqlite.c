/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    BUSY_TIMEOUT_MS = 0, /* nobody else may write, so there is nothing to wait for */
    READER_TIMEOUT_MS = 2000,
    LOG_MAX_FRAMES = 4096, /* of the write-ahead log, until it is cut: 16 MiB in pages of 4 KiB */
    VALUE_MAX_BYTES = 64 * 1024 * 1024,
};

int sqlite_fail(struct db *db, int code)
{
    (void)snprintf(db->why, sizeof(db->why), "%s", sqlite3_errmsg(to_sqlite(db)->engine));
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

static const char *const frames[SQLITE_FRAMES] = {
    "BEGIN IMMEDIATE", "BEGIN", "COMMIT", "SAVEPOINT p", "RELEASE p", "SAVEPOINT t", "RELEASE t"};

/* Parsing them anew with each request would cost more than carrying them out. */
static int run_frame(struct sqlite *lite, size_t which)
{
    sqlite3_stmt **slot = &lite->frames[which];
    int code = SQLITE_OK;

    if (!*slot)
        code = sqlite3_prepare_v3(
            lite->engine, frames[which], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
    if (code != SQLITE_OK)
        return code;
    (void)sqlite3_step(*slot);
    return sqlite3_reset(*slot);
}

static int exec(struct db *db, const char *text)
{
    size_t which = 0;
    int code;

    while (which < SQLITE_FRAMES && strcmp(frames[which], text) != 0)
        which++;
    code = which < SQLITE_FRAMES ? run_frame(to_sqlite(db), which)
                                 : sqlite3_exec(to_sqlite(db)->engine, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : sqlite_fail(db, code);
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
        int code =
            sqlite3_db_config(to_sqlite(db)->engine, options[i].option, options[i].value, NULL);

        if (code != SQLITE_OK)
            return sqlite_fail(db, code);
    }
    (void)sqlite3_limit(to_sqlite(db)->engine, SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES);
    (void)sqlite3_limit(to_sqlite(db)->engine, SQLITE_LIMIT_ATTACHED, 0);
    /* on every handle: SQLite would checkpoint by itself otherwise */
    return exec(db, "PRAGMA wal_autocheckpoint=0; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY");
}

static int set_up_writer(struct db *db)
{
    int r = harden(db);

    (void)sqlite3_busy_timeout(to_sqlite(db)->engine, BUSY_TIMEOUT_MS);
    if (r < 0)
        return TRACE(r);
    return exec(db,
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "PRAGMA journal_size_limit=16777216; PRAGMA secure_delete=FAST;"
                "PRAGMA cache_size=-32768;" /* KiB; taken as it is needed */
                "BEGIN IMMEDIATE; COMMIT");
}

/*
 * Of the file itself, by flock(): SQLite's own locks are of another kind and do not meet it. It is opened before SQLite opens it
 * and closed after, since closing any descriptor of a file ends all locks of SQLite's kind that the process has on it.
 */
static int lock_file(struct sqlite *lite, const char *path)
{
    if (strcmp(path, ":memory:") == 0)
        return 0;
    lite->lock_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (lite->lock_fd < 0)
        return 0; /* SQLite will say why */
    if (flock(lite->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    (void)snprintf(lite->db.why, sizeof(lite->db.why), "another process has it open");
    return errno == EWOULDBLOCK ? DB_E_IN_USE : ERR(-errno);
}

static const struct db_ops ops;

static struct sqlite *new_handle(struct db **ret)
{
    struct sqlite *lite = calloc(1, sizeof(*lite));

    if (!lite)
        return NULL;
    lite->db.ops = &ops;
    lite->lock_fd = -1;
    *ret = &lite->db;
    return lite;
}

static int open_engine(struct sqlite *lite, const char *path, int flags)
{
    int code =
        sqlite3_open_v2(path,
                        &lite->engine,
                        flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        NULL);

    if (code == SQLITE_OK)
        return 0;
    return lite->engine ? sqlite_fail(&lite->db, code) : ERR(-ENOMEM);
}

int db_sqlite_open(const char *path, struct db **ret)
{
    struct sqlite *lite = new_handle(ret);
    int r = lite ? lock_file(lite, path) : ERR(-ENOMEM);

    if (r != 0)
        return TRACE(r);
    r = open_engine(lite, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (r == 0)
        r = set_up_writer(&lite->db);
    if (r < 0 && lite->engine && (sqlite3_errcode(lite->engine) & 0xff) == SQLITE_BUSY)
        return DB_E_IN_USE;
    return TRACE(r);
}

int db_sqlite_open_reader(const char *path, struct db **ret)
{
    struct sqlite *lite = new_handle(ret);
    int r = lite ? open_engine(lite, path, SQLITE_OPEN_READONLY) : ERR(-ENOMEM);

    if (r == 0)
        r = harden(&lite->db);
    if (r < 0)
        return TRACE(r);
    (void)sqlite3_busy_timeout(lite->engine, READER_TIMEOUT_MS);
    return exec(&lite->db, "PRAGMA query_only=ON");
}

static void sqlite_close(struct db *db)
{
    struct sqlite *lite = to_sqlite(db);

    for (size_t i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(lite->stmts[i]);
    for (size_t i = 0; i < SQLITE_FRAMES; i++)
        (void)sqlite3_finalize(lite->frames[i]);
    (void)sqlite3_finalize(lite->load);
    (void)sqlite3_close(lite->engine); /* the last handle also checkpoints: the writer's */
    fd_closep(&lite->lock_fd);
    free(lite);
}

static int sqlite_begin(struct db *db)
{
    return TRACE(exec(db, "BEGIN IMMEDIATE"));
}

/* What it shows is fixed by the first thing that is read. */
static int sqlite_begin_snapshot(struct db *db)
{
    return TRACE(exec(db, "BEGIN"));
}

static int sqlite_commit(struct db *db)
{
    return TRACE(exec(db, "COMMIT"));
}

static void sqlite_rollback(struct db *db)
{
    (void)sqlite3_exec(to_sqlite(db)->engine, "ROLLBACK", NULL, NULL, NULL);
}

/* It rolls back by itself when the disk is full or fails. */
static bool sqlite_is_open(struct db *db)
{
    return sqlite3_get_autocommit(to_sqlite(db)->engine) == 0;
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
    case DB_I64:
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

static int sqlite_prepare(struct db *db, enum db_sql sql)
{
    struct sqlite *lite = to_sqlite(db);
    sqlite3_stmt **slot = &lite->stmts[sql];
    const char *text = db_statements[sql].text[DB_SQLITE];
    int code;

    if (*slot)
        return 0;
    code = sqlite3_prepare_v3(lite->engine, text, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
    return code == SQLITE_OK ? 0 : sqlite_fail(db, code);
}

static int sqlite_select(struct db *db, enum db_sql sql, struct db_args args, struct db_rows *ret)
{
    sqlite3_stmt *stmt;
    int r = sqlite_prepare(db, sql);

    if (r < 0)
        return TRACE(r);
    stmt = to_sqlite(db)->stmts[sql];
    assert(!sqlite3_stmt_busy(stmt));
    assert((size_t)sqlite3_bind_parameter_count(stmt) == args.n);

    for (size_t i = 0; i < args.n; i++) {
        int code = bind_one(stmt, (int)i + 1, &args.values[i]);

        if (code != SQLITE_OK)
            return sqlite_fail(db, code);
    }
    *ret = (struct db_rows){.stmt = (struct db_stmt *)stmt, .db = db};
    return 0;
}

static int sqlite_next(struct db_rows *rows)
{
    int code = sqlite3_step(sqlite_stmt_of(rows));

    if (code == SQLITE_ROW)
        return DB_ROW;
    if (code == SQLITE_DONE)
        return 0;
    return sqlite_fail(rows->db, code);
}

static void sqlite_rows_fini(struct db_rows *rows)
{
    struct sqlite *lite = to_sqlite(rows->db);

    if (sqlite_stmt_of(rows) == lite->scan) {
        (void)sqlite3_finalize(TAKE(lite->scan));
        return;
    }
    (void)sqlite3_reset(sqlite_stmt_of(rows));
    (void)sqlite3_clear_bindings(sqlite_stmt_of(rows));
}

static int sqlite_run(struct db *db, enum db_sql sql, struct db_args args, uint64_t *ret_changes)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = sqlite_select(db, sql, args, &rows);
    int code;

    if (r < 0)
        return TRACE(r);
    code = sqlite3_step(sqlite_stmt_of(&rows));
    if ((code & 0xff) == SQLITE_CONSTRAINT) {
        (void)sqlite_fail(db, code);
        return DB_E_EXISTS;
    }
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return sqlite_fail(db, code);
    if (ret_changes)
        *ret_changes = (uint64_t)sqlite3_changes64(to_sqlite(db)->engine);
    return 0;
}

static int sqlite_must(struct db *db, enum db_sql sql, struct db_args args)
{
    int r = sqlite_run(db, sql, args, NULL);

    return r > 0 ? ERR(-EIO) : TRACE(r);
}

static size_t sqlite_n_columns(const struct db_rows *rows)
{
    return (size_t)sqlite3_column_count(sqlite_stmt_of(rows));
}

static const char *sqlite_column_name(const struct db_rows *rows, size_t column)
{
    return sqlite3_column_name(sqlite_stmt_of(rows), (int)column);
}

static enum db_type sqlite_column_type(const struct db_rows *rows, size_t column)
{
    switch (sqlite3_column_type(sqlite_stmt_of(rows), (int)column)) {
    case SQLITE_INTEGER:
        return DB_U64;
    case SQLITE_NULL:
        return DB_NULL;
    default:
        return DB_TEXT;
    }
}

static const char *sqlite_get_text(const struct db_rows *rows, size_t column)
{
    const unsigned char *text = sqlite3_column_text(sqlite_stmt_of(rows), (int)column);

    return text ? (const char *)text : "";
}

static uint64_t sqlite_get_u64(const struct db_rows *rows, size_t column)
{
    sqlite3_int64 n = sqlite3_column_int64(sqlite_stmt_of(rows), (int)column);

    return n > 0 ? (uint64_t)n : 0;
}

/* Without waiting for a reader; the log is cut if it has grown, and begun anew otherwise. */
static int sqlite_checkpoint(struct db *db)
{
    sqlite3 *engine = to_sqlite(db)->engine;
    int n_frames = 0;
    int n_moved = 0;
    int code =
        sqlite3_wal_checkpoint_v2(engine, NULL, SQLITE_CHECKPOINT_PASSIVE, &n_frames, &n_moved);

    if (code == SQLITE_OK && n_frames > LOG_MAX_FRAMES && n_moved == n_frames)
        code = sqlite3_wal_checkpoint_v2(engine, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY ? 0 : sqlite_fail(db, code);
}

static const struct db_ops ops = {
    .engine = DB_SQLITE,
    .close = sqlite_close,
    .exec = exec,
    .begin = sqlite_begin,
    .begin_snapshot = sqlite_begin_snapshot,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .is_open = sqlite_is_open,
    .prepare = sqlite_prepare,
    .select = sqlite_select,
    .next = sqlite_next,
    .rows_fini = sqlite_rows_fini,
    .run = sqlite_run,
    .must = sqlite_must,
    .n_columns = sqlite_n_columns,
    .column_name = sqlite_column_name,
    .column_type = sqlite_column_type,
    .get_text = sqlite_get_text,
    .get_u64 = sqlite_get_u64,
    .checkpoint = sqlite_checkpoint,
    .copy = &sqlite_copy_ops,
};
