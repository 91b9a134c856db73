/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"

static char folder[32];

static int set_up(void **state)
{
    (void)state;
    memcpy(folder, "/tmp/test_file_XXXXXX", 22);
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder);
}

/* A path in the test's folder; the next call but three overwrites it. */
static const char *at(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static unsigned mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void assert_content(const char *path, const char *want)
{
    OWN(buf_fini) struct buf text = BUF_INIT(64);

    assert_int_equal(file_read(path, &text), 0);
    assert_string_equal(buf_str(&text), want);
}

static void file_write_replaces_and_sets_the_mode_whatever_the_umask(void **state)
{
    (void)state;
    mode_t before = umask(077);

    assert_int_equal(file_write(at("a"), bytes_of("one"), 0644), 0);
    assert_int_equal(mode_of(at("a")), 0644);
    assert_int_equal(file_write(at("a"), bytes_of("two"), 0400), 0);
    assert_int_equal(mode_of(at("a")), 0400);
    assert_content(at("a"), "two");
    (void)umask(before);
}

static void file_write_leaves_nothing_behind_when_it_fails(void **state)
{
    (void)state;
    assert_int_equal(dir_make(at("d"), 0755), 0);
    assert_int_equal(dir_make(at("d/target"), 0755), 0);
    assert_int_equal(file_write(at("d/target"), bytes_of("x"), 0644), -EISDIR);
    assert_int_equal(rmdir(at("d/target")), 0);
    assert_int_equal(rmdir(at("d")), 0); /* empty: no temporary file */
}

static void file_create_refuses_what_is_there(void **state)
{
    (void)state;
    assert_int_equal(file_create(at("new"), bytes_of("one"), 0644), 0);
    assert_int_equal(file_create(at("new"), bytes_of("two"), 0644), FILE_E_EXISTS);
    assert_content(at("new"), "one");
}

static void file_read_names_its_outcomes(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf three = BUF_INIT(3);
    OWN(buf_fini) struct buf two = BUF_INIT(2);

    assert_int_equal(file_read(at("missing"), &three), FILE_E_MISSING);
    assert_int_equal(file_write(at("f"), bytes_of("abc"), 0644), 0);
    assert_int_equal(file_read(at("f"), &three), 0);
    assert_int_equal(file_read(at("f"), &two), FILE_E_TOO_LARGE);
    assert_int_equal(file_read(folder, &three), -EISDIR);
}

static void dir_make_makes_parents_and_accepts_what_is_there(void **state)
{
    (void)state;
    assert_int_equal(dir_make(at("x/y/z/"), 0700), 0);
    assert_int_equal(mode_of(at("x/y/z")), 0700);
    assert_int_equal(mode_of(at("x/y")), 0755);
    assert_int_equal(dir_make(at("x/y"), 0700), 0);
    assert_int_equal(mode_of(at("x/y")), 0755);
    assert_int_equal(file_write(at("x/file"), bytes_of(""), 0644), 0);
    assert_int_equal(dir_make(at("x/file"), 0755), -ENOTDIR);
    assert_int_equal(dir_make("", 0755), -EINVAL);
}

static bool count_down(void *ctx)
{
    unsigned *left = ctx;

    return *left > 0 && (*left)-- > 0;
}

static void dir_remove_while_leaves_the_rest_and_can_be_called_again(void **state)
{
    (void)state;
    unsigned left = 3;

    assert_int_equal(dir_make(at("half/a"), 0755), 0);
    for (unsigned i = 0; i < 8; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "half/a/%u", i);
        assert_int_equal(file_write(at(name), bytes_of("x"), 0644), 0);
    }
    assert_int_equal(dir_remove_while(at("half"), count_down, &left), FILE_E_STOPPED);
    assert_true(file_exists(at("half/a")));
    left = 100;
    assert_int_equal(dir_remove_while(at("half"), count_down, &left), 0);
    assert_int_equal(left, 100 - 1 - 6); /* the folder, and two were gone already */
    assert_false(file_exists(at("half")));
}

static void dir_remove_follows_no_symbolic_link(void **state)
{
    (void)state;
    assert_int_equal(dir_make(at("kept"), 0755), 0);
    assert_int_equal(file_write(at("kept/file"), bytes_of("x"), 0644), 0);
    assert_int_equal(dir_make(at("gone/below"), 0755), 0);
    assert_int_equal(symlink(at("kept"), at("gone/below/link")), 0);
    assert_int_equal(dir_remove(at("gone")), 0);
    assert_false(file_exists(at("gone")));
    assert_true(file_exists(at("kept/file")));
    assert_int_equal(dir_remove(at("gone")), 0); /* nothing to do */
    assert_int_equal(symlink(at("kept"), at("link")), 0);
    assert_true(dir_remove(at("link")) < 0);
    assert_true(file_exists(at("kept/file")));
}

static void path_under_refuses_whatever_could_leave_the_root(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf path = BUF_INIT(16);
    static const char *const bad[] = {
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/..",
        "a/../b",
        "a/./b",
        "a\\b",
        "\\",
    };
    static const char *const good[] = {"a", "a/b", "...", "..a", "a.", ".a/b"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(path_under("/root", bad[i], &path));
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(path_under("/root", good[i], &path));
    assert_string_equal(buf_str(&path), "/root/.a/b");
    assert_true(path_under("/root", "0123456789", &path)); /* 16 bytes */
    assert_false(path_under("/root", "0123456789a", &path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_write_replaces_and_sets_the_mode_whatever_the_umask),
        cmocka_unit_test(file_write_leaves_nothing_behind_when_it_fails),
        cmocka_unit_test(file_create_refuses_what_is_there),
        cmocka_unit_test(file_read_names_its_outcomes),
        cmocka_unit_test(dir_make_makes_parents_and_accepts_what_is_there),
        cmocka_unit_test(dir_remove_follows_no_symbolic_link),
        cmocka_unit_test(dir_remove_while_leaves_the_rest_and_can_be_called_again),
        cmocka_unit_test(path_under_refuses_whatever_could_leave_the_root),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
