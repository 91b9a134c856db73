/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the migrations make, against what is written down in tests/schema: a migration that was changed later shows. */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/own.h"
#include "db/fixture.h"
#include "db/tables.h"
#include "plat/file.h"

enum {
    PATH_BYTES = 512,
    SCHEMA_MAX_BYTES = 1024 * 1024,
    N_AT_LEAST = 37, /* migrations that were released with this test */
};

#define WRITE "SLIPWAY_WRITE_SCHEMA" /* a folder, to be written into */

DEFINE_FREEP(PGconn *, PQfinish);

/* Each gives lines. */
static const char *const of_sqlite[] = {
    "SELECT sql || ';' FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name",
    NULL,
};

static const char *const of_postgresql[] = {
    "SELECT format('%s.%s %s%s%s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),"
    " CASE WHEN l.collname <> 'default' THEN ' COLLATE ' || l.collname END,"
    " CASE WHEN a.attnotnull THEN ' NOT NULL' END, CASE WHEN a.attidentity <> '' THEN ' IDENTITY' END,"
    " ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))"
    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
    " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " LEFT JOIN pg_collation l ON l.oid = a.attcollation"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0"
    " AND NOT a.attisdropped ORDER BY c.relname, a.attnum",
    "SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    " AND contype IN ('p', 'u', 'f', 'c') ORDER BY conrelid::regclass::text COLLATE \"C\", conname",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
    NULL,
};

static int add_line(void *ctx, int n, char **columns, char **names)
{
    (void)names;
    assert_int_equal(n, 1);
    buf_addf(ctx, "%s\n", columns[0]);
    return 0;
}

static void dump_sqlite(const char *path, struct buf *ret)
{
    sqlite3 *raw = NULL;

    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    for (size_t i = 0; of_sqlite[i]; i++)
        assert_int_equal(sqlite3_exec(raw, of_sqlite[i], add_line, ret, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
}

static void dump_postgresql(const char *address, struct buf *ret)
{
    OWN(PQfinishp) PGconn *conn = PQconnectdb(address);

    for (size_t i = 0; of_postgresql[i]; i++) {
        PGresult *result = PQexec(conn, of_postgresql[i]);

        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            fail_msg("%s", PQerrorMessage(conn));
        for (int row = 0; row < PQntuples(result); row++)
            buf_addf(ret, "%s\n", PQgetvalue(result, row, 0));
        PQclear(result);
    }
}

static size_t count_migrations(void)
{
    size_t n = 0;

    while (db_migrations[n].name)
        n++;
    return n;
}

static void apply(const char *address, size_t n, struct buf *ret)
{
    enum db_engine engine = db_fixture_is_postgresql() ? DB_POSTGRESQL : DB_SQLITE;

    if (engine == DB_POSTGRESQL)
        assert_true(db_fixture_exec(address, db_postgresql_prelude.text[engine]));
    for (size_t i = 0; i < n; i++) {
        if (!db_fixture_exec(address, db_migrations[i].text[engine]))
            fail_msg("%s fails", db_migrations[i].name);
        buf_addf(ret, "%s %s\n", db_migrations[i].name, db_migrations[i].sha256[engine]);
    }
}

/* What the first @n migrations make. */
static void dump(size_t n, struct buf *ret)
{
    char folder[64];
    char path[PATH_BYTES];
    char address[DB_FIXTURE_MAX];

    /* in memory where there is such a place: many commits of what nobody keeps */
    (void)snprintf(folder,
                   sizeof(folder),
                   "%s/slipway-schema-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/t.db", folder);
    db_fixture_new_empty(path, address);
    apply(address, n, ret);
    if (db_fixture_is_postgresql())
        dump_postgresql(address, ret);
    else
        dump_sqlite(address, ret);
    assert_false(ret->failed);
    db_fixture_drop(address);
    assert_int_equal(dir_remove(folder), 0);
}

static void put_path(const char *folder, char ret[static PATH_BYTES])
{
    (void)snprintf(
        ret, PATH_BYTES, "%s/%s.txt", folder, db_fixture_is_postgresql() ? "postgresql" : "sqlite");
}

/* Where two texts part: the beginning of that line, in both. */
static size_t find_difference(const char *a, const char *b)
{
    size_t line = 0;

    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == '\n')
            line = i + 1;
    return line;
}

/* It begins with a line for each migration that made it, "0001_first" and its checksum. */
static size_t count_written(const char *text)
{
    size_t n = 0;

    while (strspn(text, "0123456789") == 4 && strchr(text, '\n')) {
        text = strchr(text, '\n') + 1;
        n++;
    }
    return n;
}

static void compare(const char *made, const char *written, const char *path)
{
    size_t at = find_difference(made, written);

    if (strcmp(made, written) != 0)
        fail_msg("the migrations make \"%.*s\", %s has \"%.*s\". A migration that was written down "
                 "there is not changed.",
                 (int)strcspn(made + at, "\n"),
                 made + at,
                 path,
                 (int)strcspn(written + at, "\n"),
                 written + at);
}

/* Those that are newer than what is written down may still change. */
static void the_migrations_make_what_is_written_down(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf made = BUF_INIT(SCHEMA_MAX_BYTES);
    OWN(buf_fini) struct buf written = BUF_INIT(SCHEMA_MAX_BYTES);
    const char *folder = getenv(WRITE); /* NOLINT(concurrency-mt-unsafe): one thread */
    char path[PATH_BYTES];

    put_path(folder ? folder : SCHEMA_FOLDER, path);
    if (folder) {
        dump(count_migrations(), &made);
        assert_int_equal(file_write(path, buf_bytes(&made), 0644), 0);
        return;
    }
    assert_int_equal(file_read(path, &written), 0);
    assert_in_range(count_written(buf_str(&written)), N_AT_LEAST, count_migrations());
    dump(count_written(buf_str(&written)), &made);
    compare(buf_str(&made), buf_str(&written), path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_migrations_make_what_is_written_down),
    };

    return cmocka_run_group_tests_name("db/schema", tests, NULL, NULL);
}
