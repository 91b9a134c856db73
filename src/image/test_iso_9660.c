/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/iso_import.h"

#include <inttypes.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "image/test_iso_fixture.h"

enum {
    WHY_MAX = 4096,
};

static int import(struct tree_fixture *f, struct buf *why)
{
    char disc[TREE_FIXTURE_PATH_MAX];

    tree_fixture_path(f, "disc.iso", disc);
    return iso_import_9660(disc, f->root, &f->sink, why);
}

static void iso_9660_with_rock_ridge_keeps_links_modes_and_times(void **state)
{
    static const char *const options[] = {"-R", "-cache-inodes", "-input-charset", "utf-8", NULL};
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    iso_fixture_put_tree(f);
    tree_fixture_link(f, "tree/link", "sources/install.txt");
    iso_fixture_make(f, options);
    assert_int_equal(import(f, &why), 0);
    assert_string_equal(buf_str(&f->seen),
                        "f 640 0 empty.txt\n"
                        "l 777 0 link sources/install.txt\n"
                        "d 755 0 sources\n"
                        "f 640 9 sources-2\nbeside it\n"
                        "f 640 9 sources/install.txt\nthe image\n"
                        "f 640 9 twin\nbeside it\n"
                        "f 640 6 \xc3\xa4.txt\numlaut");
    assert_true(f->mtime_ns > UINT64_C(1700000000) * 1000 * 1000 * 1000);
}

static void iso_9660_with_joliet_keeps_names(void **state)
{
    static const char *const options[] = {"-J", "-input-charset", "utf-8", NULL};
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    iso_fixture_put_tree(f);
    iso_fixture_make(f, options);
    assert_int_equal(import(f, &why), 0);
    assert_non_null(strstr(buf_str(&f->seen), " sources/install.txt\nthe image\n"));
    assert_non_null(strstr(buf_str(&f->seen), " \xc3\xa4.txt\numlaut"));
}

static void what_has_no_such_file_system_is_told_apart(void **state)
{
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    tree_fixture_put(f, "disc.iso", "a text and no disc");
    assert_int_equal(import(f, &why), TREE_E_UNKNOWN);
    assert_true(why.len > 0);
    assert_int_equal(f->seen.len, 0);
}

static void a_disc_that_ends_early_is_refused(void **state)
{
    static const char *const options[] = {"-R", "-input-charset", "utf-8", NULL};

    iso_fixture_put_tree(*state);
    iso_fixture_make(*state, options);
    iso_fixture_check_prefixes(*state, import);
}

static int refuse_entry(void *ctx, const struct manifest_entry *entry)
{
    (void)ctx;
    (void)entry;
    return 1;
}

static void the_sink_can_end_it(void **state)
{
    static const char *const options[] = {"-R", "-input-charset", "utf-8", NULL};
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    iso_fixture_put_tree(f);
    iso_fixture_make(f, options);
    f->sink.entry = refuse_entry;
    assert_int_equal(import(f, &why), TREE_E_CANCELLED);
}

static void a_spool_folder_that_is_not_there_is_an_error(void **state)
{
    static const char *const options[] = {"-R", "-input-charset", "utf-8", NULL};
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    char disc[TREE_FIXTURE_PATH_MAX];

    iso_fixture_put_tree(f);
    iso_fixture_make(f, options);
    tree_fixture_path(f, "disc.iso", disc);
    assert_true(iso_import_9660(disc, "/nonexistent", &f->sink, &why) < 0);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, tree_fixture_set_up, tree_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(iso_9660_with_rock_ridge_keeps_links_modes_and_times),
        TEST(iso_9660_with_joliet_keeps_names),
        TEST(what_has_no_such_file_system_is_told_apart),
        TEST(a_disc_that_ends_early_is_refused),
        TEST(the_sink_can_end_it),
        TEST(a_spool_folder_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
