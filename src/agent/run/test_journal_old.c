/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/journal_old.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "plat/file.h"

static char folder[64];
static char path[96];

static int new_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-old-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/smsts.log", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void put(const char *name)
{
    char full[256];

    assert_int_equal(journal_old_path(path, name, full, sizeof(full)), 0);
    assert_int_equal(file_write(full, bytes_of("x"), 0600), 0);
}

static void only_files_with_the_name_of_the_log_are_its_old_ones(void **state)
{
    (void)state;
    struct journal_old list;

    put("smsts.log");
    put("smsts.lo_");
    put("smsts-20261122-093005.log");
    put("smsts-20261122-0930.log");
    put("smsts-2026112x-093005.log");
    put("smsts-20261122-093005.log.gz");
    put("other.lo_");
    assert_int_equal(journal_old_list(path, &list), 0);
    assert_int_equal(list.n, 2);
    journal_old_remove(path);
    assert_int_equal(journal_old_list(path, &list), 0);
    assert_int_equal(list.n, 0);
    assert_true(file_exists(path));
}

static void fewer_are_kept_when_fewer_are_wanted(void **state)
{
    (void)state;
    struct journal_old list;

    for (unsigned i = 0; i < 4; i++) {
        put("smsts.log");
        assert_true(journal_old_make(path, 4));
    }
    assert_int_equal(journal_old_list(path, &list), 0);
    assert_int_equal(list.n, 4); /* all of one second, and each has its name */
    put("smsts.log");
    assert_true(journal_old_make(path, 1));
    assert_int_equal(journal_old_list(path, &list), 0);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.files[0].name, "smsts.lo_");
    put("smsts.log");
    assert_true(journal_old_make(path, 0));
    assert_false(file_exists(path));
    assert_int_equal(journal_old_list(path, &list), 0);
    assert_int_equal(list.n, 1);
}

static void a_log_has_to_be_called_one(void **state)
{
    (void)state;
    struct journal_old list;
    char full[256];

    assert_true(journal_old_list("/tmp/smsts.txt", &list) < 0);
    assert_true(journal_old_path(".log", "x", full, sizeof(full)) < 0);
    assert_false(journal_old_make("/tmp/smsts", 1));
    assert_int_equal(journal_old_list("/nonexistent/smsts.log", &list), 0);
    assert_int_equal(list.n, 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, new_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(only_files_with_the_name_of_the_log_are_its_old_ones),
        IN_FOLDER(fewer_are_kept_when_fewer_are_wanted),
        cmocka_unit_test(a_log_has_to_be_called_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
