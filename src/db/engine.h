/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What an engine gives to db.c; nobody else includes this
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"
#include "db/tables.h"

enum {
    DB_WHY_MAX = 256,
};

/* Each as the function of db.h that is named like it, without what db.c does for both. */
struct db_ops {
    enum db_engine engine;
    void (*close)(struct db *db);
    int (*exec)(struct db *db, const char *text); /* statements without values or rows */
    int (*begin)(struct db *db);
    int (*begin_snapshot)(struct db *db); /* of a reader's handle; ended by rollback */
    int (*commit)(struct db *db);
    void (*rollback)(struct db *db);
    bool (*is_open)(
        struct db *db); /* the transaction that was begun is there and can be committed */
    int (*prepare)(struct db *db, enum db_sql sql);
    int (*select)(struct db *db, enum db_sql sql, struct db_args args, struct db_rows *ret);
    int (*next)(struct db_rows *rows);
    void (*rows_fini)(struct db_rows *rows); /* rows->stmt is not NULL */
    int (*run)(struct db *db, enum db_sql sql, struct db_args args, uint64_t *ret_changes);
    int (*must)(struct db *db, enum db_sql sql, struct db_args args);
    size_t (*n_columns)(const struct db_rows *rows);
    const char *(*column_name)(const struct db_rows *rows, size_t column);
    enum db_type (*column_type)(const struct db_rows *rows, size_t column);
    const char *(*get_text)(const struct db_rows *rows, size_t column);
    uint64_t (*get_u64)(const struct db_rows *rows, size_t column);
    int (*checkpoint)(struct db *db); /* there is no transaction */
    const struct db_copy_ops *copy;
};

/* For db_copy(), which knows tables by their names. */
struct db_copy_ops {
    const char *tables; /* a query: the names of all tables, in the order of their bytes */
    const char *columns
        [2]; /* a query, before and behind a table: its columns that both engines have, likewise */
    const char *
        begin_read; /* a statement: from here on everything is as it is now, and nobody waits for us */
    /* A query that is none of our statements, one at a time and inside a transaction; rows as of select() */
    int (*scan)(struct db *db, const char *text, struct db_rows *ret);
    int (*begin)(
        struct db *db); /* into this one, in a transaction: references are looked at when it ends */
    int (*end)(struct db *db);
    /* Rows of one table: @columns "a, b"; each value is a text, NULL is NULL */
    int (*load_begin)(struct db *db, const char *table, const char *columns, size_t n_columns);
    int (*load)(struct db *db, const char *const *values, size_t n_columns);
    int (*load_end)(struct db *db);
    /* The last number that AUTOINCREMENT has given out, 0: none, or the table has none */
    int (*get_sequence)(struct db *db, const char *table, uint64_t *ret);
    int (*set_sequence)(struct db *db, const char *table, uint64_t n);
};

/* The transaction that those of several requests are parts of. */
enum db_batch {
    DB_BATCH_OFF,
    DB_BATCH_READY, /* nothing was changed yet, and nothing is begun */
    DB_BATCH_OPEN,
    DB_BATCH_LOST, /* the engine has given it up: nothing of it is kept */
};

/* What one request does of it. */
enum db_part {
    DB_PART_OFF,
    DB_PART_READY, /* nothing was asked in the transaction yet */
    DB_PART_OPEN,
};

/* The first member of what an engine keeps. */
struct db {
    const struct db_ops *ops;
    unsigned depth; /* of db_begin() */
    enum db_batch batch;
    int batch_error; /* why it is lost */
    enum db_part part;
    bool is_read_only;
    bool is_reader; /* read-only for good */
    char principal[DB_PRINCIPAL_MAX];
    char why[DB_WHY_MAX];
};

/* Whether what is run now is a part of a transaction, so that it can be taken back with it. */
static inline bool db_is_in_transaction(const struct db *db)
{
    return db->depth > 0 || db->batch == DB_BATCH_OPEN;
}

/**
 * db_sqlite_open(), db_postgresql_open() - a handle on what is there, its schema untouched
 * @ret: owned by the caller, also after a failure, when it is good for db_why() and db_free(); NULL without memory
 *
 * Return: 0, DB_E_IN_USE, or -errno.
 */
int db_sqlite_open(const char *path, struct db **ret);
int db_postgresql_open(const char *address, struct db **ret);

/* The same, of a handle that can change nothing. */
int db_sqlite_open_reader(const char *path, struct db **ret);
int db_postgresql_open_reader(const char *address, struct db **ret);

/* Have the database for oneself, and mark it unfinished until db_postgresql_finish(). Return: 0, DB_E_IN_USE, DB_E_NOT_EMPTY. */
int db_postgresql_take(struct db *db);
int db_postgresql_finish(struct db *db); /* in the transaction that fills it */

/* Return: 0, DB_E_IN_USE if it was taken and not finished, or -errno. */
int db_postgresql_check_finished(struct db *db);

/* Nobody else changes the schema meanwhile. PostgreSQL: waits for who does. Ends with the handle or unlock. */
int db_postgresql_lock_schema(struct db *db);
int db_postgresql_unlock_schema(struct db *db);

/* Apply the migrations that are missing. Return: 0, DB_E_NEWER, DB_E_CHANGED, or -errno. */
int db_migrate(struct db *db);
