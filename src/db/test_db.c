/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/db.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/engine.h"
#include "db/fixture.h"
#include "db/tables.h"
#include "plat/file.h"

DEFINE_FREEP(struct db *, db_free);

static char folder[64];
static char address[DB_FIXTURE_MAX];

static int make_folder(void **state)
{
    char path[80];

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-db-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/t.db", folder);
    db_fixture_new_empty(path, address);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    db_fixture_drop(address);
    return dir_remove(folder);
}

static struct db *open_ok(void)
{
    struct db *db = NULL;

    assert_int_equal(db_open(address, &db), 0);
    return db;
}

static int add_audit(struct db *db, const char *who)
{
    return db_run(db,
                  SQL_AUDIT_ADD,
                  DB_ARGS(db_u64(1), db_text(who), db_text("a"), db_text("o"), db_text("")),
                  NULL);
}

static uint64_t count_audit(struct db *db)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t n = 0;
    int r = db_select(db, SQL_AUDIT_LIST, DB_ARGS(db_u64(0), db_u64(1000)), &rows);

    assert_int_equal(r, 0);
    while ((r = db_next(&rows)) == DB_ROW)
        n++;
    assert_int_equal(r, 0);
    return n;
}

static void run_raw(const char *text)
{
    assert_true(db_fixture_exec(address, text));
}

static void open_makes_the_schema_and_opens_it_again(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();

    assert_int_equal(add_audit(db, "first"), 0);
    db_free(TAKE(db));
    db = open_ok();
    assert_int_equal(count_audit(db), 1);
}

static void open_refuses_a_newer_schema(void **state)
{
    (void)state;
    struct db *db = NULL;

    db_free(open_ok());
    run_raw("INSERT INTO schema_migration VALUES (9999, 'later', 'x', 'now')");
    assert_int_equal(db_open(address, &db), DB_E_NEWER);
    assert_null(db);
    run_raw("DELETE FROM schema_migration WHERE number = 9999");
    db_free(open_ok());
}

static void open_refuses_a_schema_made_by_another_text(void **state)
{
    (void)state;
    struct db *db = NULL;

    db_free(open_ok());
    run_raw("UPDATE schema_migration SET sha256 = 'x' || sha256 WHERE number = 1");
    assert_int_equal(db_open(address, &db), DB_E_CHANGED);
    run_raw("UPDATE schema_migration SET sha256 = substr(sha256, 2) WHERE number = 1");
    db_free(open_ok());
}

/* Of PostgreSQL there may be several site servers, but none while somebody moves the whole. */
static void open_refuses_a_database_that_is_in_use(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    struct db *second = NULL;

    assert_non_null(db);
    if (db_fixture_is_postgresql()) {
        assert_int_equal(db_open(address, &second), 0);
        assert_int_equal(add_audit(second, "second"), 0);
        assert_int_equal(add_audit(db, "first"), 0);
        db_free(second);
        return;
    }
    assert_int_equal(db_open(address, &second), DB_E_IN_USE);
    assert_null(second);
}

static void a_transaction_that_is_left_changes_nothing(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    uint64_t before = count_audit(db);

    {
        OWN(db_rollbackp) struct db *tx = NULL;

        assert_int_equal(db_begin(db, &tx), 0);
        assert_int_equal(add_audit(db, "gone"), 0);
    }
    assert_int_equal(count_audit(db), before);
}

static void an_inner_rollback_takes_back_what_is_inner(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    uint64_t before = count_audit(db);

    {
        OWN(db_rollbackp) struct db *outer = NULL;

        assert_int_equal(db_begin(db, &outer), 0);
        assert_int_equal(add_audit(db, "kept"), 0);
        {
            OWN(db_rollbackp) struct db *inner = NULL;

            assert_int_equal(db_begin(db, &inner), 0);
            assert_int_equal(add_audit(db, "gone"), 0);
        }
        assert_int_equal(add_audit(db, "kept too"), 0);
        assert_int_equal(db_commit(&outer), 0);
    }
    assert_int_equal(count_audit(db), before + 2);
}

static void an_inner_commit_is_part_of_the_outer_one(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    uint64_t before = count_audit(db);
    OWN(db_rollbackp) struct db *outer = NULL;
    OWN(db_rollbackp) struct db *inner = NULL;

    assert_int_equal(db_begin(db, &outer), 0);
    assert_int_equal(db_begin(db, &inner), 0);
    assert_int_equal(add_audit(db, "kept"), 0);
    assert_int_equal(db_commit(&inner), 0);
    assert_int_equal(db_commit(&outer), 0);
    assert_int_equal(count_audit(db), before + 1);
}

/* What another handle, and so another process or a restart, sees. */
static uint64_t count_committed(void)
{
    OWN(db_freep) struct db *db = open_ok();

    return count_audit(db);
}

