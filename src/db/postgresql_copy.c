/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "db/copy.h"
#include "db/postgresql.h"

enum {
    TEXT_MAX = 8192,
    REFERENCES_MAX = 256 * 1024,
    ROW_MAX_BYTES = 128 * 1024 * 1024,
};

/* What the target has until it is whole. */
#define UNFINISHED "slipway_copy_unfinished"

static bool is_true(const PGresult *result)
{
    return PQntuples(result) > 0 && PQgetvalue(result, 0, 0)[0] == 't';
}

static int ask(struct db *db, const char *text, bool *ret)
{
    OWN(result_freep) PGresult *result = NULL;
    int r = postgresql_exec(to_postgresql(db), text, &result);

    *ret = r == 0 && is_true(result);
    return TRACE(r);
}

int db_postgresql_check_finished(struct db *db)
{
    bool is_unfinished = false;
    int r = ask(db, "SELECT to_regclass('" UNFINISHED "') IS NOT NULL", &is_unfinished);

    if (r < 0 || !is_unfinished)
        return TRACE(r);
    (void)snprintf(db->why, sizeof(db->why), "what was begun to be copied into it is not whole");
    return DB_E_IN_USE;
}

int db_postgresql_take(struct db *db)
{
    bool is_empty = false;
    int r = postgresql_exec(to_postgresql(db),
                            "SELECT pg_advisory_unlock_shared(" POSTGRESQL_LOCK_SITE ");"
                            "SELECT pg_advisory_lock(" POSTGRESQL_LOCK_SITE ")",
                            NULL);

    if (r == -EBUSY) {
        (void)snprintf(db->why, sizeof(db->why), "a site server uses it");
        return DB_E_IN_USE;
    }
    if (r < 0)
        return TRACE(r);
    r = ask(db,
            "SELECT to_regclass('" UNFINISHED "') IS NOT NULL OR NOT EXISTS"
            " (SELECT 1 FROM pg_tables WHERE schemaname = current_schema())",
            &is_empty);
    if (r < 0)
        return TRACE(r);
    if (!is_empty)
        return DB_E_NOT_EMPTY;
    return TRACE(postgresql_exec(
        to_postgresql(db), "CREATE TABLE IF NOT EXISTS " UNFINISHED " (nothing bigint)", NULL));
}

int db_postgresql_finish(struct db *db)
{
    return TRACE(postgresql_exec(to_postgresql(db), "DROP TABLE " UNFINISHED, NULL));
}

static int scan(struct db *db, const char *text, struct db_rows *ret)
{
    OWN(buf_fini) struct buf declare = BUF_INIT(TEXT_MAX);
    int r;

    buf_addf(&declare,
             "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
             " DECLARE scan NO SCROLL CURSOR FOR %s",
             text);
    r = declare.failed ? ERR(-E2BIG) : postgresql_exec(to_postgresql(db), buf_str(&declare), NULL);
    return r < 0 ? TRACE(r) : TRACE(postgresql_scan_begin(db, ret));
}

/* Statements, one a row, that are run one after the other. */
static int run_all(struct postgresql *pg, const char *query)
{
    OWN(result_freep) PGresult *result = NULL;
    int r = postgresql_exec(pg, query, &result);

    for (int i = 0; r == 0 && i < PQntuples(result); i++)
        r = postgresql_exec(pg, PQgetvalue(result, i, 0), NULL);
    return TRACE(r);
}

