/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The site database: named statements, values in, rows out
 *
 *     OWN(db_rows_fini) struct db_rows rows = {0};
 *     int r = db_select(db, SQL_DEVICE_BY_MAC, DB_ARGS(db_text(mac)), &rows);
 *
 *     if (r < 0)
 *         return TRACE(r);
 *     while ((r = db_next(&rows)) == DB_ROW)
 *         use(db_get_text(&rows, 0));
 *     if (r < 0)
 *         return TRACE(r);
 *
 * Every statement is written in src/db/sql/ and has a name there; there is no way to run any other text.
 * Behind it is SQLite or PostgreSQL, by the address that is opened. One process has one handle that writes, and beside it as many
 * as it likes that only read, each for one thread at a time. Of SQLite the one that writes is also the only one to checkpoint
 * (SQLite before 3.51.3 can damage the file otherwise).
 *
 * Of PostgreSQL, -EAGAIN says that another process was in the way and that nothing of the transaction is kept: the whole of
 * it is done again, from what it read at first. Outside a transaction the engine has done that itself. -ECONNRESET: the
 * server is gone, nothing was changed. -ECONNABORTED: it went while it was told to commit, so nobody knows; who asked looks
 * before asking again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "db/statements.h" /* generated: enum db_sql */

struct db;
struct db_stmt;

/* Outcomes beside 0 */
enum {
    DB_ROW = 1,       /* db_next(), db_first(): there is a row */
    DB_E_NEWER = 2,   /* db_open(): the schema is newer than this program */
    DB_E_CHANGED = 3, /* db_open(): a migration that was applied differs from ours */
    DB_E_IN_USE = 4,  /* db_open(): another process has the database for itself */
    DB_E_EXISTS = 5,  /* db_run(): a unique key or a reference forbids it; nothing is changed */
};

enum {
    DB_PRINCIPAL_MAX = 40,
};

enum db_type {
    DB_NULL,
    DB_U64,
    DB_I64, /* to write only: read, it is DB_U64, and its text has the sign */
    DB_TEXT,
};

struct db_value {
    enum db_type type;
    uint64_t n;        /* at most INT64_MAX */
    struct bytes text; /* UTF-8; borrowed for the call */
};

struct db_args {
    const struct db_value *values;
    size_t n;
};

#define DB_ARGS(...) \
    ((struct db_args){(const struct db_value[]){__VA_ARGS__}, \
                      sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)})
#define DB_NO_ARGS ((struct db_args){NULL, 0})

static inline struct db_value db_null(void)
{
    return (struct db_value){.type = DB_NULL};
}

static inline struct db_value db_i64(int64_t n)
{
    return (struct db_value){.type = DB_I64, .n = (uint64_t)n};
}

static inline struct db_value db_u64(uint64_t n)
{
    return (struct db_value){.type = DB_U64, .n = n};
}

/* NULL is stored as NULL. */
static inline struct db_value db_text(const char *text)
{
    return text ? (struct db_value){.type = DB_TEXT, .text = bytes_of(text)} : db_null();
}

static inline struct db_value db_bytes(struct bytes text)
{
    return (struct db_value){.type = DB_TEXT, .text = text};
}

/* The rows of one query; a zeroed one is empty. */
struct db_rows {
    struct db_stmt *stmt; /* borrowed from the handle; in use until db_rows_fini() */
    struct db *db;
};

/**
 * db_open() - open or make the database, and bring its schema up to date
 * @address: file; ":memory:" for a test's own; or "postgresql://…", as libpq knows it
 *
 * Each migration that is missing runs in a transaction of its own and is recorded with its checksum.
 *
 * Return: 0, DB_E_NEWER, DB_E_CHANGED, DB_E_IN_USE, or -errno.
 */
int db_open(const char *address, struct db **ret);

/**
 * db_open_reader() - a handle that can change nothing, on what db_open() has open in this process
 *
 * To be closed before that one. It is read-only for good; its statements run in db_snapshot_begin().
 *
 * Return: 0, DB_E_IN_USE, or -errno.
 */
int db_open_reader(const char *address, struct db **ret);

/* From here on all that is read is of one moment. */
int db_snapshot_begin(struct db *db);
void db_snapshot_end(struct db *db);

bool db_is_postgresql(const char *address);

/* Whether other processes may have it open too. */
bool db_is_shared(const struct db *db);

/* Checkpoint and close. */
void db_free(struct db *db);

/* What the engine said about the last failure, for the log; borrowed. @db: NULL for the last db_open() that failed. */
const char *db_why(const struct db *db);

