/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/postgresql.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/own.h"

enum {
    TRIES = 10,
    FIRST_PAUSE_MS = 5,
    PAUSE_MAX_MS = 1000,
    NUMBER_MAX = 24,
    NAME_MAX_BYTES = 16,
    ARGS_MAX = 65,
    /* of PostgreSQL's catalogue, which no header of libpq has */
    TYPE_BOOL = 16,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_NUMERIC = 1700,
};

struct db_stmt {
    PGresult *result; /* owned; all rows, or some of those of the cursor */
    int row;          /* the current one; -1 before the first */
    bool is_scan;     /* there may be more behind the cursor */
};

static const struct db_ops ops;

static int open_handle(const char *address, bool is_reader, struct db **ret)
{
    struct postgresql *pg = calloc(1, sizeof(*pg));

    if (!pg)
        return ERR(-ENOMEM);
    pg->db.ops = &ops;
    pg->is_reader = is_reader;
    *ret = &pg->db;
    pg->address = strdup(address);
    if (!pg->address)
        return ERR(-ENOMEM);
    return TRACE(postgresql_connect(pg));
}

int db_postgresql_open(const char *address, struct db **ret)
{
    return TRACE(open_handle(address, false, ret));
}

int db_postgresql_open_reader(const char *address, struct db **ret)
{
    return TRACE(open_handle(address, true, ret));
}

static void postgresql_close(struct db *db)
{
    struct postgresql *pg = to_postgresql(db);

    PQfinish(pg->conn);
    if (pg->address)
        explicit_bzero(pg->address, strlen(pg->address));
    free(pg->address);
    free(pg);
}

static int exec(struct db *db, const char *text)
{
    return TRACE(postgresql_exec(to_postgresql(db), text, NULL));
}

/* Longer each time, and never the same for two who are in each other's way. */
static void pause_before(unsigned attempt)
{
    unsigned ms = (unsigned)FIRST_PAUSE_MS << attempt;
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    ms = ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
    ms = ms / 2 + (unsigned)(now.tv_nsec / 1000) % (ms / 2 + 1);
    now = (struct timespec){.tv_sec = 0, .tv_nsec = (long)ms * 1000 * 1000};
    (void)nanosleep(&now, NULL);
}

/* Between transactions: a server that was started anew meanwhile has closed the connection, and this is where it shows. */
static int be_connected(struct postgresql *pg)
{
    int r;

    if (db_is_in_transaction(&pg->db))
        return 0;
    if (!postgresql_is_lost(pg))
        (void)PQconsumeInput(pg->conn);
    if (!postgresql_is_lost(pg))
        return 0;
    r = postgresql_connect(pg);
    return r > 0 ? ERR(-EBUSY) : TRACE(r);
}

static void postgresql_rollback(struct db *db)
{
    PGTransactionStatusType status = PQtransactionStatus(to_postgresql(db)->conn);

    if (status == PQTRANS_INTRANS || status == PQTRANS_INERROR)
        PQclear(PQexec(to_postgresql(db)->conn, "ROLLBACK"));
}

/* The rules are written for one writer: whoever else wants to write waits, lock_timeout at most. */
static int postgresql_begin(struct db *db)
{
    static const char begin[] = "BEGIN; SELECT pg_advisory_xact_lock(" POSTGRESQL_LOCK_WRITE ")";
    struct postgresql *pg = to_postgresql(db);
    int r = be_connected(pg);

    if (r < 0)
        return TRACE(r);
    r = exec(db, begin);
    if (r < 0 && !postgresql_is_lost(pg))
        postgresql_rollback(db);
    if (r == 0 || !postgresql_is_lost(pg))
        return TRACE(r);
    r = be_connected(pg);
    return r == 0 ? TRACE(exec(db, begin)) : TRACE(r);
}

