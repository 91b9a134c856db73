/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/index.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "plat/digest.h"
#include "store/store.h"

enum {
    SCHEMA = 3,              /* user_version: another one is as good as none */
    BUSY_TIMEOUT_MS = 10000, /* for another process that adds */
    VALUE_MAX_BYTES = 4096,
    SEAL_BYTES = 8, /* of a hash: against damage, not against malice */
    FIRST_PACKS = 1024,
};

enum statement {
    FIND,
    ADD_PACK,
    ADD_CHUNK,
    REMOVE_CHUNKS,
    REMOVE_PACK,
    LIST,
    STATEMENT_COUNT,
};

static const char *const texts[STATEMENT_COUNT] = {
    [FIND] = "SELECT p.sha256, p.plain_bytes, p.stored_bytes, p.frame_check, p.n_chunks, c.offset,"
             " c.size_bytes, c.seal FROM chunk c JOIN pack p ON p.id = c.pack WHERE c.sha256 = ?1",
    [ADD_PACK] = "INSERT INTO pack (sha256, plain_bytes, stored_bytes, frame_check, n_chunks)"
                 " VALUES (?1, ?2, ?3, ?4, ?5)",
    [ADD_CHUNK] = "INSERT OR REPLACE INTO chunk (sha256, pack, offset, size_bytes, seal)"
                  " VALUES (?1, ?2, ?3, ?4, ?5)",
    [REMOVE_CHUNKS] = "DELETE FROM chunk WHERE pack = (SELECT id FROM pack WHERE sha256 = ?1)",
    [REMOVE_PACK] = "DELETE FROM pack WHERE sha256 = ?1",
    [LIST] = "SELECT sha256, plain_bytes, stored_bytes, frame_check FROM pack ORDER BY sha256",
};

static const char schema[] =
    "CREATE TABLE pack (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE,"
    " plain_bytes INTEGER NOT NULL, stored_bytes INTEGER NOT NULL, frame_check BLOB NOT NULL,"
    " n_chunks INTEGER NOT NULL);"
    "CREATE TABLE chunk (sha256 BLOB PRIMARY KEY, pack INTEGER NOT NULL, offset INTEGER NOT NULL,"
    " size_bytes INTEGER NOT NULL, seal INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX chunk_pack ON chunk (pack);"
    "PRAGMA user_version = 3";

_Static_assert(SCHEMA == 3, "the text above says so, too");

struct store_index {
    char path[STORE_PATH_MAX];
    sqlite3 *engine;                      /* owned */
    sqlite3_stmt *stmts[STATEMENT_COUNT]; /* owned */
};

static void close_engine(struct store_index *index)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        (void)sqlite3_finalize(index->stmts[i]);
        index->stmts[i] = NULL;
    }
    (void)sqlite3_close(index->engine);
    index->engine = NULL;
}

void index_close(struct store_index *index)
{
    if (!index)
        return;
    close_engine(index);
    free(index);
}

static void remove_file(const char *path, const char *suffix)
{
    char name[STORE_PATH_MAX + 8];

    (void)snprintf(name, sizeof(name), "%s%s", path, suffix);
    (void)unlink(name);
}

/* Whether the file itself is at fault, not the moment. */
static bool is_damage(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_INTERRUPT:
        return false;
    default:
        return true;
    }
}

/* A file that is damaged goes: the next who is alone makes it again. */
static int fail(const struct store_index *index, int code)
{
    if (is_damage(code))
        remove_file(index->path, "");
    return INDEX_E_UNUSABLE;
}