/**
 * db_set_principal() - in whose name statements run from now on
 * @id: of an administrator; "" for the site itself, which may everything; at most DB_PRINCIPAL_MAX - 1 bytes
 *
 * Statements that find, list or show things have a condition for it (src/db/sql/macros.sql): what the administrator may not
 * see is not there. No rule has to remember it, and none can give another one.
 */
void db_set_principal(struct db *db, const char *id);
const char *db_principal(const struct db *db);

/**
 * db_set_read_only() - refuse whatever would change something: db_begin() and every such statement are -EROFS then
 *
 * For as long as a request that only reads is answered. A reader's handle stays so.
 */
void db_set_read_only(struct db *db, bool is_on);
bool db_is_read_only(const struct db *db);

/**
 * db_begin(), db_commit(), db_rollback() - one transaction at a time
 *
 * A begun transaction ends on every way: db_rollback() after a commit does nothing.
 *
 *     OWN(db_rollbackp) struct db *tx = NULL;
 *     r = db_begin(db, &tx);
 *     ...
 *     r = db_commit(&tx);
 *
 * When a transaction is open already, the inner one is a part of it, a SAVEPOINT: its rollback takes back what was done in it
 * and nothing else, and what it has committed is kept if the outer one commits.
 */
int db_begin(struct db *db, struct db **ret);
int db_commit(struct db **tx);
void db_rollbackp(struct db **tx);

/**
 * db_batch_begin(), db_batch_commit() - one transaction for what several requests do, so that one commit makes it all durable
 *
 * Between the two, db_begin() begins a part of it, and what is run outside db_begin() belongs to it as well. It begins with the
 * first change. When the engine gives it up (a full disk, a connection that went), all that follows is -EAGAIN until
 * db_batch_commit() has said why.
 *
 * Return of db_batch_commit(): 0: all is durable, or nothing was changed; -EAGAIN or -ECONNRESET: nothing is kept, it may be done
 * again from its beginning; -ECONNABORTED: nobody knows; otherwise -errno, and nothing is kept. No batch is open afterwards.
 */
void db_batch_begin(struct db *db);
int db_batch_commit(struct db *db);

/**
 * db_batch_lock() - where other processes write to the same database, let the batch begin now: what is read from here on is what none
 * of them changes before we do
 *
 * With an engine that has no other writer, or when it has begun, it does nothing. Return: 0; -EAGAIN as db_begin().
 */
int db_batch_lock(struct db *db);

/* Whether there is something that db_batch_commit() has to make durable. */
bool db_batch_has_changes(const struct db *db);

/**
 * db_part_begin(), db_part_end() - what one request does of the batch
 *
 * A statement that fails does no harm to the parts before it.
 *
 * @is_kept: false: what it has changed is taken back, also outside db_begin()
 */
void db_part_begin(struct db *db);
int db_part_end(struct db *db, bool is_kept);

/* Look whether the engine understands a statement; db_select() and db_run() do it themselves. */
int db_prepare(struct db *db, enum db_sql sql);

/* Run a statement that gives no rows. @ret_changes: rows changed, or NULL. Return: 0 or DB_E_EXISTS. */
int db_run(struct db *db, enum db_sql sql, struct db_args args, uint64_t *ret_changes);

/* db_run() of a statement that no key and no reference can forbid: if one does, that is -EIO. */
int db_must(struct db *db, enum db_sql sql, struct db_args args);

/* Begin a query. Queries may be nested, but not one inside itself. */
int db_select(struct db *db, enum db_sql sql, struct db_args args, struct db_rows *ret);

/* The next row. Return: DB_ROW, 0 at the end, or -errno. */
int db_next(struct db_rows *rows);

/* db_select() and db_next(): DB_ROW or 0; @ret is to be released in both cases. */
int db_first(struct db *db, enum db_sql sql, struct db_args args, struct db_rows *ret);

void db_rows_fini(struct db_rows *rows);

/* Columns of the row, from 0. Text is "" for NULL and borrowed until the next db_next(). */
size_t db_n_columns(const struct db_rows *rows);
const char *db_column_name(const struct db_rows *rows, size_t column);
enum db_type db_column_type(const struct db_rows *rows, size_t column);
const char *db_get_text(const struct db_rows *rows, size_t column);
uint64_t db_get_u64(const struct db_rows *rows,
                    size_t column); /* 0 for NULL and negative numbers */
bool db_get_bool(const struct db_rows *rows, size_t column);

/* Move what was committed from the write-ahead log into the file; between transactions only. */
int db_checkpoint(struct db *db);
