/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/copy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/engine.h"
#include "plat/digest.h"

enum {
    TABLES_MAX = 256,
    COLUMNS_MAX = 64,
    NAME_MAX_BYTES = 64,
    TEXT_MAX = 8192,
    QUERY_MAX = 2 * TEXT_MAX,
    ROW_MAX_BYTES = 128 * 1024 * 1024,
};

struct names {
    char list[TABLES_MAX][NAME_MAX_BYTES];
    size_t n;
};

/* Of a multiset of rows: the checksums of the rows, added up. */
struct sum {
    uint8_t bytes[SHA256_BYTES];
    uint64_t n_rows;
};

/* One table, as both have it. */
struct table {
    const char *name;
    struct names columns;
    char columns_text[TEXT_MAX]; /* "a", "b" */
};

static int read_names(struct db *db, const char *query, struct names *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db->ops->copy->scan(db, query, &rows);

    ret->n = 0;
    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        const char *name = db_get_text(&rows, 0);

        if (ret->n == TABLES_MAX || strlen(name) >= NAME_MAX_BYTES || strchr(name, '"'))
            return ERR(-E2BIG);
        (void)snprintf(ret->list[ret->n++], NAME_MAX_BYTES, "%s", name);
    }
    return TRACE(r);
}

static int read_columns(struct db *db, const char *table, struct names *ret)
{
    char query[512];

    (void)snprintf(query,
                   sizeof(query),
                   "%s%s%s",
                   db->ops->copy->columns[0],
                   table,
                   db->ops->copy->columns[1]);
    return TRACE(read_names(db, query, ret));
}

static bool are_same(const struct names *a, const struct names *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->list[i], b->list[i]) != 0)
            return false;
    return true;
}

static int open_table(struct db *from, struct db *to, const char *name, struct table *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX - 1);
    OWN(freep) struct names *there = calloc(1, sizeof(*there));
    int r;

    if (!there)
        return ERR(-ENOMEM);
    ret->name = name;
    r = read_columns(from, name, &ret->columns);
    if (r == 0)
        r = read_columns(to, name, there);
    if (r < 0)
        return TRACE(r);
    if (!are_same(&ret->columns, there) || there->n > COLUMNS_MAX)
        return ERR(-EUCLEAN);
    for (size_t i = 0; i < ret->columns.n; i++)
        buf_addf(&text, "%s\"%s\"", i > 0 ? ", " : "", ret->columns.list[i]);
    if (text.failed)
        return ERR(-E2BIG);
    (void)snprintf(ret->columns_text, sizeof(ret->columns_text), "%s", buf_str(&text));
    return 0;
}

static int select_all(struct db *db, const struct table *table, struct db_rows *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(QUERY_MAX);

    buf_addf(&text, "SELECT %s FROM \"%s\"", table->columns_text, table->name);
    return text.failed ? ERR(-E2BIG) : TRACE(db->ops->copy->scan(db, buf_str(&text), ret));
}