static int fail_a_statement(struct db *db)
{
    /* a reference to nothing, by a statement of which nobody expects it */
    return db_must(
        db, SQL_DEVICE_MAC_ADD, DB_ARGS(db_text("52:54:00:00:00:01"), db_text("nobody")));
}

static void parts_of_a_batch_are_committed_together(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    uint64_t before = count_audit(db);

    db_batch_begin(db);
    assert_false(db_batch_has_changes(db));
    for (unsigned i = 0; i < 3; i++) {
        OWN(db_rollbackp) struct db *tx = NULL;

        db_part_begin(db);
        assert_int_equal(count_audit(db), before + 2 * (uint64_t)i);
        assert_int_equal(add_audit(db, "outside"), 0);
        assert_int_equal(db_begin(db, &tx), 0);
        assert_int_equal(add_audit(db, "inside"), 0);
        assert_int_equal(db_commit(&tx), 0);
        assert_int_equal(db_part_end(db, true), 0);
        assert_true(db_batch_has_changes(db));
    }
    assert_int_equal(db_batch_commit(db), 0);
    db_free(TAKE(db));
    assert_int_equal(count_committed(), before + 6);
}

static void a_part_that_failed_harms_no_other(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    uint64_t before = count_audit(db);

    db_batch_begin(db);
    db_part_begin(db);
    assert_int_equal(add_audit(db, "kept"), 0);
    assert_int_equal(db_part_end(db, true), 0);

    db_part_begin(db);
    assert_int_equal(add_audit(db, "gone"), 0);
    assert_true(fail_a_statement(db) < 0);
    assert_int_equal(db_part_end(db, false), 0);

    db_part_begin(db);
    assert_int_equal(count_audit(db), before + 1);
    assert_int_equal(add_audit(db, "kept too"), 0);
    assert_int_equal(db_part_end(db, true), 0);
    assert_int_equal(db_batch_commit(db), 0);
    db_free(TAKE(db));
    assert_int_equal(count_committed(), before + 2);
}

static void a_batch_that_only_reads_begins_nothing(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();

    db_batch_begin(db);
    db_part_begin(db);
    (void)count_audit(db);
    assert_int_equal(db_part_end(db, true), 0);
    assert_false(db_batch_has_changes(db));
    assert_int_equal(db_batch_commit(db), 0);
}

/* The engine ends the transaction by itself, as a full disk or a connection that goes would make it. */
static void end_behind_its_back(struct db *db)
{
    (void)db->ops->exec(db, "ROLLBACK");
}

static void what_the_engine_gave_up_is_acknowledged_to_nobody(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    struct db *tx = NULL;
    uint64_t before = count_audit(db);

    db_batch_begin(db);
    db_part_begin(db);
    assert_int_equal(add_audit(db, "gone"), 0);
    assert_int_equal(db_part_end(db, true), 0);
    end_behind_its_back(db);
    db_part_begin(db);
    assert_int_equal(add_audit(db, "gone too"), -EAGAIN);
    assert_int_equal(db_begin(db, &tx), -EAGAIN);
    assert_null(tx);
    (void)db_part_end(db, false);
    assert_int_equal(add_audit(db, "gone too"), -EAGAIN);
    assert_true(db_batch_commit(db) < 0);
    assert_int_equal(count_audit(db), before);

    /* and so when that is found only by the commit */
    db_batch_begin(db);
    assert_int_equal(add_audit(db, "gone"), 0);
    end_behind_its_back(db);
    assert_true(db_batch_commit(db) < 0);
    db_batch_begin(db);
    assert_int_equal(add_audit(db, "kept"), 0);
    assert_int_equal(db_batch_commit(db), 0);
    assert_int_equal(count_audit(db), before + 1);
}

static void the_audit_log_can_only_grow(void **state)
{
    (void)state;

    {
        OWN(db_freep) struct db *db = open_ok();

        assert_int_equal(add_audit(db, "kept"), 0);
    }
    assert_false(db_fixture_exec(address, "DELETE FROM audit"));
    assert_false(db_fixture_exec(address, "UPDATE audit SET who = ''"));
}

static void a_reference_to_nothing_is_refused(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();

    assert_int_equal(
        db_run(
            db, SQL_DEVICE_MAC_ADD, DB_ARGS(db_text("52:54:00:00:00:01"), db_text("nobody")), NULL),
        DB_E_EXISTS);
}

static void a_refused_row_ends_no_transaction(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    OWN(db_rollbackp) struct db *tx = NULL;
    struct db_args args = DB_ARGS(db_text("52:54:00:00:00:01"), db_text("nobody"));
    uint64_t before = count_audit(db);

    assert_int_equal(db_begin(db, &tx), 0);
    assert_int_equal(add_audit(db, "before"), 0);
    assert_int_equal(db_run(db, SQL_DEVICE_MAC_ADD, args, NULL), DB_E_EXISTS);
    assert_int_equal(add_audit(db, "after"), 0);
    assert_int_equal(db_commit(&tx), 0);
    assert_int_equal(count_audit(db), before + 2);
}

