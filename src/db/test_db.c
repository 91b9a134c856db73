/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/db.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/own.h"
#include "plat/file.h"

DEFINE_FREEP(struct db *, db_free);

static char folder[64];
static char path[80];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-db-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/t.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static struct db *open_ok(void)
{
    struct db *db = NULL;

    assert_int_equal(db_open(path, &db), 0);
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
    sqlite3 *raw = NULL;

    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
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
    assert_int_equal(db_open(path, &db), DB_E_NEWER);
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
    assert_int_equal(db_open(path, &db), DB_E_CHANGED);
    run_raw("UPDATE schema_migration SET sha256 = substr(sha256, 2) WHERE number = 1");
    db_free(open_ok());
}

static void open_refuses_a_database_that_is_in_use(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    struct db *second = NULL;

    assert_non_null(db);

    assert_int_equal(db_open(path, &second), DB_E_IN_USE);
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

static void an_inner_rollback_dooms_the_outer_transaction(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();
    uint64_t before = count_audit(db);

    {
        OWN(db_rollbackp) struct db *outer = NULL;

        assert_int_equal(db_begin(db, &outer), 0);
        assert_int_equal(add_audit(db, "gone"), 0);
        {
            OWN(db_rollbackp) struct db *inner = NULL;

            assert_int_equal(db_begin(db, &inner), 0);
        }
        assert_true(db_commit(&outer) < 0);
    }
    assert_int_equal(count_audit(db), before);
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

static void the_audit_log_can_only_grow(void **state)
{
    (void)state;

    {
        OWN(db_freep) struct db *db = open_ok();

        assert_int_equal(add_audit(db, "kept"), 0);
    }
    sqlite3 *raw = NULL;

    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(raw, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(raw, "UPDATE audit SET who = ''", NULL, NULL, NULL),
                         SQLITE_OK);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
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

static void every_statement_can_be_prepared(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = open_ok();

    for (unsigned sql = 0; sql < SQL_COUNT; sql++)
        assert_int_equal(db_prepare(db, (enum db_sql)sql), 0);
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

        if (db_open(path, &db) != 0)
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
        cmocka_unit_test(an_inner_rollback_dooms_the_outer_transaction),
        cmocka_unit_test(an_inner_commit_is_part_of_the_outer_one),
        cmocka_unit_test(the_audit_log_can_only_grow),
        cmocka_unit_test(a_reference_to_nothing_is_refused),
        cmocka_unit_test(every_statement_can_be_prepared),
        cmocka_unit_test(what_was_committed_survives_a_kill),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
