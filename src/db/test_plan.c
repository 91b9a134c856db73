/* SPDX-License-Identifier: GPL-3.0-or-later */

/* How the engines do what is asked of tables with very many rows: by which index, and without putting it in order first. */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    PLAN_MAX_BYTES = 64 * 1024,
};

DEFINE_FREEP(PGconn *, PQfinish);

static const char *text_of(const char *name, enum db_engine engine)
{
    for (size_t i = 0; i < SQL_COUNT; i++)
        if (strcmp(db_statements[i].name, name) == 0)
            return db_statements[i].text[engine];
    fail_msg("there is no statement %s", name);
    return NULL;
}

static void explain_sqlite(const char *path, const char *name, struct buf *ret)
{
    OWN(buf_fini) struct buf sql = BUF_INIT(PLAN_MAX_BYTES);
    sqlite3 *raw = NULL;
    sqlite3_stmt *stmt = NULL;

    buf_addf(&sql, "EXPLAIN QUERY PLAN %s", text_of(name, DB_SQLITE));
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, buf_str(&sql), -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        buf_addf(ret, "%s\n", (const char *)sqlite3_column_text(stmt, 3));
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
}

static void ask(PGconn *conn, const char *sql, struct buf *ret)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail_msg("%s", PQerrorMessage(conn));
    for (int row = 0; row < PQntuples(result); row++)
        buf_addf(ret, "%s\n", PQgetvalue(result, row, 0));
    PQclear(result);
}

/* The tables are empty: what it would do if they were not shows when it may not read them from end to end. */
static void
explain_postgresql(const char *address, const char *name, const char *args, struct buf *ret)
{
    OWN(PQfinishp) PGconn *conn = PQconnectdb(address);
    OWN(buf_fini) struct buf sql = BUF_INIT(PLAN_MAX_BYTES);

    ask(conn, "SET enable_seqscan = off", ret);
    ask(conn, "SET enable_bitmapscan = off", ret);
    buf_addf(&sql, "PREPARE asked AS %s", text_of(name, DB_POSTGRESQL));
    ask(conn, buf_str(&sql), ret);
    buf_clear(&sql);
    buf_addf(&sql, "EXPLAIN EXECUTE asked (%s)", args);
    ask(conn, buf_str(&sql), ret);
}

static void explain(const char *name, const char *args, struct buf *ret)
{
    const bool is_postgresql = db_fixture_is_postgresql();
    char folder[] = "/tmp/slipway-plan-XXXXXX";
    char path[PATH_BYTES];
    char address[DB_FIXTURE_MAX];

    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/t.db", folder);
    db_fixture_new_empty(path, address);
    if (is_postgresql)
        assert_true(db_fixture_exec(address, db_postgresql_prelude.text[DB_POSTGRESQL]));
    for (size_t i = 0; db_migrations[i].name; i++)
        assert_true(db_fixture_exec(
            address, db_migrations[i].text[is_postgresql ? DB_POSTGRESQL : DB_SQLITE]));
    if (is_postgresql)
        explain_postgresql(address, name, args, ret);
    else
        explain_sqlite(path, name, ret);
    db_fixture_drop(address);
    assert_int_equal(dir_remove(folder), 0);
}

static void a_page_of_devices_by_name_goes_by_the_index_of_names(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf plan = BUF_INIT(PLAN_MAX_BYTES);

    explain("device_list_by_name", "'pc-1', 100, ''", &plan);
    print_message("%s", buf_str(&plan));
    if (db_fixture_is_postgresql()) {
        assert_non_null(strstr(buf_str(&plan), "Index Scan using device_by_lower_name on device"));
        assert_non_null(strstr(buf_str(&plan), "Index Cond"));
        assert_null(strstr(buf_str(&plan), "Sort Key: (lower"));
    } else {
        assert_non_null(
            strstr(buf_str(&plan), "SEARCH v USING INDEX device_by_lower_name (<expr>>?)"));
        assert_null(strstr(buf_str(&plan), "USE TEMP B-TREE FOR ORDER BY"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_devices_by_name_goes_by_the_index_of_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