static void values_come_back_as_they_went(void **state)
{
    (void)state;
    static const char text[] = "a'b\"c\\d \xc3\xa9\n";
    OWN(db_freep) struct db *db = open_ok();
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(
        db_u64(INT64_MAX), db_text("w"), db_text(""), db_text(text), db_bytes(bytes_of("det")));

    assert_int_equal(db_run(db, SQL_AUDIT_ADD, args, NULL), 0);
    assert_int_equal(db_select(db, SQL_AUDIT_LIST, DB_ARGS(db_u64(0), db_u64(1000)), &rows), 0);
    while (db_next(&rows) == DB_ROW)
        if (strcmp(db_get_text(&rows, 2), "w") == 0)
            break;
    assert_int_equal(db_get_u64(&rows, 1), INT64_MAX);
    assert_int_equal(db_column_type(&rows, 1), DB_U64);
    assert_int_equal(db_column_type(&rows, 3), DB_TEXT);
    assert_string_equal(db_get_text(&rows, 3), "");
    assert_string_equal(db_get_text(&rows, 4), text);
    assert_string_equal(db_get_text(&rows, 5), "det");
    assert_string_equal(db_column_name(&rows, 1), "time:time");
}

static void a_read_only_handle_changes_nothing(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    struct db *tx = NULL;
    uint64_t before = count_audit(db);

    db_set_read_only(db, true);
    assert_int_equal(add_audit(db, "gone"), -EROFS);
    assert_int_equal(db_begin(db, &tx), -EROFS);
    assert_null(tx);
    assert_int_equal(count_audit(db), before);
    db_set_read_only(db, false);
    assert_int_equal(add_audit(db, "kept"), 0);
    assert_int_equal(count_audit(db), before + 1);
}

static void a_reader_sees_what_is_committed_and_changes_nothing(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    OWN(db_freep) struct db *reader = NULL;
    struct db *tx = NULL;
    uint64_t before = count_audit(db);

    assert_int_equal(db_open_reader(address, &reader), 0);
    db_batch_begin(db);
    assert_int_equal(add_audit(db, "later"), 0);
    assert_int_equal(db_snapshot_begin(reader), 0);
    assert_int_equal(count_audit(reader), before);
    assert_int_equal(db_batch_commit(db), 0);
    assert_int_equal(count_audit(reader), before);
    db_snapshot_end(reader);
    assert_int_equal(db_snapshot_begin(reader), 0);
    assert_int_equal(count_audit(reader), before + 1);
    db_set_read_only(reader, false);
    assert_int_equal(add_audit(reader, "gone"), -EROFS);
    assert_int_equal(db_begin(reader, &tx), -EROFS);
    db_snapshot_end(reader);
    /* nor the engine, if anybody asked it behind that */
    assert_true(reader->ops->exec(reader, "DELETE FROM role") < 0);
    db_free(TAKE(reader));
    assert_int_equal(count_audit(db), before + 1);
}

static off_t size_of(const char *suffix)
{
    char path[DB_FIXTURE_MAX + 8];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s%s", address, suffix);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

/* Two that checkpoint at once can damage the file with the SQLite that we have. */
static void nobody_but_the_writer_checkpoints(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    OWN(db_freep) struct db *reader = NULL;
    static char text[256 * 1024];
    off_t log;
    off_t file;

    if (db_fixture_is_postgresql())
        return;
    assert_int_equal(db_checkpoint(db), 0);
    file = size_of("");
    memset(text, 'x', sizeof(text));
    for (unsigned i = 0; i < 20; i++) { /* SQLite would by itself after 1,000 pages of 4 KiB */
        struct db_args args = DB_ARGS(db_u64(1),
                                      db_text("more"),
                                      db_text("a"),
                                      db_text("o"),
                                      db_bytes((struct bytes){(uint8_t *)text, sizeof(text)}));

        assert_int_equal(db_run(db, SQL_AUDIT_ADD, args, NULL), 0);
    }
    log = size_of("-wal");
    assert_int_equal(db_open_reader(address, &reader), 0);
    assert_int_equal(db_snapshot_begin(reader), 0);
    assert_true(count_audit(reader) > 0);
    assert_true(reader->ops->checkpoint(reader) < 0);
    db_snapshot_end(reader);
    db_free(TAKE(reader));
    assert_int_equal(size_of(""), file);
    assert_int_equal(size_of("-wal"), log);
    assert_int_equal(db_checkpoint(db), 0);
    assert_true(size_of("") > file);
}

/* A reader in the middle of its snapshot makes no checkpoint fail, and sees no change of it. */
static void a_checkpoint_waits_for_no_reader(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    OWN(db_freep) struct db *reader = NULL;
    uint64_t before = count_audit(db);

    assert_int_equal(db_open_reader(address, &reader), 0);
    assert_int_equal(db_snapshot_begin(reader), 0);
    assert_int_equal(count_audit(reader), before);
    assert_int_equal(add_audit(db, "later"), 0);
    assert_int_equal(db_checkpoint(db), 0);
    assert_int_equal(count_audit(reader), before);
    db_snapshot_end(reader);
    db_free(TAKE(reader));
}

static void what_cannot_be_opened_says_why_but_no_password(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        "postgresql://me:secret@[::1/x",
        "postgresql://me:secret@/x?nothing=1",
        "postgresql://me:secret@/x?host=/nonexistent",
        "postgres://me:sec%zzret@host/x",
    };

    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct db *db = NULL;

        assert_true(db_open(addresses[i], &db) < 0);
        assert_null(db);
        assert_string_not_equal(db_why(NULL), "");
        assert_null(strstr(db_why(NULL), "sec"));
    }
}

