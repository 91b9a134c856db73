/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/engine.h"

/* Return: 0 if it is to be applied, DB_ROW if it is there as it should be, DB_E_CHANGED, or -errno. */
static int migration_state(struct db *db, const struct db_migration *migration)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(db, SQL_MIGRATION_SUM, DB_ARGS(db_u64((uint64_t)migration->number)), &rows);

    if (r != DB_ROW)
        return TRACE(r);
    if (strcmp(db_get_text(&rows, 0), migration->sha256[db->ops->engine]) != 0)
        return DB_E_CHANGED;
    return DB_ROW;
}

static int apply(struct db *db, const struct db_migration *migration)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = db_begin(db, &tx);

    if (r < 0)
        return TRACE(r);
    r = db->ops->exec(db, migration->text[db->ops->engine]);
    if (r < 0)
        return TRACE(r);
    r = db_must(db,
                SQL_MIGRATION_RECORD,
                DB_ARGS(db_u64((uint64_t)migration->number),
                        db_text(migration->name),
                        db_text(migration->sha256[db->ops->engine])));
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

/* What may change, and is made anew when it has. */
static int apply_prelude(struct db *db)
{
    int r = migration_state(db, &db_postgresql_prelude);

    if (r < 0 || r == DB_ROW)
        return r < 0 ? TRACE(r) : 0;
    return TRACE(apply(db, &db_postgresql_prelude));
}

static int newest_number(struct db *db, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(db, SQL_MIGRATION_NEWEST, DB_NO_ARGS, &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EUCLEAN);
    *ret = db_get_u64(&rows, 0);
    return 0;
}

/* Return: 0 when all that this program knows are there, DB_E_NEWER, or -errno. */
static int begin(struct db *db, size_t n)
{
    static const char *const tables[DB_N_ENGINES] = {
        [DB_SQLITE] = "CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER PRIMARY KEY,"
                      " name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT",
        [DB_POSTGRESQL] = "CREATE TABLE IF NOT EXISTS schema_migration (number bigint PRIMARY KEY,"
                          " name text NOT NULL, sha256 text NOT NULL, applied_at text NOT NULL)",
    };
    uint64_t newest = 0;
    int r = db->ops->exec(db, tables[db->ops->engine]);

    if (r < 0)
        return TRACE(r);
    r = newest_number(db, &newest);
    if (r < 0)
        return TRACE(r);
    if (newest > n)
        return DB_E_NEWER;
    return db->ops->engine == DB_POSTGRESQL ? TRACE(apply_prelude(db)) : 0;
}

int db_migrate(struct db *db)
{
    size_t n = 0;
    int r;

    while (db_migrations[n].name)
        n++;
    r = begin(db, n);
    if (r != 0)
        return TRACE(r);
    for (size_t i = 0; i < n; i++) {
        r = migration_state(db, &db_migrations[i]);
        if (r == DB_E_CHANGED)
            return DB_E_CHANGED;
        if (r == 0)
            r = apply(db, &db_migrations[i]);
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}
