/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/postgresql.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"

enum {
    OLDEST_SERVER =
        130000, /* the first where the owner of a database may make what src/db/postgresql.sql makes */
};

/* Nobody waits for a lock for long, and a transaction that its server has lost does not hold up the others. */
#define SESSION \
    "SET default_transaction_isolation = 'read committed';" \
    "SET statement_timeout = '30s';" \
    "SET lock_timeout = '2s';" \
    "SET idle_in_transaction_session_timeout = '10s';" \
    "SET standard_conforming_strings = on;" \
    "SET client_min_messages = 'warning';" \
    "SET timezone = 'UTC'"

/* SQLSTATE, its whole or its class. */
static const struct {
    const char *state;
    int r;
} states[] = {
    {"23", DB_E_EXISTS},   {"40001", -EAGAIN},   {"40P01", -EAGAIN},  {"55P03", -EBUSY},
    {"57014", -ETIMEDOUT}, {"57P", -ECONNRESET}, {"08", -ECONNRESET}, {"53100", -ENOSPC},
    {"53200", -ENOMEM},    {"53300", -EBUSY},    {"53", -EIO},        {"54", -E2BIG},
    {"28", -EACCES},       {"42501", -EACCES},   {"25006", -EACCES},  {"22021", -EILSEQ},
    {"25P02", -ECANCELED}, {"XX001", -EUCLEAN},  {"XX002", -EUCLEAN},
};

static int of_state(const char *state)
{
    for (size_t i = 0; state && i < sizeof(states) / sizeof(states[0]); i++)
        if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
            return states[i].r;
    return -EIO;
}

bool postgresql_is_lost(const struct postgresql *pg)
{
    return PQstatus(pg->conn) != CONNECTION_OK;
}

/* The first line, which never holds a value of a row. */
static void keep_why(struct postgresql *pg, const char *text)
{
    (void)snprintf(pg->db.why, sizeof(pg->db.why), "%.*s", (int)strcspn(text, "\n"), text);
}

int postgresql_check(struct postgresql *pg, const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    int r;

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return 0;
    if (!result || postgresql_is_lost(pg)) {
        keep_why(pg, PQerrorMessage(pg->conn));
        return ERR(-ECONNRESET);
    }
    keep_why(pg, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    r = of_state(PQresultErrorField(result, PG_DIAG_SQLSTATE));
    return r < 0 ? ERR(r) : r;
}

int postgresql_exec(struct postgresql *pg, const char *text, PGresult **ret)
{
    OWN(result_freep) PGresult *result = PQexec(pg->conn, text);
    int r = postgresql_check(pg, result);

    if (r != 0)
        return r > 0 ? ERR(-EIO) : TRACE(r);
    if (ret)
        *ret = TAKE(result);
    return 0;
}

static void ignore_notice(void *ctx, const char *message)
{
    (void)ctx;
    (void)message;
}

static int check_server(struct postgresql *pg)
{
    const char *encoding = PQparameterStatus(pg->conn, "server_encoding");

    if (PQserverVersion(pg->conn) < OLDEST_SERVER) {
        keep_why(pg, "the server is older than PostgreSQL 13");
        return ERR(-EPROTONOSUPPORT);
    }
    if (!encoding || strcmp(encoding, "UTF8") != 0) {
        keep_why(pg, "the database's encoding is not UTF8");
        return ERR(-EPROTONOSUPPORT);
    }
    return 0;
}

/* Every site server holds it, so that nobody moves or restores the database under it. Who has just gone is waited for: the server may
   not have noticed yet. */
static int lock_site(struct postgresql *pg)
{
    int r = postgresql_exec(pg, "SELECT pg_advisory_lock_shared(" POSTGRESQL_LOCK_SITE ")", NULL);

    if (r != -EBUSY)
        return TRACE(r);
    keep_why(pg, "it is being moved or restored");
    return DB_E_IN_USE;
}

static int set_up(struct postgresql *pg)
{
    int r = check_server(pg);

    if (r == 0)
        r = postgresql_exec(pg, SESSION, NULL);
    if (r == 0 && pg->is_reader)
        r = postgresql_exec(pg, "SET default_transaction_read_only = on", NULL);
    return r == 0 ? TRACE(lock_site(pg)) : TRACE(r);
}

/* The address comes behind what it may say otherwise. */
static PGconn *connect_to(const char *address)
{
    const char *const keys[] = {
        "connect_timeout",
        "keepalives_idle",
        "tcp_user_timeout",
        "target_session_attrs",
        "fallback_application_name",
        "dbname",
        "client_encoding",
        NULL,
    };
    const char *const values[] = {
        "5",
        "15",
        "30000",
        "read-write",
        "slipway site",
        address,
        "UTF8",
        NULL,
    };

    return PQconnectdbParams(keys, values, 1);
}

/* What libpq says of an address that it cannot read has all of it, the password too. */
static bool is_address(struct postgresql *pg)
{
    PQconninfoOption *options = PQconninfoParse(pg->address, NULL);

    PQconninfoFree(options);
    if (!options)
        keep_why(pg, "the database's address is not one of libpq");
    return options != NULL;
}

int postgresql_connect(struct postgresql *pg)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
    if (!is_address(pg))
        return ERR(-EINVAL);
    memset(pg->is_prepared, 0, sizeof(pg->is_prepared));
    pg->conn = connect_to(pg->address);
    if (!pg->conn)
        return ERR(-ENOMEM);
    (void)PQsetNoticeProcessor(pg->conn, ignore_notice, NULL);
    if (postgresql_is_lost(pg)) {
        keep_why(pg, PQerrorMessage(pg->conn));
        return ERR(-ECONNREFUSED);
    }
    return TRACE(set_up(pg));
}

int db_postgresql_lock_schema(struct db *db)
{
    enum {
        TRIES = 30, /* of lock_timeout each */
    };
    static const char text[] = "SELECT pg_advisory_lock(" POSTGRESQL_LOCK_SCHEMA ")";
    int r = -EBUSY;

    for (unsigned i = 0; i < TRIES && r == -EBUSY; i++)
        r = postgresql_exec(to_postgresql(db), text, NULL);
    return TRACE(r);
}

int db_postgresql_unlock_schema(struct db *db)
{
    static const char text[] = "SELECT pg_advisory_unlock(" POSTGRESQL_LOCK_SCHEMA ")";

    return TRACE(postgresql_exec(to_postgresql(db), text, NULL));
}
