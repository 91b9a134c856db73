/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A whole database into another one, whatever their engines
 */

#include <stdint.h>

#include "db/db.h"

/* Outcomes of what follows, beside those of db_open() */
enum {
    DB_E_NOT_EMPTY = 6, /* there is something in it already */
    DB_E_DIFFERS = 7,   /* what was read back is not what was written; nothing is kept */
};

enum {
    DB_COPY_SUM_MAX = 65, /* 64 hex digits and the NUL */
};

struct db_copied {
    const char *table;
    uint64_t n_rows;
    const char *sum; /* of all rows, in whatever order */
};

/* Told of each table once it has been written and read back. */
typedef void db_copy_report(void *ctx, const struct db_copied *table);

/**
 * db_open_target() - a database to be filled by db_copy(): one with no tables, or where that was begun and not finished
 *
 * Nobody else can open it meanwhile, nor afterwards unless db_copy() has finished.
 *
 * Return: as of db_open(), or DB_E_NOT_EMPTY.
 */
int db_open_target(const char *address, struct db **ret);

/**
 * db_copy() - everything, in one transaction on each side
 * @to: from db_open_target()
 *
 * Each table is read back and compared by the number of its rows and their checksum; every reference is checked.
 *
 * Return: 0, DB_E_DIFFERS, or -errno.
 */
int db_copy(struct db *from, struct db *to, db_copy_report *report, void *ctx);

/**
 * db_back_up() - SQLite: all of it as it is now, into the new file @path, between transactions
 *
 * Return: 0; -EAGAIN when a transaction is open; or -errno.
 *
 * PostgreSQL: -ENOTSUP; whoever wants a copy of it can db_open() it beside the site.
 */
int db_back_up(struct db *db, const char *path);
