/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/fixture.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include "base/own.h"
#include "db/db.h"

#define SERVER   "SLIPWAY_TEST_POSTGRESQL" /* postgresql:///NAME?what=else; NAME is put in */
#define TEMPLATE "slipway_tables"

DEFINE_FREEP(struct db *, db_free);
DEFINE_FREEP(PGconn *, PQfinish);

static const char *server_address(void)
{
    return getenv(SERVER); /* NOLINT(concurrency-mt-unsafe): one thread */
}

bool db_fixture_is_postgresql(void)
{
    return server_address() != NULL;
}

/* The server's address with a database in it. */
static void put_address(const char *name, char ret[static DB_FIXTURE_MAX])
{
    const char *server = server_address();
    const char *query = server ? strchr(server, '?') : NULL;

    assert_non_null(query);
    (void)snprintf(ret, DB_FIXTURE_MAX, "postgresql:///%s%s", name, query);
}

static bool exec(PGconn *conn, const char *text)
{
    PGresult *result = PQexec(conn, text);
    ExecStatusType status = PQresultStatus(result);

    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static PGconn *connect_to_server(void)
{
    char address[DB_FIXTURE_MAX];
    PGconn *conn;

    put_address("postgres", address);
    conn = PQconnectdb(address);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

static void make_database(PGconn *conn, const char *name, const char *template)
{
    char text[256];

    (void)snprintf(
        text, sizeof(text), "CREATE DATABASE %s TEMPLATE %s STRATEGY file_copy", name, template);
    if (!exec(conn, text))
        fail_msg("%s", PQerrorMessage(conn));
}

static bool is_there(PGconn *conn, const char *name)
{
    PGresult *result = PQexecParams(
        conn, "SELECT 1 FROM pg_database WHERE datname = $1", 1, NULL, &name, NULL, NULL, 0);
    bool ret = PQntuples(result) > 0;

    PQclear(result);
    return ret;
}

/* Our tables are made once a run, and copied by each test: that is ten times as fast. */
static void need_template(PGconn *conn)
{
    OWN(db_freep) struct db *db = NULL;
    char address[DB_FIXTURE_MAX];

    assert_true(exec(conn, "SELECT pg_advisory_lock(1)"));
    if (!is_there(conn, TEMPLATE)) {
        make_database(conn, TEMPLATE, "template0");
        put_address(TEMPLATE, address);
        assert_int_equal(db_open(address, &db), 0);
    }
    db_free(TAKE(db));
    assert_true(exec(conn, "SELECT pg_advisory_unlock(1)"));
}

static void make_new(const char *path, bool is_empty, char ret[static DB_FIXTURE_MAX])
{
    static unsigned n;
    char name[64];

    if (!db_fixture_is_postgresql()) {
        (void)snprintf(ret, DB_FIXTURE_MAX, "%s", path);
        return;
    }

    OWN(PQfinishp) PGconn *conn = connect_to_server();

    if (!is_empty)
        need_template(conn);
    (void)snprintf(name, sizeof(name), "t_%d_%u", (int)getpid(), n++);
    make_database(conn, name, is_empty ? "template0" : TEMPLATE);
    put_address(name, ret);
}

void db_fixture_new(const char *path, char ret[static DB_FIXTURE_MAX])
{
    make_new(path, false, ret);
}

void db_fixture_new_empty(const char *path, char ret[static DB_FIXTURE_MAX])
{
    make_new(path, true, ret);
}

void db_fixture_drop(const char *address)
{
    if (!db_is_postgresql(address))
        return;

    OWN(PQfinishp) PGconn *conn = connect_to_server();
    const char *name = address + strlen("postgresql:///");
    char text[DB_FIXTURE_MAX];

    (void)snprintf(text, sizeof(text), "DROP DATABASE %.*s", (int)strcspn(name, "?"), name);
    if (!exec(conn, text))
        fail_msg("%s", PQerrorMessage(conn));
}

bool db_fixture_exec(const char *address, const char *text)
{
    sqlite3 *raw = NULL;
    bool ret;

    if (db_is_postgresql(address)) {
        OWN(PQfinishp) PGconn *conn = PQconnectdb(address);

        return PQstatus(conn) == CONNECTION_OK && exec(conn, text);
    }
    assert_int_equal(sqlite3_open(address, &raw), SQLITE_OK);
    ret = sqlite3_exec(raw, text, NULL, NULL, NULL) == SQLITE_OK;
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
    return ret;
}
