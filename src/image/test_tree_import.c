/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/tree_import.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "image/test_tree_fixture.h"
#include "plat/file.h"

enum {
    WHY_MAX = 4096,
    NOBODY = 65534,
    LARGE_BYTES = 600 * 1024, /* more than is read at once */
};

static void import(struct tree_fixture *f, int outcome, const char *said)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    char path[TREE_FIXTURE_PATH_MAX];

    tree_fixture_path(f, "tree", path);
    assert_int_equal(tree_import(path, &f->sink, &why), outcome);
    if (!strstr(buf_str(&why), said))
        fail_msg("\"%s\" does not say \"%s\"", buf_str(&why), said);
}

/* '-' comes before '/', and '0' after it: a walk from folder to folder would have another order. */
static void entries_come_in_the_order_of_the_bytes_of_their_paths(void **state)
{
    struct tree_fixture *f = *state;

    tree_fixture_put(f, "tree/a/z", "in a");
    tree_fixture_put(f, "tree/a-b", "beside a");
    tree_fixture_put(f, "tree/a0", "");
    tree_fixture_put(f, "tree/\xc3\xbc", "last");
    tree_fixture_put(f, "tree/empty", NULL);
    tree_fixture_link(f, "tree/a/link", "../nowhere");
    tree_fixture_link(f, "tree/b", "a");
    import(f, 0, "");
    assert_string_equal(buf_str(&f->seen),
                        "d 755 0 a\n"
                        "f 640 8 a-b\nbeside a\n"
                        "l 777 0 a/link ../nowhere\n"
                        "f 640 4 a/z\nin a\n"
                        "f 640 0 a0\n"
                        "l 777 0 b a\n"
                        "d 755 0 empty\n"
                        "f 640 4 \xc3\xbc\nlast");
    assert_int_equal(f->percent, 100);
}

static void an_empty_folder_is_a_tree_without_entries(void **state)
{
    tree_fixture_put(*state, "tree", NULL);
    import(*state, 0, "");
    assert_int_equal(((struct tree_fixture *)*state)->seen.len, 0);
}

static void a_single_file_is_a_tree_of_one(void **state)
{
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    char path[TREE_FIXTURE_PATH_MAX];

    tree_fixture_put(f, "upload", "content");
    tree_fixture_path(f, "upload", path);
    assert_int_equal(tree_import_file(path, "setup.msi", &f->sink, &why), 0);
    assert_string_equal(buf_str(&f->seen), "f 640 7 setup.msi\ncontent");
    assert_int_equal(tree_import_file(path, "a/b", &f->sink, &why), TREE_E_REFUSED);
    assert_int_equal(tree_import_file("/dev/null", "null", &f->sink, &why), TREE_E_REFUSED);
}

static void what_is_neither_file_nor_folder_nor_link_is_refused_by_name(void **state)
{
    char path[TREE_FIXTURE_PATH_MAX];

    tree_fixture_put(*state, "tree/sub/file", "x");
    tree_fixture_path(*state, "tree/sub/pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    import(*state, TREE_E_REFUSED, "sub/pipe: only files");
}

static void a_name_that_is_no_utf_8_is_refused(void **state)
{
    tree_fixture_put(*state, "tree/sub/\xff", "x");
    import(*state, TREE_E_REFUSED, "sub: it holds a name");
}

static void a_folder_that_is_not_there_is_refused(void **state)
{
    import(*state, TREE_E_REFUSED, "No such file");
}

static void a_file_that_cannot_be_read_is_refused_by_name(void **state)
{
    char path[TREE_FIXTURE_PATH_MAX];
    bool is_root = geteuid() == 0;

    tree_fixture_put(*state, "tree/sub/closed", "x");
    tree_fixture_path(*state, "tree/sub/closed", path);
    assert_int_equal(chmod(path, 0), 0);
    if (is_root)
        assert_int_equal(seteuid(NOBODY), 0);
    import(*state, TREE_E_REFUSED, "sub/closed: Permission denied");
    if (is_root)
        assert_int_equal(seteuid(0), 0);
}

static void append_to_later(const struct tree_fixture *f)
{
    tree_fixture_put(f, "tree/later", "now longer");
}

static void same_size_in_place(const struct tree_fixture *f)
{
    tree_fixture_put(f, "tree/later", "SHORT");
}

static void remove_later(const struct tree_fixture *f)
{
    char path[TREE_FIXTURE_PATH_MAX];

    tree_fixture_path(f, "tree/later", path);
    assert_int_equal(unlink(path), 0);
}

static void link_later(const struct tree_fixture *f)
{
    remove_later(f);
    tree_fixture_link(f, "tree/later", "first");
}

static void a_file_that_changes_after_it_was_listed_is_noticed(void **state)
{
    static void (*const acts[])(const struct tree_fixture *f) = {
        append_to_later, same_size_in_place, remove_later, link_later};
    struct tree_fixture *f = *state;

    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        tree_fixture_put(f, "tree/first", "x");
        tree_fixture_put(f, "tree/later", "short");
        f->trigger = "first";
        f->act = acts[i];
        f->percent = 0;
        import(f, TREE_E_CHANGED, "later: it changed");
    }
}

static int touch_while_read(void *ctx, struct bytes piece, unsigned percent)
{
    struct tree_fixture *f = ctx;
    char path[TREE_FIXTURE_PATH_MAX];

    (void)percent;
    f->n_bytes += piece.len;
    tree_fixture_path(f, "tree/large", path);
    assert_int_equal(chmod(path, f->n_bytes % 2 == 0 ? 0600 : 0640), 0);
    return 0;
}

static void a_file_that_changes_while_it_is_read_is_noticed(void **state)
{
    struct tree_fixture *f = *state;
    OWN(freep) char *large = malloc(LARGE_BYTES + 1);

    assert_non_null(large);
    memset(large, 'x', LARGE_BYTES);
    large[LARGE_BYTES] = '\0';
    tree_fixture_put(f, "tree/large", large);
    f->sink.feed = touch_while_read;
    import(f, TREE_E_CHANGED, "large: it changed");
    assert_int_equal(f->n_bytes, LARGE_BYTES);
}

static int refuse_entry(void *ctx, const struct manifest_entry *entry)
{
    (void)ctx;
    (void)entry;
    return 1;
}

static int refuse_bytes(void *ctx, struct bytes piece, unsigned percent)
{
    (void)ctx;
    (void)piece;
    (void)percent;
    return 1;
}

static void the_sink_can_end_it(void **state)
{
    struct tree_fixture *f = *state;

    tree_fixture_put(f, "tree/file", "x");
    f->sink.feed = refuse_bytes;
    import(f, TREE_E_CANCELLED, "");
    f->sink.entry = refuse_entry;
    import(f, TREE_E_CANCELLED, "");
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, tree_fixture_set_up, tree_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_come_in_the_order_of_the_bytes_of_their_paths),
        TEST(an_empty_folder_is_a_tree_without_entries),
        TEST(a_single_file_is_a_tree_of_one),
        TEST(what_is_neither_file_nor_folder_nor_link_is_refused_by_name),
        TEST(a_name_that_is_no_utf_8_is_refused),
        TEST(a_folder_that_is_not_there_is_refused),
        TEST(a_file_that_cannot_be_read_is_refused_by_name),
        TEST(a_file_that_changes_after_it_was_listed_is_noticed),
        TEST(a_file_that_changes_while_it_is_read_is_noticed),
        TEST(the_sink_can_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
