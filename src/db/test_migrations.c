/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/tables.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/own.h"
#include "db/db.h"
#include "db/fixture.h"
#include "plat/file.h"

DEFINE_FREEP(struct db *, db_free);

static char folder[64];
static char path[80];

static int make_folder(void **state)
{
    (void)state;
    /* in memory where there is such a place: thousands of commits of what nobody keeps */
    (void)snprintf(folder,
                   sizeof(folder),
                   "%s/slipway-migrations-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
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

static void run_raw(sqlite3 *raw, const char *text)
{
    assert_int_equal(sqlite3_exec(raw, text, NULL, NULL, NULL), SQLITE_OK);
}

/* A database as the program made it that knew @n migrations, with @rows in it. */
static void make_old(int n, const char *rows)
{
    sqlite3 *raw = NULL;

    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    run_raw(raw, "PRAGMA foreign_keys = ON");
    run_raw(raw,
            "CREATE TABLE schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
            " sha256 TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT");
    for (int i = 0; i < n; i++) {
        char record[256];

        run_raw(raw, db_migrations[i].text[DB_SQLITE]);
        (void)snprintf(record,
                       sizeof(record),
                       "INSERT INTO schema_migration VALUES (%d, '%s', '%s', 'then')",
                       db_migrations[i].number,
                       db_migrations[i].name,
                       db_migrations[i].sha256[DB_SQLITE]);
        run_raw(raw, record);
    }
    run_raw(raw, rows);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
}

/* The first row's columns, as text. */
static void assert_row(struct db *db, enum db_sql sql, struct db_args args, const char *const *want)
{
    OWN(db_rows_fini) struct db_rows rows = {0};

    assert_int_equal(db_first(db, sql, args, &rows), DB_ROW);
    for (size_t i = 0; want[i]; i++)
        assert_string_equal(db_get_text(&rows, i), want[i]);
}

static void images_become_their_first_content_version(void **state)
{
    (void)state;
    static const char rows[] =
        "INSERT INTO package (id, kind, name, state, kernel_version, created_us, ready_us) VALUES"
        " ('SLP00001', 'boot-image', 'Boot', 'ready', '6.1', 1, 2),"
        " ('SLP00002', 'os-image', 'Debian', 'ready', '', 1, 2),"
        " ('SLP00004', 'os-image', 'Later', 'importing', '', 1, NULL);"
        "INSERT INTO package_file VALUES ('SLP00001', 'vmlinuz', 5, 'aa');"
        "INSERT INTO package_index VALUES ('SLP00002', 1, 'n', 'd', 'x64', 9, 3, 'mm', 1, NULL);"
        "INSERT INTO task_sequence VALUES ('SLP00003', 't', 'SLP00001', '<x/>', 1, '[]', 1, 1);"
        "INSERT INTO task_sequence_package VALUES ('SLP00003', 'SLP00002');"
        "INSERT INTO deployment VALUES ('SLP20001', 'SLP00003', 'SLP10001', 'required', 0, 1);"
        "INSERT INTO device (id, name, is_unknown, is_imported, created_us) VALUES ('d', 'pc', 0, 1, 1);"
        "INSERT INTO orders (id, deployment_id, device_id, state, environment, attempt, created_us,"
        " deadline_us, heard_us) VALUES ('o', 'SLP20001', 'd', 'in-progress', 'boot-image', 1, 1, 1, 1);"
        "INSERT INTO job (id, kind, package_id, args, state, created_us, heard_us) VALUES"
        " ('j', 'import-os-image', 'SLP00004', '{}', 'running', 1, 1)";
    OWN(db_freep) struct db *db = NULL;

    make_old(2, rows);
    assert_int_equal(db_open(path, &db), 0);
    assert_row(db,
               SQL_PACKAGE_STATE,
               DB_ARGS(db_text("SLP00002")),
               (const char *[]){"os-image", "ready", "Debian", NULL});
    assert_row(db,
               SQL_ORDER_INDEX_LIST,
               DB_ARGS(db_text("SLP00002"), db_u64(1)),
               (const char *[]){"1", "mm", "9", "1", NULL});
    assert_row(db,
               SQL_MANIFEST_LIST,
               DB_ARGS(db_text("SLP00002"), db_u64(1)),
               (const char *[]){"mm", NULL});
    assert_row(db,
               SQL_PACKAGE_FILE_LIST,
               DB_ARGS(db_text("SLP00001"), db_u64(1)),
               (const char *[]){"vmlinuz", "5", "aa", NULL});
    assert_row(db,
               SQL_ORDER_PACKAGES,
               DB_ARGS(db_text("o")),
               (const char *[]){"SLP00001", "boot-image", "Boot", "1", NULL});
    assert_row(
        db, SQL_VERSION_MAKING, DB_ARGS(db_text("SLP00004")), (const char *[]){"1", "j", NULL});
    assert_row(
        db,
        SQL_JOB_GET,
        DB_ARGS(db_text("j")),
        (const char *[]){"j", "import-os-image", "DP00001", "SLP00004", "1", "running", NULL});
    assert_row(db,
               SQL_PACKAGE_USERS,
               DB_ARGS(db_text("SLP00002")),
               (const char *[]){"SLP00003", "t", "SLP20001", NULL});
}

static void scopes_that_differ_in_case_alone_get_names_of_their_own(void **state)
{
    (void)state;
    static const char rows[] =
        "INSERT INTO security_scope (id, name, created_us) VALUES"
        " ('SS00001', 'Berlin', 1), ('SS00002', 'berlin', 2), ('SS00003', 'all', 3), ('SS00004', 'Bonn', 4)";
    static const char *const want[][2] = {
        {"SS00001", "Berlin"},
        {"SS00002", "berlin (SS00002)"},
        {"SS00003", "all (SS00003)"},
        {"SS00004", "Bonn"},
        {"SLP00ALL", "All"},
    };
    OWN(db_freep) struct db *db = NULL;

    make_old(51, rows);
    assert_int_equal(db_open(path, &db), 0);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        assert_row(db,
                   SQL_SECURITY_SCOPE_GET,
                   DB_ARGS(db_text(want[i][0])),
                   (const char *[]){want[i][0], want[i][1], NULL});
}

/* The highest number that an alert ever had. */
static int last_number(void)
{
    sqlite3 *raw = NULL;
    sqlite3_stmt *found = NULL;
    int n;

    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(
            raw, "SELECT seq FROM sqlite_sequence WHERE name = 'alert'", -1, &found, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(found), SQLITE_ROW);
    n = sqlite3_column_int(found, 0);
    assert_int_equal(sqlite3_finalize(found), SQLITE_OK);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
    return n;
}

/* The table of alerts is made anew for a further kind: none of them goes, and no number is given twice. */
static void alerts_and_what_is_to_be_told_of_them_outlive_a_further_kind(void **state)
{
    (void)state;
    static const char rows[] =
        "INSERT INTO alert (id, kind, object, severity, text, raised_us, changed_us) VALUES"
        " (7, 'lost-contact', 'SLP20001', 'error', 'Gone', 1, 2), (9, 'lost-contact', 'x', 'error', 'Old', 1, 2);"
        "INSERT INTO alert_message (id, alert_id, event, channel, next_us) VALUES (5, 7, 'raised', 'mail', 1);"
        "DELETE FROM alert WHERE id = 9";
    OWN(db_freep) struct db *db = NULL;

    make_old(37, rows);
    assert_int_equal(db_open(path, &db), 0);
    assert_int_equal(last_number(), 9);
    assert_row(db,
               SQL_ALERT_MESSAGE_NEXT,
               DB_ARGS(db_u64(1)),
               (const char *[]){"5",
                                "mail",
                                "raised",
                                "0",
                                "7",
                                "1",
                                "2",
                                "lost-contact",
                                "SLP20001",
                                "error",
                                "Gone",
                                NULL});
}

static enum db_engine engine(void)
{
    return db_fixture_is_postgresql() ? DB_POSTGRESQL : DB_SQLITE;
}

static void record(const char *address, const struct db_migration *migration)
{
    char text[256];

    (void)snprintf(text,
                   sizeof(text),
                   "INSERT INTO schema_migration VALUES (%d, '%s', '%s', 'then')",
                   migration->number,
                   migration->name,
                   migration->sha256[engine()]);
    assert_true(db_fixture_exec(address, text));
}

/* The same for either engine, with what every level has room for. */
static void make_level(const char *address, int n)
{
    static const char *const tables[] = {
        "CREATE TABLE schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
        " sha256 TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT",
        "CREATE TABLE schema_migration (number bigint PRIMARY KEY, name text NOT NULL,"
        " sha256 text NOT NULL, applied_at text NOT NULL)",
    };
    static const char rows[] =
        "INSERT INTO device (id, name, is_unknown, is_imported, created_us) VALUES"
        " ('d', 'PC-one', 0, 1, 1);"
        "INSERT INTO device_mac (mac, device_id) VALUES ('52:54:00:00:00:01', 'd');"
        "INSERT INTO collection (id, name, rule, created_us) VALUES ('SLP10003', 'Mine', 'direct', 1);"
        "INSERT INTO collection_member (collection_id, device_id) VALUES ('SLP10003', 'd')";

    assert_true(db_fixture_exec(address, tables[engine()]));
    if (engine() == DB_POSTGRESQL) {
        assert_true(db_fixture_exec(address, db_postgresql_prelude.text[DB_POSTGRESQL]));
        record(address, &db_postgresql_prelude);
    }
    for (int i = 0; i < n; i++) {
        assert_true(db_fixture_exec(address, db_migrations[i].text[engine()]));
        record(address, &db_migrations[i]);
    }
    assert_true(db_fixture_exec(address, rows));
}

static void what_any_earlier_version_made_is_brought_up_to_date(void **state)
{
    (void)state;

    for (int n = 1; db_migrations[n - 1].name; n++) {
        OWN(db_freep) struct db *db = NULL;
        char address[DB_FIXTURE_MAX];

        (void)unlink(path);
        db_fixture_new_empty(path, address);
        make_level(address, n);
        if (db_open(address, &db) != 0)
            fail_msg("from level %d: %s", n, db_why(NULL));
        assert_row(db,
                   SQL_DEVICE_BY_MAC,
                   DB_ARGS(db_text("52:54:00:00:00:01")),
                   (const char *[]){"d", NULL});
        assert_row(
            db, SQL_DEVICE_BRIEF, DB_ARGS(db_text("d")), (const char *[]){"PC-one", "0", NULL});
        for (unsigned sql = 0; sql < SQL_COUNT; sql++)
            assert_int_equal(db_prepare(db, (enum db_sql)sql), 0);
        db_free(TAKE(db));
        db_fixture_drop(address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            images_become_their_first_content_version, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            alerts_and_what_is_to_be_told_of_them_outlive_a_further_kind,
            make_folder,
            remove_folder),
        cmocka_unit_test_setup_teardown(
            scopes_that_differ_in_case_alone_get_names_of_their_own, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            what_any_earlier_version_made_is_brought_up_to_date, make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
