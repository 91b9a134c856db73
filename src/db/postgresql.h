/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The connection to a PostgreSQL server; for this engine only
 */

#include <libpq-fe.h>

#include "db/engine.h"

/* Advisory locks: the first number is "SLPW", so that nobody else's are ours; the second says what for. */
#define POSTGRESQL_LOCK_SCHEMA "1397511255, 1" /* who applies migrations */
#define POSTGRESQL_LOCK_SITE   "1397511255, 2" /* shared by the site servers; alone by who moves it */
#define POSTGRESQL_LOCK_WRITE  "1397511255, 3" /* who has a transaction open: one, as with SQLite */

struct postgresql {
    struct db db;
    PGconn *conn;                /* owned */
    char *address;               /* owned; may hold a password */
    bool is_reader;              /* its sessions can change nothing */
    bool is_prepared[SQL_COUNT]; /* on this connection */
};

static inline struct postgresql *to_postgresql(struct db *db)
{
    return (struct postgresql *)db; /* its first member */
}

static inline void result_freep(PGresult **p)
{
    PQclear(*p);
}

/**
 * postgresql_connect() - connect, also again, and set up the session
 *
 * What an earlier connection had prepared is forgotten.
 *
 * Return: 0, DB_E_IN_USE, or -errno.
 */
int postgresql_connect(struct postgresql *pg);

/* The connection is gone: nothing can be asked on it any more. */
bool postgresql_is_lost(const struct postgresql *pg);

/* One statement or several without values. @ret: of the last one, owned by the caller; NULL if nobody wants it. */
int postgresql_exec(struct postgresql *pg, const char *text, PGresult **ret);

/* What a result says went wrong, as -errno, 0 if nothing did, or DB_E_EXISTS; and keep its words. @result may be NULL. */
int postgresql_check(struct postgresql *pg, const PGresult *result);

/* The rows of the cursor "scan", which has just been declared in the open transaction; a part of them at a time. */
int postgresql_scan_begin(struct db *db, struct db_rows *ret);

extern const struct db_copy_ops postgresql_copy_ops;
