/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/layout.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"
#include "store/test_fixture.h"

#define NAME "ab112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void names_are_those_of_the_protocol(void **state)
{
    const struct store_fixture *f = *state;
    uint8_t sha256[SHA256_BYTES];
    char path[STORE_PATH_MAX];
    char expected[256];

    assert_true(hex_parse(bytes_of(NAME), SHA256_BYTES, sha256));
    layout_pack(f->root, sha256, path);
    store_fixture_path(f, "packs/ab/" NAME, expected);
    assert_string_equal(path, expected);
    layout_manifest(f->root, sha256, path);
    store_fixture_path(f, "manifests/" NAME, expected);
    assert_string_equal(path, expected);
    layout_pack_folder(f->root, 0x0a, path);
    store_fixture_path(f, "packs/0a", expected);
    assert_string_equal(path, expected);
}

static int count(void *ctx, const struct layout_file *file)
{
    unsigned *n = ctx;

    assert_int_equal(file->sha256[0], 0xab);
    assert_int_equal(file->size_bytes, 5);
    assert_true(file->changed_us > UINT64_C(1600000000000000));
    ++*n;
    return 0;
}

static void put_file(const struct store_fixture *f, const char *name)
{
    char path[256];

    store_fixture_path(f, name, path);
    assert_int_equal(file_write(path, bytes_of("hello"), 0644), 0);
}

static void only_files_with_such_names_are_visited(void **state)
{
    const struct store_fixture *f = *state;
    char path[256];
    unsigned n = 0;

    store_fixture_path(f, "packs/ab", path);
    assert_int_equal(dir_make(path, 0755), 0);
    put_file(f, "packs/ab/" NAME);
    put_file(f, "packs/ab/" NAME "0");
    put_file(f, "packs/ab/other");
    store_fixture_path(
        f, "packs/ab/AB112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", path);
    assert_int_equal(file_write(path, bytes_of("hello"), 0644), 0);
    store_fixture_path(
        f, "packs/ab/ab012233445566778899aabbccddeeff00112233445566778899aabbccddeeff", path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(layout_each_pack(f->root, count, &n), 0);
    assert_int_equal(n, 1);
    put_file(f, "manifests/" NAME);
    put_file(f, "manifests/" NAME ".Xy12ab");
    assert_int_equal(layout_each_manifest(f->root, count, &n), 0);
    assert_int_equal(n, 2);
}

static int stop(void *ctx, const struct layout_file *file)
{
    (void)ctx;
    (void)file;
    return 7;
}

static void a_visitor_may_end_the_walk(void **state)
{
    const struct store_fixture *f = *state;

    put_file(f, "manifests/" NAME);
    assert_int_equal(layout_each_manifest(f->root, stop, NULL), 7);
}

static void a_size_is_that_of_a_file_only(void **state)
{
    const struct store_fixture *f = *state;
    uint8_t sha256[SHA256_BYTES];
    char path[256];
    uint64_t size;

    assert_true(hex_parse(bytes_of(NAME), SHA256_BYTES, sha256));
    assert_false(layout_pack_size(f->root, sha256, &size));
    store_fixture_path(f, "packs/ab", path);
    assert_int_equal(dir_make(path, 0755), 0);
    put_file(f, "packs/ab/" NAME);
    assert_true(layout_pack_size(f->root, sha256, &size));
    assert_int_equal(size, 5);
    store_fixture_path(f, "packs/ab/" NAME, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_false(layout_pack_size(f->root, sha256, &size));
}

static void clearing_tmp_removes_every_file(void **state)
{
    const struct store_fixture *f = *state;

    put_file(f, "tmp/1.2");
    put_file(f, "tmp/bad." NAME);
    assert_int_equal(layout_clear_tmp(f->root), 0);
    assert_int_equal(store_fixture_count(f->root, "tmp"), 0);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_those_of_the_protocol),
        TEST(only_files_with_such_names_are_visited),
        TEST(a_visitor_may_end_the_walk),
        TEST(a_size_is_that_of_a_file_only),
        TEST(clearing_tmp_removes_every_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