static int exec(struct store_index *index, const char *text)
{
    int code = sqlite3_exec(index->engine, text, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : fail(index, code);
}

/* The database is rebuilt from the packs after any doubt, so a power cut may cost its last changes. */
static int set_up(struct store_index *index)
{
    (void)sqlite3_db_config(index->engine, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(index->engine, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(index->engine, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    (void)sqlite3_busy_timeout(index->engine, BUSY_TIMEOUT_MS);
    (void)sqlite3_limit(index->engine, SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES);
    (void)sqlite3_limit(index->engine, SQLITE_LIMIT_ATTACHED, 0);
    return exec(index,
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
                "PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA cache_size=-32768;"
                "PRAGMA journal_size_limit=16777216");
}

static int read_version(struct store_index *index, int *ret)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(index->engine, "PRAGMA user_version", -1, &stmt, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *ret = sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return code == SQLITE_ROW ? 0 : fail(index, code);
}

static int prepare(struct store_index *index)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        int code = sqlite3_prepare_v3(
            index->engine, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &index->stmts[i], NULL);

        if (code != SQLITE_OK)
            return fail(index, code);
    }
    return 0;
}

static int open_engine(struct store_index *index, bool is_new)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (is_new ? SQLITE_OPEN_CREATE : 0);
    int version = 0;
    int code = sqlite3_open_v2(index->path, &index->engine, flags, NULL);
    int r = code == SQLITE_OK ? set_up(index) : fail(index, code);

    if (r == 0)
        r = read_version(index, &version);
    if (r == 0 && is_new && version == 0) {
        r = exec(index, schema);
        version = SCHEMA;
    }
    if (r == 0 && version != SCHEMA)
        r = fail(index, SQLITE_SCHEMA);
    return r == 0 ? prepare(index) : r;
}

int index_open(const char *path, bool may_make, struct store_index **ret)
{
    OWN(index_closep) struct store_index *index = calloc(1, sizeof(*index));
    int r;

    if (!index)
        return INDEX_E_UNUSABLE;
    (void)snprintf(index->path, sizeof(index->path), "%s", path);
    r = open_engine(index, false);
    if (r != 0 && may_make) {
        close_engine(index);
        remove_file(path, "");
        remove_file(path, "-wal"); /* would be taken for the new one's */
        remove_file(path, "-shm");
        r = open_engine(index, true);
    }
    if (r != 0)
        return r;
    *ret = TAKE(index);
    return 0;
}

static void bind_name(sqlite3_stmt *stmt, int at, const uint8_t *sha256)
{
    (void)sqlite3_bind_blob(stmt, at, sha256, SHA256_BYTES, SQLITE_STATIC);
}

/* Run a statement that gives no rows. */
static int run(struct store_index *index, sqlite3_stmt *stmt)
{
    int code = sqlite3_step(stmt);

    (void)sqlite3_reset(stmt);
    return code == SQLITE_DONE ? 0 : fail(index, code);
}

/* A number over all that a row of the two tables says. */
static sqlite3_int64 seal_of(const uint8_t *chunk, const struct index_place *place)
{
    uint8_t text[(size_t)2 * SHA256_BYTES + MANIFEST_CHECK_BYTES + 5 * sizeof(uint32_t)];
    struct sink sink = {.ptr = text, .cap = sizeof(text)};
    uint8_t hash[SHA256_BYTES] = {0};
    sqlite3_int64 seal;

    sink_bytes(&sink, (struct bytes){chunk, SHA256_BYTES});
    sink_bytes(&sink, (struct bytes){place->in.pack.sha256, SHA256_BYTES});
    sink_u32le(&sink, place->in.pack.plain_bytes);
    sink_u32le(&sink, place->in.pack.stored_bytes);
    sink_bytes(&sink, (struct bytes){place->in.pack.check, MANIFEST_CHECK_BYTES});
    sink_u32le(&sink, place->in.n_chunks);
    sink_u32le(&sink, place->offset);
    sink_u32le(&sink, place->size_bytes);
    (void)digest_sha256((struct bytes){text, sink.len}, hash);
    memcpy(&seal, hash, SEAL_BYTES);
    return seal;
}

/* Return: whether column @at has exactly @n bytes. */
static bool column_bytes(sqlite3_stmt *stmt, int at, int n, uint8_t *ret)
{
    const void *bytes = sqlite3_column_blob(stmt, at);

    if (!bytes || sqlite3_column_bytes(stmt, at) != n)
        return false;
    memcpy(ret, bytes, (size_t)n);
    return true;
}

static uint32_t column_u32(sqlite3_stmt *stmt, int at)
{
    return (uint32_t)sqlite3_column_int64(stmt, at);
}

/* The first four columns. Return: whether they are what they should be. */
static bool read_pack(sqlite3_stmt *stmt, struct manifest_pack *ret)
{
    ret->plain_bytes = column_u32(stmt, 1);
    ret->stored_bytes = column_u32(stmt, 2);
    return column_bytes(stmt, 0, SHA256_BYTES, ret->sha256) &&
           column_bytes(stmt, 3, MANIFEST_CHECK_BYTES, ret->check);
}

/* Return: whether the row is as it was written. */
static bool read_place(sqlite3_stmt *stmt, const uint8_t *sha256, struct index_place *ret)
{
    if (!read_pack(stmt, &ret->in.pack))
        return false;
    ret->in.n_chunks = column_u32(stmt, 4);
    ret->offset = column_u32(stmt, 5);
    ret->size_bytes = column_u32(stmt, 6);
    return sqlite3_column_int64(stmt, 7) == seal_of(sha256, ret);
}

int index_find(struct store_index *index,
               const uint8_t sha256[static SHA256_BYTES],
               struct index_place *ret)
{
    sqlite3_stmt *stmt = index->stmts[FIND];
    bool is_good = false;
    int code;

    bind_name(stmt, 1, sha256);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        is_good = read_place(stmt, sha256, ret);
    (void)sqlite3_reset(stmt);
    if (code == SQLITE_DONE)
        return INDEX_E_MISSING;
    if (code != SQLITE_ROW)
        return fail(index, code);
    return is_good ? 0 : fail(index, SQLITE_CORRUPT);
}

int index_begin(struct store_index *index)
{
    return exec(index, "BEGIN IMMEDIATE");
}

int index_commit(struct store_index *index)
{
    return exec(index, "COMMIT");
}

static int add_pack(struct store_index *index, const struct index_pack *in)
{
    sqlite3_stmt *stmt = index->stmts[ADD_PACK];

    bind_name(stmt, 1, in->pack.sha256);
    (void)sqlite3_bind_int64(stmt, 2, in->pack.plain_bytes);
    (void)sqlite3_bind_int64(stmt, 3, in->pack.stored_bytes);
    (void)sqlite3_bind_blob(stmt, 4, in->pack.check, MANIFEST_CHECK_BYTES, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 5, in->n_chunks);
    return run(index, stmt);
}

static int add_chunk(struct store_index *index,
                     sqlite3_int64 pack,
                     const uint8_t *sha256,
                     const struct index_place *place)
{
    sqlite3_stmt *stmt = index->stmts[ADD_CHUNK];

    bind_name(stmt, 1, sha256);
    (void)sqlite3_bind_int64(stmt, 2, pack);
    (void)sqlite3_bind_int64(stmt, 3, place->offset);
    (void)sqlite3_bind_int64(stmt, 4, place->size_bytes);
    (void)sqlite3_bind_int64(stmt, 5, seal_of(sha256, place));
    return run(index, stmt);
}

int index_add(struct store_index *index, const struct manifest_pack *pack, const struct pack *table)
{
    struct index_place place = {.in = {*pack, (uint32_t)table->n_chunks}};
    sqlite3_int64 id;
    int r = index_remove(index, pack->sha256);

    if (r == 0)
        r = add_pack(index, &place.in);
    id = sqlite3_last_insert_rowid(index->engine);
    for (size_t i = 0; r == 0 && i < table->n_chunks; i++) {
        place.size_bytes = table->chunks[i].size_bytes;
        r = add_chunk(index, id, table->chunks[i].sha256, &place);
        place.offset += place.size_bytes;
    }
    return r;
}

int index_remove(struct store_index *index, const uint8_t sha256[static SHA256_BYTES])
{
    static const enum statement both[] = {REMOVE_CHUNKS, REMOVE_PACK};
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(both) / sizeof(both[0]); i++) {
        bind_name(index->stmts[both[i]], 1, sha256);
        r = run(index, index->stmts[both[i]]);
    }
    return r;
}

static bool reserve(struct manifest_pack **packs, size_t n, size_t *cap)
{
    size_t more = *cap > 0 ? 2 * *cap : FIRST_PACKS;
    struct manifest_pack *grown;

    if (n < *cap)
        return true;
    grown = realloc(*packs, more * sizeof(*grown));
    if (!grown)
        return false;
    *packs = grown;
    *cap = more;
    return true;
}

int index_list(struct store_index *index, struct manifest_pack **ret, size_t *ret_n)
{
    OWN(freep) struct manifest_pack *packs = NULL;
    sqlite3_stmt *stmt = index->stmts[LIST];
    size_t cap = 0;
    size_t n = 0;
    int code;

    for (code = sqlite3_step(stmt); code == SQLITE_ROW; code = sqlite3_step(stmt)) {
        if (!reserve(&packs, n, &cap))
            break;
        if (!read_pack(stmt, &packs[n])) {
            code = SQLITE_CORRUPT;
            break;
        }
        n++;
    }
    (void)sqlite3_reset(stmt);
    if (code != SQLITE_DONE)
        return fail(index, code == SQLITE_ROW ? SQLITE_NOMEM : code);
    *ret = TAKE(packs);
    *ret_n = n;
    return 0;
}