static int postgresql_begin_snapshot(struct db *db)
{
    int r = be_connected(to_postgresql(db));

    return r == 0 ? TRACE(exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")) : TRACE(r);
}

static int postgresql_commit(struct db *db)
{
    struct postgresql *pg = to_postgresql(db);
    int r;

    /* a COMMIT of what has failed is answered with success, and is none */
    if (PQtransactionStatus(pg->conn) != PQTRANS_INTRANS)
        return postgresql_is_lost(pg) ? ERR(-EAGAIN) : ERR(-ECANCELED);
    r = exec(db, "COMMIT");
    return r < 0 && postgresql_is_lost(pg) ? ERR(-ECONNABORTED) : TRACE(r);
}

/* A part of it may have failed, and can be taken back. */
static bool postgresql_is_open(struct db *db)
{
    PGTransactionStatusType status = PQtransactionStatus(to_postgresql(db)->conn);

    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

static void name_of(enum db_sql sql, char ret[static NAME_MAX_BYTES])
{
    (void)snprintf(ret, NAME_MAX_BYTES, "s%u", (unsigned)sql);
}

static int postgresql_prepare(struct db *db, enum db_sql sql)
{
    struct postgresql *pg = to_postgresql(db);
    OWN(result_freep) PGresult *result = NULL;
    char name[NAME_MAX_BYTES];
    int r;

    if (pg->is_prepared[sql])
        return 0;
    name_of(sql, name);
    result = PQprepare(pg->conn, name, db_statements[sql].text[DB_POSTGRESQL], 0, NULL);
    r = postgresql_check(pg, result);
    if (r == 0)
        pg->is_prepared[sql] = true;
    return r > 0 ? ERR(-EIO) : TRACE(r);
}

/* Values as libpq wants them: texts that end in NUL. */
struct values {
    const char *texts[ARGS_MAX];
    char numbers[ARGS_MAX][NUMBER_MAX];
    char *copies[ARGS_MAX]; /* owned */
};

static void values_fini(struct values *values)
{
    for (size_t i = 0; i < ARGS_MAX; i++)
        free(values->copies[i]);
}

static int set_value(struct values *values, size_t i, const struct db_value *value)
{
    switch (value->type) {
    case DB_NULL:
        return 0;
    case DB_U64:
        if (value->n > INT64_MAX)
            return ERR(-ERANGE);
        (void)snprintf(values->numbers[i], NUMBER_MAX, "%llu", (unsigned long long)value->n);
        values->texts[i] = values->numbers[i];
        return 0;
    case DB_I64:
        (void)snprintf(values->numbers[i], NUMBER_MAX, "%lld", (long long)value->n);
        values->texts[i] = values->numbers[i];
        return 0;
    case DB_TEXT:
    default:
        if (value->text.len > 0 && memchr(value->text.ptr, '\0', value->text.len))
            return ERR(-EILSEQ);
        values->copies[i] =
            strndup(value->text.ptr ? (const char *)value->text.ptr : "", value->text.len);
        values->texts[i] = values->copies[i];
        return values->copies[i] ? 0 : ERR(-ENOMEM);
    }
}

static int execute_once(
    struct postgresql *pg, enum db_sql sql, const struct values *values, size_t n, PGresult **ret)
{
    OWN(result_freep) PGresult *result = NULL;
    char name[NAME_MAX_BYTES];
    int r = be_connected(pg);

    if (r == 0)
        r = postgresql_prepare(&pg->db, sql);
    if (r < 0)
        return TRACE(r);
    name_of(sql, name);
    result = PQexecPrepared(pg->conn, name, (int)n, values->texts, NULL, NULL, 0);
    r = postgresql_check(pg, result);
    if (r == 0)
        *ret = TAKE(result);
    return TRACE(r);
}

/* What is to be said when the connection went in the middle. */
static int lost(const struct postgresql *pg, enum db_sql sql)
{
    if (db_is_in_transaction(&pg->db))
        return ERR(-EAGAIN);
    return db_statements[sql].is_read ? ERR(-ECONNRESET) : ERR(-ECONNABORTED);
}

/* Outside a transaction a statement that another was in the way of is done again, and so is a question whose server went. */
static int execute(struct postgresql *pg, enum db_sql sql, struct db_args args, PGresult **ret)
{
    OWN(values_fini) struct values values = {.texts = {NULL}};
    int r = 0;

    assert(args.n <= ARGS_MAX);
    for (size_t i = 0; i < args.n && r == 0; i++)
        r = set_value(&values, i, &args.values[i]);
    if (r < 0)
        return TRACE(r);
    for (unsigned attempt = 0;; attempt++) {
        bool is_again;

        r = execute_once(pg, sql, &values, args.n, ret);
        if (r >= 0)
            return r;
        if (postgresql_is_lost(pg))
            r = lost(pg, sql);
        is_again = r == -EAGAIN || (r == -ECONNRESET && attempt == 0);
        if (db_is_in_transaction(&pg->db) || !is_again || attempt == TRIES)
            return TRACE(r);
        pause_before(attempt);
    }
}

static int
postgresql_select(struct db *db, enum db_sql sql, struct db_args args, struct db_rows *ret)
{
    struct db_stmt *stmt = calloc(1, sizeof(*stmt));
    int r;

    if (!stmt)
        return ERR(-ENOMEM);
    stmt->row = -1;
    r = execute(to_postgresql(db), sql, args, &stmt->result);
    if (r != 0) {
        free(stmt);
        return r > 0 ? ERR(-EIO) : TRACE(r);
    }
    *ret = (struct db_rows){.stmt = stmt, .db = db};
    return 0;
}

static int fetch(struct db *db, struct db_stmt *stmt)
{
    PQclear(TAKE(stmt->result));
    stmt->row = -1;
    return TRACE(postgresql_exec(to_postgresql(db), "FETCH 1000 FROM scan", &stmt->result));
}

int postgresql_scan_begin(struct db *db, struct db_rows *ret)
{
    struct db_stmt *stmt = calloc(1, sizeof(*stmt));

    if (!stmt)
        return ERR(-ENOMEM);
    stmt->is_scan = true;
    *ret = (struct db_rows){.stmt = stmt, .db = db};
    return TRACE(fetch(db, stmt));
}

static int postgresql_next(struct db_rows *rows)
{
    struct db_stmt *stmt = rows->stmt;

    if (stmt->is_scan && stmt->row + 1 >= PQntuples(stmt->result)) {
        int r = fetch(rows->db, stmt);

        if (r < 0)
            return TRACE(r);
    }
    if (stmt->row + 1 >= PQntuples(stmt->result))
        return 0;
    stmt->row++;
    return DB_ROW;
}

static void postgresql_rows_fini(struct db_rows *rows)
{
    if (rows->stmt->is_scan)
        (void)postgresql_exec(to_postgresql(rows->db), "CLOSE scan", NULL);
    PQclear(rows->stmt->result);
    free(rows->stmt);
}

static uint64_t changes_of(PGresult *result)
{
    uint64_t n = 0;

    (void)bytes_parse_u64(bytes_of(PQcmdTuples(result)), 0, UINT64_MAX, &n);
    return n;
}

/* A statement that a key forbids ends the whole transaction, unless there is a point before it to go back to. */
static int
postgresql_run(struct db *db, enum db_sql sql, struct db_args args, uint64_t *ret_changes)
{
    OWN(result_freep) PGresult *result = NULL;
    bool is_inner = db_is_in_transaction(db);
    int r = is_inner ? exec(db, "SAVEPOINT s") : 0;
    int ret;

    if (r < 0)
        return TRACE(r);
    ret = execute(to_postgresql(db), sql, args, &result);
    if (ret < 0)
        return TRACE(ret);
    if (is_inner)
        r = exec(db, ret == DB_E_EXISTS ? "ROLLBACK TO s" : "RELEASE s");
    if (r < 0)
        return TRACE(r);
    if (ret_changes && ret == 0)
        *ret_changes = changes_of(result);
    return ret;
}

static int postgresql_must(struct db *db, enum db_sql sql, struct db_args args)
{
    OWN(result_freep) PGresult *result = NULL;
    int r = execute(to_postgresql(db), sql, args, &result);

    return r > 0 ? ERR(-EIO) : TRACE(r);
}

static size_t postgresql_n_columns(const struct db_rows *rows)
{
    return (size_t)PQnfields(rows->stmt->result);
}

static const char *postgresql_column_name(const struct db_rows *rows, size_t column)
{
    return PQfname(rows->stmt->result, (int)column);
}

static bool is_null(const struct db_rows *rows, size_t column)
{
    return PQgetisnull(rows->stmt->result, rows->stmt->row, (int)column) != 0;
}

static enum db_type postgresql_column_type(const struct db_rows *rows, size_t column)
{
    if (is_null(rows, column))
        return DB_NULL;
    switch (PQftype(rows->stmt->result, (int)column)) {
    case TYPE_BOOL:
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_NUMERIC:
        return DB_U64;
    default:
        return DB_TEXT;
    }
}

static const char *postgresql_get_text(const struct db_rows *rows, size_t column)
{
    const char *text = PQgetvalue(rows->stmt->result, rows->stmt->row, (int)column);

    if (PQftype(rows->stmt->result, (int)column) == TYPE_BOOL && !is_null(rows, column))
        return text[0] == 't' ? "1" : "0";
    return text;
}

static uint64_t postgresql_get_u64(const struct db_rows *rows, size_t column)
{
    uint64_t n = 0;

    (void)bytes_parse_u64(bytes_of(postgresql_get_text(rows, column)), 0, INT64_MAX, &n);
    return n;
}

/* It keeps its log itself. */
static int postgresql_checkpoint(struct db *db)
{
    (void)db;
    return 0;
}

static const struct db_ops ops = {
    .engine = DB_POSTGRESQL,
    .close = postgresql_close,
    .exec = exec,
    .begin = postgresql_begin,
    .begin_snapshot = postgresql_begin_snapshot,
    .commit = postgresql_commit,
    .rollback = postgresql_rollback,
    .is_open = postgresql_is_open,
    .prepare = postgresql_prepare,
    .select = postgresql_select,
    .next = postgresql_next,
    .rows_fini = postgresql_rows_fini,
    .run = postgresql_run,
    .must = postgresql_must,
    .n_columns = postgresql_n_columns,
    .column_name = postgresql_column_name,
    .column_type = postgresql_column_type,
    .get_text = postgresql_get_text,
    .get_u64 = postgresql_get_u64,
    .checkpoint = postgresql_checkpoint,
    .copy = &postgresql_copy_ops,
};
