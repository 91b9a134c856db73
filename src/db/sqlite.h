/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * SQLite's handle; for this engine only
 */

#include <sqlite3.h>

#include "db/engine.h"

enum {
    SQLITE_FRAMES = 7, /* statements that begin and end something, with each request */
};

struct sqlite {
    struct db db;
    sqlite3 *engine; /* owned */
    int lock_fd; /* owned; the file, flock()ed against other processes; -1: a reader, or nothing to be locked */
    sqlite3_stmt *stmts[SQL_COUNT];      /* owned; prepared at first use */
    sqlite3_stmt *frames[SQLITE_FRAMES]; /* owned; the same */
    sqlite3_stmt *scan;                  /* owned; of the one db_copy_ops.scan() */
    sqlite3_stmt *load;                  /* owned; of the table that is being filled */
};

static inline struct sqlite *to_sqlite(struct db *db)
{
    return (struct sqlite *)db; /* its first member */
}

static inline sqlite3_stmt *sqlite_stmt_of(const struct db_rows *rows)
{
    return (sqlite3_stmt *)rows->stmt;
}

/* Keep what SQLite says, and return it as -errno. */
int sqlite_fail(struct db *db, int code);

extern const struct db_copy_ops sqlite_copy_ops;
