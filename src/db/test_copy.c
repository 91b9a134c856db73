/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/copy.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "base/own.h"
#include "db/fixture.h"
#include "db/postgresql.h"
#include "plat/file.h"

DEFINE_FREEP(PGconn *, PQfinish);

DEFINE_FREEP(struct db *, db_free);

static char folder[64];
static char old_path[80];
static char new_address[DB_FIXTURE_MAX];

static int make_folder(void **state)
{
    char path[80];

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-copy-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(old_path, sizeof(old_path), "%s/old.db", folder);
    (void)snprintf(path, sizeof(path), "%s/new.db", folder);
    db_fixture_new_empty(path, new_address);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    db_fixture_drop(new_address);
    return dir_remove(folder);
}

static const char awkward[] = "a\\b\tc\nd\r\\N'\"\xc3\xa9";

static int add_audit(struct db *db, const char *who)
{
    struct db_args args =
        DB_ARGS(db_u64(1), db_text(who), db_text(awkward), db_text(""), db_text("\\N"));

    return db_run(db, SQL_AUDIT_ADD, args, NULL);
}

static void fill_old(void)
{
    OWN(db_freep) struct db *db = NULL;
    OWN(db_rollbackp) struct db *tx = NULL;
    struct db_args device = DB_ARGS(
        db_text("id1"), db_text("PC-one"), db_null(), db_u64(0), db_u64(1), db_u64(INT64_MAX));
    struct db_args mac = DB_ARGS(db_text("52:54:00:00:00:01"), db_text("id1"));

    assert_int_equal(db_open(old_path, &db), 0);
    assert_int_equal(db_begin(db, &tx), 0);
    for (unsigned i = 0; i < 1500; i++)
        assert_int_equal(add_audit(db, "old"), 0);
    assert_int_equal(db_run(db, SQL_DEVICE_ADD, device, NULL), 0);
    assert_int_equal(db_run(db, SQL_DEVICE_MAC_ADD, mac, NULL), 0);
    assert_int_equal(db_commit(&tx), 0);
}

static void count_rows(void *ctx, const struct db_copied *table)
{
    uint64_t *n_rows = ctx;

    assert_int_equal(strlen(table->sum), 64);
    *n_rows += strcmp(table->table, "audit") == 0 ? table->n_rows : 0;
}

static uint64_t copy(const char *from_address, const char *to_address)
{
    OWN(db_freep) struct db *from = NULL;
    OWN(db_freep) struct db *to = NULL;
    uint64_t n_rows = 0;

    assert_int_equal(db_open(from_address, &from), 0);
    assert_int_equal(db_open_target(to_address, &to), 0);
    if (db_copy(from, to, count_rows, &n_rows) != 0)
        fail_msg("%s / %s", db_why(from), db_why(to));
    return n_rows;
}

static void assert_copied(struct db *db)
{
    OWN(db_rows_fini) struct db_rows audit = {0};
    OWN(db_rows_fini) struct db_rows device = {0};
    uint64_t n = 0;

    assert_int_equal(db_select(db, SQL_AUDIT_LIST, DB_ARGS(db_u64(0), db_u64(10000)), &audit), 0);
    while (db_next(&audit) == DB_ROW) {
        assert_string_equal(db_get_text(&audit, 3), awkward);
        assert_int_equal(db_get_u64(&audit, 0), ++n);
    }
    assert_int_equal(n, 1500);
    assert_int_equal(
        db_first(db, SQL_DEVICE_BY_MAC, DB_ARGS(db_text("52:54:00:00:00:01")), &device), DB_ROW);
    assert_string_equal(db_get_text(&device, 0), "id1");
}

static void a_copy_has_every_row_and_goes_on_where_the_old_one_was(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = NULL;
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args nobody = DB_ARGS(db_text("m"), db_text("nobody"));

    fill_old();
    assert_int_equal(copy(old_path, new_address), 1500);
    assert_int_equal(db_open(new_address, &db), 0);
    assert_copied(db);
    assert_int_equal(add_audit(db, "new"), 0);
    assert_int_equal(db_first(db, SQL_AUDIT_LIST, DB_ARGS(db_u64(1500), db_u64(9)), &rows), DB_ROW);
    assert_int_equal(db_get_u64(&rows, 0), 1501);
    /* and what refers to something still may not refer to nothing */
    assert_int_equal(db_run(db, SQL_DEVICE_MAC_ADD, nobody, NULL), DB_E_EXISTS);
}

static void a_copy_can_be_copied_back(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = NULL;
    char path[80];

    fill_old();
    assert_int_equal(copy(old_path, new_address), 1500);
    (void)snprintf(path, sizeof(path), "%s/back.db", folder);
    assert_int_equal(copy(new_address, path), 1500);
    assert_int_equal(db_open(path, &db), 0);
    assert_copied(db);
}

static void a_database_with_something_in_it_is_no_target(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = NULL;
    struct db *target = NULL;

    assert_int_equal(db_open(new_address, &db), 0);
    db_free(TAKE(db));
    assert_int_equal(db_open_target(new_address, &target), DB_E_NOT_EMPTY);
    assert_null(target);
}

static void what_was_not_finished_is_begun_anew_and_never_used(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = NULL;

    if (!db_fixture_is_postgresql())
        return; /* a file is given its name when it is whole */
    fill_old();
    assert_int_equal(db_open_target(new_address, &db), 0);
    db_free(TAKE(db));
    assert_int_equal(db_open(new_address, &db), DB_E_IN_USE);
    assert_null(db);
    assert_int_equal(copy(old_path, new_address), 1500);
    assert_int_equal(db_open(new_address, &db), 0);
    assert_copied(db);
}

/* Its connection is closed, but the server has not noticed yet. */
static void who_has_just_gone_is_waited_for(void **state)
{
    (void)state;
    static const char *const locks[] = {"pg_advisory_lock", "pg_advisory_lock_shared"};

    if (!db_fixture_is_postgresql())
        return;
    for (int is_site = 0; is_site <= 1; is_site++) {
        OWN(PQfinishp) PGconn *other = PQconnectdb(new_address);
        OWN(db_freep) struct db *db = NULL;
        char text[64];

        (void)snprintf(text, sizeof(text), "SELECT %s(" POSTGRESQL_LOCK_SITE ")", locks[is_site]);
        PQclear(PQexec(other, text));
        assert_int_equal(
            PQsendQuery(other, "SELECT pg_sleep(0.3); SELECT pg_advisory_unlock_all()"), 1);
        assert_int_equal(is_site ? db_open_target(new_address, &db) : db_open(new_address, &db),
                         is_site ? DB_E_NOT_EMPTY : 0);
    }
}

static void a_site_in_use_is_no_target(void **state)
{
    (void)state;
    OWN(db_freep) struct db *db = NULL;
    struct db *target = NULL;
    int want = db_fixture_is_postgresql() ? DB_E_IN_USE : DB_E_NOT_EMPTY;

    assert_int_equal(db_open(new_address, &db), 0);
    assert_int_equal(db_open_target(new_address, &target), want);
    assert_null(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_copy_has_every_row_and_goes_on_where_the_old_one_was, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_copy_can_be_copied_back, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            a_database_with_something_in_it_is_no_target, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            what_was_not_finished_is_begun_anew_and_never_used, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            who_has_just_gone_is_waited_for, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_site_in_use_is_no_target, make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