/* References are dropped, and made again when all is there: making one looks at every row. */
static int begin(struct db *db)
{
    struct postgresql *pg = to_postgresql(db);
    int r =
        postgresql_exec(pg,
                        "SET LOCAL statement_timeout = 0;"
                        "SET LOCAL idle_in_transaction_session_timeout = 0;"
                        "CREATE TEMPORARY TABLE slipway_reference ON COMMIT DROP AS"
                        " SELECT conrelid::regclass::text AS tab, conname::text AS name,"
                        " pg_get_constraintdef(oid) AS definition FROM pg_constraint"
                        " WHERE contype = 'f' AND connamespace = current_schema()::regnamespace",
                        NULL);

    if (r < 0)
        return TRACE(r);
    return TRACE(run_all(
        pg,
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', tab, name) FROM slipway_reference"));
}

static int end(struct db *db)
{
    int r = run_all(to_postgresql(db),
                    "SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', tab, name, definition)"
                    " FROM slipway_reference");

    return r < 0 ? TRACE(r) : TRACE(db_postgresql_finish(db));
}

static int load_begin(struct db *db, const char *table, const char *columns, size_t n_columns)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX);
    OWN(result_freep) PGresult *result = NULL;
    struct postgresql *pg = to_postgresql(db);

    (void)n_columns;
    buf_addf(&text, "COPY \"%s\" (%s) FROM STDIN", table, columns);
    if (text.failed)
        return ERR(-E2BIG);
    result = PQexec(pg->conn, buf_str(&text));
    if (PQresultStatus(result) == PGRES_COPY_IN)
        return 0;
    return postgresql_check(pg, result) < 0 ? ERR(-EIO) : ERR(-EPROTO);
}

static void add_escaped(struct buf *row, const char *value)
{
    while (*value != '\0') {
        size_t plain = strcspn(value, "\\\n\r\t");

        buf_add(row, (struct bytes){(const uint8_t *)value, plain});
        value += plain;
        if (*value == '\0')
            break;
        buf_adds(row,
                 *value == '\\'   ? "\\\\"
                 : *value == '\n' ? "\\n"
                 : *value == '\r' ? "\\r"
                                  : "\\t");
        value++;
    }
}

static int load(struct db *db, const char *const *values, size_t n_columns)
{
    OWN(buf_fini) struct buf row = BUF_INIT(ROW_MAX_BYTES);
    struct postgresql *pg = to_postgresql(db);

    for (size_t i = 0; i < n_columns; i++) {
        if (i > 0)
            buf_adds(&row, "\t");
        if (values[i])
            add_escaped(&row, values[i]);
        else
            buf_adds(&row, "\\N");
    }
    buf_adds(&row, "\n");
    if (row.failed)
        return ERR(-E2BIG);
    if (PQputCopyData(pg->conn, buf_str(&row), (int)row.len) != 1)
        return ERR(-ECONNRESET);
    return 0;
}

static int load_end(struct db *db)
{
    struct postgresql *pg = to_postgresql(db);
    PGresult *result;
    int r = PQputCopyEnd(pg->conn, NULL) == 1 ? 0 : ERR(-ECONNRESET);

    while ((result = PQgetResult(pg->conn)) != NULL) {
        int checked = postgresql_check(pg, result);

        PQclear(result);
        if (r == 0 && checked != 0)
            r = checked < 0 ? checked : ERR(-EEXIST);
    }
    return TRACE(r);
}

static int get_sequence(struct db *db, const char *table, uint64_t *ret)
{
    OWN(result_freep) PGresult *result = NULL;
    char text[512];
    int r;

    *ret = 0;
    (void)snprintf(text,
                   sizeof(text),
                   "SELECT coalesce(last_value, 0) FROM pg_sequences"
                   " WHERE schemaname = current_schema() AND sequencename = '%s_id_seq'",
                   table);
    r = postgresql_exec(to_postgresql(db), text, &result);
    if (r == 0 && PQntuples(result) > 0)
        (void)bytes_parse_u64(bytes_of(PQgetvalue(result, 0, 0)), 0, INT64_MAX, ret);
    return TRACE(r);
}

static int set_sequence(struct db *db, const char *table, uint64_t n)
{
    char text[512];

    (void)snprintf(text,
                   sizeof(text),
                   "SELECT setval(pg_get_serial_sequence('%s', 'id'), %llu)",
                   table,
                   (unsigned long long)n);
    return TRACE(postgresql_exec(to_postgresql(db), text, NULL));
}

const struct db_copy_ops postgresql_copy_ops = {
    .tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
              " AND tablename NOT IN ('schema_migration', '" UNFINISHED "')"
              " ORDER BY tablename COLLATE \"C\"",
    .columns = {"SELECT attname FROM pg_attribute WHERE attrelid = '",
                "'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'rowid'"
                " ORDER BY attname COLLATE \"C\""},
    .begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    .scan = scan,
    .begin = begin,
    .end = end,
    .load_begin = load_begin,
    .load = load,
    .load_end = load_end,
    .get_sequence = get_sequence,
    .set_sequence = set_sequence,
};