static void names_know_no_case(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args =
        DB_ARGS(db_text("id1"), db_text("PC-one"), db_null(), db_u64(0), db_u64(1), db_u64(1));

    assert_int_equal(db_run(db, SQL_DEVICE_ADD, args, NULL), 0);
    args = DB_ARGS(db_text("id2"), db_text("pc-ONE"), db_null(), db_u64(0), db_u64(1), db_u64(1));
    assert_int_equal(db_run(db, SQL_DEVICE_ADD, args, NULL), DB_E_EXISTS);
    assert_int_equal(db_first(db, SQL_DEVICE_NAME_TAKEN, DB_ARGS(db_text("PC-ONE")), &rows),
                     DB_ROW);
}

static void every_statement_can_be_prepared(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();

    for (unsigned sql = 0; sql < SQL_COUNT; sql++)
        if (db_prepare(db, (enum db_sql)sql) != 0)
            fail_msg("%s: %s", db_statements[sql].name, db_why(db));
}

/* Killed in the middle of writing: what was committed is there, and nothing else. */
static void what_was_committed_survives_a_kill(void **state)
{
    (void)state;
    int pipe_fds[2];
    uint64_t before;
    char n = 0;
    pid_t pid;

    {
        OWN(db_freep) struct db *db = open_ok();

        before = count_audit(db);
    }
    assert_int_equal(pipe(pipe_fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct db *db = NULL;
        struct db *tx = NULL;

        if (db_open(address, &db) != 0)
            _exit(1);
        for (n = 1; n <= 5; n++)
            if (add_audit(db, "kept") != 0)
                _exit(1);
        if (db_begin(db, &tx) != 0 || add_audit(db, "open") != 0 || write(pipe_fds[1], &n, 1) != 1)
            _exit(1);
        (void)pause();
        _exit(1);
    }
    assert_int_equal(read(pipe_fds[0], &n, 1), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);

    OWN(db_freep) struct db *db = open_ok();

    assert_int_equal(count_audit(db), before + 5);
    assert_int_equal(db_checkpoint(db), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_makes_the_schema_and_opens_it_again),
        cmocka_unit_test(open_refuses_a_newer_schema),
        cmocka_unit_test(open_refuses_a_schema_made_by_another_text),
        cmocka_unit_test(open_refuses_a_database_that_is_in_use),
        cmocka_unit_test(a_transaction_that_is_left_changes_nothing),
        cmocka_unit_test(an_inner_rollback_takes_back_what_is_inner),
        cmocka_unit_test(an_inner_commit_is_part_of_the_outer_one),
        cmocka_unit_test(parts_of_a_batch_are_committed_together),
        cmocka_unit_test(a_part_that_failed_harms_no_other),
        cmocka_unit_test(a_batch_that_only_reads_begins_nothing),
        cmocka_unit_test(what_the_engine_gave_up_is_acknowledged_to_nobody),
        cmocka_unit_test(the_audit_log_can_only_grow),
        cmocka_unit_test(a_reference_to_nothing_is_refused),
        cmocka_unit_test(a_refused_row_ends_no_transaction),
        cmocka_unit_test(values_come_back_as_they_went),
        cmocka_unit_test(a_read_only_handle_changes_nothing),
        cmocka_unit_test(a_reader_sees_what_is_committed_and_changes_nothing),
        cmocka_unit_test(nobody_but_the_writer_checkpoints),
        cmocka_unit_test(a_checkpoint_waits_for_no_reader),
        cmocka_unit_test(what_cannot_be_opened_says_why_but_no_password),
        cmocka_unit_test(names_know_no_case),
        cmocka_unit_test(every_statement_can_be_prepared),
        cmocka_unit_test(what_was_committed_survives_a_kill),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
