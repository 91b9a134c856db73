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
#include "image/test_tree_fixture.h"
#include "plat/file.h"
#include "plat/process.h"

enum {
    WHY_MAX = 4096,
    OUTPUT_MAX = 65536,
    DISC_MAX = 4 * 1024 * 1024,
    ARGUMENTS_MAX = 12,
};

#define TIMEOUT_US (UINT64_C(20) * 1000 * 1000)

/* Burn tree/ as disc.iso. @options: of genisoimage; ends with NULL */
static void make_disc(const struct tree_fixture *f, const char *const *options)
{
    OWN(buf_fini) struct buf output = BUF_INIT(OUTPUT_MAX);
    char disc[TREE_FIXTURE_PATH_MAX];
    char tree[TREE_FIXTURE_PATH_MAX];
    const char *argv[ARGUMENTS_MAX] = {"genisoimage", "-quiet", "-o", disc};
    const struct process_options process = {
        .argv = argv, .output = &output, .timeout_us = TIMEOUT_US};
    struct process_result result = {0};
    size_t n = 4;

    tree_fixture_path(f, "disc.iso", disc);
    tree_fixture_path(f, "tree", tree);
    while (*options)
        argv[n++] = *options++;
    argv[n] = tree;
    assert_int_equal(process_run(&process, &result), 0);
    if (result.exit_code != 0)
        fail_msg("genisoimage: %s", buf_str(&output));
}

static void put_tree(const struct tree_fixture *f)
{
    char first[TREE_FIXTURE_PATH_MAX];
    char second[TREE_FIXTURE_PATH_MAX];

    tree_fixture_put(f, "tree/sources/install.txt", "the image");
    tree_fixture_put(f, "tree/sources-2", "beside it");
    tree_fixture_put(f, "tree/empty.txt", "");
    tree_fixture_put(f, "tree/\xc3\xa4.txt", "umlaut");
    tree_fixture_path(f, "tree/sources-2", first);
    tree_fixture_path(f, "tree/twin", second);
    assert_int_equal(link(first, second), 0);
}

static int import(struct tree_fixture *f, struct buf *why)
{
    char disc[TREE_FIXTURE_PATH_MAX];

    tree_fixture_path(f, "disc.iso", disc);
    return iso_import(disc, f->root, &f->sink, why);
}

static void udf_is_read_in_the_order_of_the_paths(void **state)
{
    static const char *const options[] = {"-udf", "-input-charset", "utf-8", NULL};
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    put_tree(f);
    make_disc(f, options);
    assert_int_equal(import(f, &why), 0);
    assert_string_equal(buf_str(&f->seen),
                        "f 644 0 empty.txt\n"
                        "d 755 0 sources\n"
                        "f 644 9 sources-2\nbeside it\n"
                        "f 644 9 sources/install.txt\nthe image\n"
                        "f 644 9 twin\nbeside it\n"
                        "f 644 6 \xc3\xa4.txt\numlaut");
    assert_int_equal(f->mtime_ns, 0);
    assert_int_equal(f->percent, 100);
}

static void iso_9660_with_rock_ridge_keeps_links_modes_and_times(void **state)
{
    static const char *const options[] = {"-R", "-cache-inodes", "-input-charset", "utf-8", NULL};
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    put_tree(f);
    tree_fixture_link(f, "tree/link", "sources/install.txt");
    make_disc(f, options);
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

    put_tree(f);
    make_disc(f, options);
    assert_int_equal(import(f, &why), 0);
    assert_non_null(strstr(buf_str(&f->seen), " sources/install.txt\nthe image\n"));
    assert_non_null(strstr(buf_str(&f->seen), " \xc3\xa4.txt\numlaut"));
}

static void what_is_no_disc_is_told_apart(void **state)
{
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    tree_fixture_put(f, "disc.iso", "a text and no disc");
    assert_int_equal(import(f, &why), TREE_E_UNKNOWN);
    assert_non_null(strstr(buf_str(&why), "neither"));
    assert_int_equal(f->seen.len, 0);
}

/* Cut off at many places: an error each time, or all of it (there is padding at the end), never a part of it. */
static void check_cut_disc(struct tree_fixture *f, const char *const *options)
{
    OWN(buf_fini) struct buf disc = BUF_INIT(DISC_MAX);
    OWN(buf_fini) struct buf whole = BUF_INIT(TREE_FIXTURE_TEXT_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    char path[TREE_FIXTURE_PATH_MAX];

    make_disc(f, options);
    assert_int_equal(import(f, &why), 0);
    buf_add(&whole, buf_bytes(&f->seen));
    tree_fixture_path(f, "disc.iso", path);
    assert_int_equal(file_read(path, &disc), 0);
    for (size_t len = 0; len < disc.len; len += disc.len / 40) {
        int r;

        assert_int_equal(truncate(path, 0), 0);
        assert_int_equal(file_write(path, (struct bytes){(uint8_t *)disc.ptr, len}, 0600), 0);
        buf_clear(&f->seen);
        buf_clear(&why);
        f->percent = 0;
        r = import(f, &why);
        assert_true(r == TREE_E_UNKNOWN || r == TREE_E_REFUSED || r == 0);
        assert_true(r == 0 || why.len > 0);
        if (r == 0)
            assert_string_equal(buf_str(&f->seen), buf_str(&whole));
    }
    buf_clear(&f->seen);
    f->percent = 0;
}

static void a_disc_that_ends_early_is_refused(void **state)
{
    static const char *const ways[][4] = {{"-udf", "-input-charset", "utf-8", NULL},
                                          {"-R", "-input-charset", "utf-8", NULL}};

    put_tree(*state);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        check_cut_disc(*state, ways[i]);
}

static int refuse_entry(void *ctx, const struct manifest_entry *entry)
{
    (void)ctx;
    (void)entry;
    return 1;
}

static void the_sink_can_end_it(void **state)
{
    static const char *const ways[][4] = {{"-udf", "-input-charset", "utf-8", NULL},
                                          {"-R", "-input-charset", "utf-8", NULL}};
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    put_tree(f);
    f->sink.entry = refuse_entry;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        make_disc(f, ways[i]);
        assert_int_equal(import(f, &why), TREE_E_CANCELLED);
    }
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, tree_fixture_set_up, tree_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(udf_is_read_in_the_order_of_the_paths),
        TEST(iso_9660_with_rock_ridge_keeps_links_modes_and_times),
        TEST(iso_9660_with_joliet_keeps_names),
        TEST(what_is_no_disc_is_told_apart),
        TEST(a_disc_that_ends_early_is_refused),
        TEST(the_sink_can_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
