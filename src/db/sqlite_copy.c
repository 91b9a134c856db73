/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "db/copy.h"
#include "db/sqlite.h"

enum {
    TEXT_MAX = 8192,
};

static int prepare(struct db *db, const char *text, sqlite3_stmt **ret)
{
    int code = sqlite3_prepare_v2(to_sqlite(db)->engine, text, -1, ret, NULL);

    return code == SQLITE_OK ? 0 : sqlite_fail(db, code);
}

static int scan(struct db *db, const char *text, struct db_rows *ret)
{
    struct sqlite *lite = to_sqlite(db);
    int r;

    assert(!lite->scan);
    r = prepare(db, text, &lite->scan);
    if (r == 0)
        *ret = (struct db_rows){.stmt = (struct db_stmt *)lite->scan, .db = db};
    return TRACE(r);
}

static int begin(struct db *db)
{
    return TRACE(db->ops->exec(db, "PRAGMA defer_foreign_keys = ON"));
}

/* The commit looks at the references. */
static int end(struct db *db)
{
    (void)db;
    return 0;
}

static int load_begin(struct db *db, const char *table, const char *columns, size_t n_columns)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX);

    buf_addf(&text, "INSERT INTO \"%s\" (%s) VALUES (?1", table, columns);
    for (size_t i = 2; i <= n_columns; i++)
        buf_addf(&text, ", ?%zu", i);
    buf_adds(&text, ")");
    assert(!to_sqlite(db)->load);
    return text.failed ? ERR(-E2BIG) : TRACE(prepare(db, buf_str(&text), &to_sqlite(db)->load));
}

/* Numbers become numbers again by the type of their column. */
static int load(struct db *db, const char *const *values, size_t n_columns)
{
    sqlite3_stmt *stmt = to_sqlite(db)->load;
    int code = sqlite3_reset(stmt);

    for (size_t i = 0; i < n_columns && code == SQLITE_OK; i++)
        code = values[i] ? sqlite3_bind_text(stmt, (int)i + 1, values[i], -1, SQLITE_STATIC)
                         : sqlite3_bind_null(stmt, (int)i + 1);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    return code == SQLITE_DONE ? 0 : sqlite_fail(db, code);
}

static int load_end(struct db *db)
{
    (void)sqlite3_finalize(TAKE(to_sqlite(db)->load));
    return 0;
}

static int get_sequence(struct db *db, const char *table, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char text[256];
    int r;

    (void)snprintf(text, sizeof(text), "SELECT seq FROM sqlite_sequence WHERE name = '%s'", table);
    r = scan(db, text, &rows);
    if (r == 0)
        r = db_next(&rows);
    *ret = r == DB_ROW ? db_get_u64(&rows, 0) : 0;
    return r < 0 ? TRACE(r) : 0;
}

static int set_sequence(struct db *db, const char *table, uint64_t n)
{
    char text[512];

    (void)snprintf(text,
                   sizeof(text),
                   "DELETE FROM sqlite_sequence WHERE name = '%s';"
                   "INSERT INTO sqlite_sequence (name, seq) VALUES ('%s', %llu)",
                   table,
                   table,
                   (unsigned long long)n);
    return TRACE(db->ops->exec(db, text));
}

static void engine_closep(sqlite3 **p)
{
    (void)sqlite3_close(*p);
}

int db_back_up(struct db *db, const char *path)
{
    OWN(engine_closep) sqlite3 *target = NULL;
    sqlite3_backup *backup;
    int code;

    if (db->ops->engine != DB_SQLITE)
        return ERR(-ENOTSUP);
    if (db_is_in_transaction(db))
        return ERR(-EAGAIN); /* what is not committed may never be */
    code = sqlite3_open_v2(
        path, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL);
    if (code != SQLITE_OK)
        return sqlite_fail(db, code);
    backup = sqlite3_backup_init(target, "main", to_sqlite(db)->engine, "main");
    if (!backup)
        return ERR(-EIO);
    (void)sqlite3_backup_step(backup, -1);
    code = sqlite3_backup_finish(backup);
    if (code == SQLITE_OK)
        code = sqlite3_exec(target, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : sqlite_fail(db, code);
}

const struct db_copy_ops sqlite_copy_ops = {
    .tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
              " AND name <> 'schema_migration' ORDER BY name",
    .columns = {"SELECT name FROM pragma_table_info('", "') ORDER BY name"},
    .begin_read = "BEGIN",
    .scan = scan,
    .begin = begin,
    .end = end,
    .load_begin = load_begin,
    .load = load,
    .load_end = load_end,
    .get_sequence = get_sequence,
    .set_sequence = set_sequence,
};