/* The same for a row wherever it lies: each value with its length, nothing for NULL. */
static int add_to_sum(const struct db_rows *rows, size_t n_columns, struct sum *sum)
{
    OWN(buf_fini) struct buf row = BUF_INIT(ROW_MAX_BYTES);
    uint8_t digest[SHA256_BYTES] = {0};
    unsigned carry = 0;
    int r;

    for (size_t i = 0; i < n_columns; i++) {
        const char *text = db_get_text(rows, i);

        if (db_column_type(rows, i) == DB_NULL)
            buf_adds(&row, "-;");
        else
            buf_addf(&row, "%zu:%s;", strlen(text), text);
    }
    r = row.failed ? ERR(-E2BIG) : digest_sha256(buf_bytes(&row), digest);
    if (r < 0)
        return TRACE(r);
    for (size_t i = SHA256_BYTES; i-- > 0;) {
        carry += (unsigned)sum->bytes[i] + digest[i];
        sum->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    sum->n_rows++;
    return 0;
}

static int load_row(struct db *to, const struct db_rows *rows, size_t n_columns)
{
    const char *values[COLUMNS_MAX];

    for (size_t i = 0; i < n_columns; i++)
        values[i] = db_column_type(rows, i) == DB_NULL ? NULL : db_get_text(rows, i);
    return TRACE(to->ops->copy->load(to, values, n_columns));
}

/* @to: where to put the rows; NULL: only to add them up */
static int read_table(struct db *from, const struct table *table, struct db *to, struct sum *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = select_all(from, table, &rows);

    *ret = (struct sum){.n_rows = 0};
    while (r == 0 && (r = db_next(&rows)) == DB_ROW) {
        r = add_to_sum(&rows, table->columns.n, ret);
        if (r == 0 && to)
            r = load_row(to, &rows, table->columns.n);
    }
    return TRACE(r);
}

static int copy_sequence(struct db *from, struct db *to, const char *table)
{
    uint64_t n = 0;
    int r = from->ops->copy->get_sequence(from, table, &n);

    if (r < 0 || n == 0)
        return TRACE(r);
    return TRACE(to->ops->copy->set_sequence(to, table, n));
}

/* What the migrations have put into a new table, if anything: some tables refuse every DELETE. */
static int make_empty(struct db *to, const struct table *table)
{
    char text[256];
    struct sum sum = {.n_rows = 0};
    int r = read_table(to, table, NULL, &sum);

    if (r < 0 || sum.n_rows == 0)
        return TRACE(r);
    (void)snprintf(text, sizeof(text), "DELETE FROM \"%s\"", table->name);
    return TRACE(to->ops->exec(to, text));
}

static int fill(struct db *from, struct db *to, const struct table *table, struct sum *ret)
{
    int end;
    int r = to->ops->copy->load_begin(to, table->name, table->columns_text, table->columns.n);

    if (r < 0)
        return TRACE(r);
    r = read_table(from, table, to, ret);
    end = to->ops->copy->load_end(to);
    return r < 0 ? TRACE(r) : TRACE(end);
}

static int copy_table(struct db *from, struct db *to, const struct table *table, struct sum *ret)
{
    struct sum there = {.n_rows = 0};
    int r = fill(from, to, table, ret);

    if (r == 0)
        r = copy_sequence(from, to, table->name);
    if (r == 0)
        r = read_table(to, table, NULL, &there);
    if (r < 0)
        return TRACE(r);
    if (there.n_rows == ret->n_rows && memcmp(there.bytes, ret->bytes, SHA256_BYTES) == 0)
        return 0;
    (void)snprintf(to->why, sizeof(to->why), "the table %s is not what it was", table->name);
    return DB_E_DIFFERS;
}

struct copying {
    struct db *from;
    struct db *to;
    db_copy_report *report;
    void *ctx;
    struct names tables;
    struct table table;
};

static int each_table(struct copying *copying, int (*part)(struct copying *copying))
{
    int r = 0;

    for (size_t i = 0; i < copying->tables.n && r == 0; i++) {
        r = open_table(copying->from, copying->to, copying->tables.list[i], &copying->table);
        if (r == 0)
            r = part(copying);
    }
    return TRACE(r);
}

static int empty_part(struct copying *copying)
{
    return TRACE(make_empty(copying->to, &copying->table));
}

static int copy_part(struct copying *copying)
{
    char hex[DB_COPY_SUM_MAX];
    struct sum sum = {.n_rows = 0};
    int r = copy_table(copying->from, copying->to, &copying->table, &sum);

    if (r != 0)
        return TRACE(r);
    hex_put(hex, (struct bytes){sum.bytes, SHA256_BYTES});
    if (copying->report)
        copying->report(copying->ctx, &(struct db_copied){copying->table.name, sum.n_rows, hex});
    return 0;
}

static int copy_all(struct copying *copying)
{
    OWN(freep) struct names *there = calloc(1, sizeof(*there));
    struct db *to = copying->to;
    int r;

    if (!there)
        return ERR(-ENOMEM);
    r = read_names(copying->from, copying->from->ops->copy->tables, &copying->tables);
    if (r == 0)
        r = read_names(to, to->ops->copy->tables, there);
    if (r == 0 && !are_same(&copying->tables, there))
        r = ERR(-EUCLEAN);
    if (r == 0)
        r = to->ops->copy->begin(to);
    if (r == 0)
        r = each_table(copying, empty_part);
    if (r == 0)
        r = each_table(copying, copy_part);
    return r == 0 ? TRACE(to->ops->copy->end(to)) : TRACE(r);
}

static int begin_read(struct db *from, struct db **ret)
{
    int r = from->ops->exec(from, from->ops->copy->begin_read);

    if (r < 0)
        return TRACE(r);
    from->depth = 1;
    *ret = from;
    return 0;
}

int db_copy(struct db *from, struct db *to, db_copy_report *report, void *ctx)
{
    OWN(freep) struct copying *copying = calloc(1, sizeof(*copying));
    OWN(db_rollbackp) struct db *reading = NULL;
    OWN(db_rollbackp) struct db *writing = NULL;
    int r;

    if (!copying)
        return ERR(-ENOMEM);
    copying->from = from;
    copying->to = to;
    copying->report = report;
    copying->ctx = ctx;
    r = begin_read(from, &reading);
    if (r == 0)
        r = db_begin(to, &writing);
    if (r == 0)
        r = copy_all(copying);
    return r == 0 ? TRACE(db_commit(&writing)) : TRACE(r);
}
