/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_folder.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/wim/reparse.h"
#include "image/apply_uses.h"
#include "image/test_apply_fixture.h"
#include "image/wim_apply.h"
#include "plat/file.h"

enum {
    FEED_BYTES = 300 * 1000,
    LARGE_BYTES = 3 * APPLY_FOLDER_PIECE_BYTES + 77,
    EXACT_BYTES = 2 * APPLY_FOLDER_PIECE_BYTES,
};

struct blob {
    uint8_t sha1;
    const uint8_t *bytes;
    size_t len;
    size_t fed; /* bytes of it that come; len: all */
};

static int feed(const struct apply_target *target, const struct blob *blob)
{
    struct bytes rest = {blob->bytes, blob->fed};
    int r = 0;

    while (r == 0 && rest.len > 0) {
        struct bytes piece;

        (void)bytes_take(&rest, rest.len < FEED_BYTES ? rest.len : FEED_BYTES, &piece);
        r = target->blob_piece(target->ctx, piece);
    }
    return r == 0 && blob->fed == blob->len ? target->blob_end(target->ctx) : r;
}

/* What apply_stream() does. Return: what the first function that was called last returned. */
static int apply(struct apply_fixture *f, const struct blob *blobs, size_t n)
{
    OWN(apply_folder_freep) struct apply_folder *folder = NULL;
    OWN(apply_uses_fini) struct apply_uses uses = {0};
    struct apply_target target;
    bool is_cut = false;
    int r;

    assert_int_equal(apply_uses_init(&f->image, &uses), 0);
    assert_int_equal(apply_folder_new(f->out, &f->why, &folder), 0);
    target = apply_folder_target(folder);
    r = target.begin(target.ctx, &f->image);
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct apply_blob blob = {.size_bytes = blobs[i].len};
        const uint8_t sha1[SHA1_BYTES] = {blobs[i].sha1};

        assert_int_equal(apply_uses_find(&uses, sha1, &blob), 0);
        r = target.blob_begin(target.ctx, &blob);
        if (r == 0)
            r = feed(&target, &blobs[i]);
        is_cut = is_cut || blobs[i].fed < blobs[i].len;
    }
    if (r == 0 && !is_cut)
        r = target.finish(target.ctx);
    target.stop(target.ctx);
    return r;
}

static uint8_t *noise(size_t len)
{
    uint8_t *bytes = malloc(len);
    uint32_t seed = 5;

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
    return bytes;
}

static void assert_contents(const struct apply_fixture *f, const char *name, struct bytes contents)
{
    OWN(buf_fini) struct buf is = BUF_INIT((size_t)2 * LARGE_BYTES);

    assert_int_equal(file_read(apply_fixture_path(f, name), &is), 0);
    assert_true(bytes_eq(buf_bytes(&is), contents));
}

static void a_large_blob_makes_all_its_files(void **state)
{
    struct apply_fixture *f = *state;
    OWN(freep) uint8_t *bytes = noise(LARGE_BYTES);
    const struct blob blobs[] = {
        {2, bytes, EXACT_BYTES, EXACT_BYTES},
        {1, bytes, LARGE_BYTES, LARGE_BYTES},
    };
    static const char *const names[] = {"a", "b", "folder/c"};
    uint32_t folder = apply_fixture_add(f, 0, "folder", S_IFDIR | 0500);
    struct stat st;

    for (size_t i = 0; i < 3; i++) {
        uint32_t inode =
            apply_fixture_add(f, i == 2 ? folder : 0, i == 2 ? "c" : names[i], S_IFREG | 0444);

        apply_fixture_stream(f, METADATA_DATA, 1);
        apply_fixture_name(f, folder, i == 0 ? "la" : i == 1 ? "lb" : "lc", inode);
    }
    (void)apply_fixture_add(f, 0, "exact", S_IFREG | 0444);
    apply_fixture_stream(f, METADATA_DATA, 2);
    assert_int_equal(apply(f, blobs, 2), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_contents(f, names[i], (struct bytes){bytes, LARGE_BYTES});
        assert_int_equal(stat(apply_fixture_path(f, names[i]), &st), 0);
        assert_int_equal(st.st_nlink, 2);
    }
    assert_contents(f, "exact", (struct bytes){bytes, EXACT_BYTES});
    assert_int_equal(stat(apply_fixture_path(f, "folder"), &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0500);
    assert_int_equal(chmod(apply_fixture_path(f, "folder"), 0700), 0);
}

static void folders_have_their_times_when_all_is_in_them(void **state)
{
    struct apply_fixture *f = *state;
    uint32_t folder = apply_fixture_add(f, 0, "folder", S_IFDIR | 0755);
    struct stat st;

    for (size_t i = 0; i < 100; i++) {
        char name[2] = {(char)(' ' + 1 + i), '\0'};

        if (name[0] != '/' && name[0] != '.' && i < 90)
            (void)apply_fixture_add(f, folder, name, S_IFREG | 0644);
    }
    assert_int_equal(apply(f, NULL, 0), 0);
    assert_int_equal(stat(apply_fixture_path(f, "folder/x"), &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(stat(apply_fixture_path(f, "folder"), &st), 0);
    assert_int_equal(st.st_mtim.tv_sec, 1577836800);
    assert_int_equal(stat(apply_fixture_path(f, ""), &st), 0);
    assert_int_equal(st.st_mtim.tv_sec, 1577836800);
}

/* Whatever is freed too early or not at all is seen by a sanitizer. */
static void a_stream_that_ends_anywhere_leaves_nothing_behind(void **state)
{
    struct apply_fixture *f = *state;
    OWN(freep) uint8_t *bytes = noise(LARGE_BYTES);
    static const size_t fed[] = {0, 1, APPLY_FOLDER_PIECE_BYTES, EXACT_BYTES + 1, LARGE_BYTES - 1};

    (void)apply_fixture_add(f, 0, "large", S_IFREG | 0644);
    apply_fixture_stream(f, METADATA_DATA, 1);
    (void)apply_fixture_add(f, 0, "small", S_IFREG | 0644);
    apply_fixture_stream(f, METADATA_DATA, 2);
    for (size_t i = 0; i < sizeof(fed) / sizeof(fed[0]); i++) {
        const struct blob large = {1, bytes, LARGE_BYTES, fed[i]};
        const struct blob small = {2, bytes, 10, i < 4 ? i : 9};

        assert_int_equal(apply(f, &large, 1), 0);
        assert_int_equal(apply(f, &small, 1), 0);
    }
}

static void what_fails_on_a_thread_ends_it(void **state)
{
    struct apply_fixture *f = *state;
    OWN(freep) uint8_t *bytes = noise(LARGE_BYTES);
    const struct blob blobs[] = {{1, bytes, 5, 5}, {2, bytes, LARGE_BYTES, LARGE_BYTES}};

    (void)apply_fixture_add(f, 0, "in-the-way", S_IFREG | 0644);
    apply_fixture_stream(f, METADATA_DATA, 1);
    (void)apply_fixture_add(f, 0, "large", S_IFREG | 0644);
    apply_fixture_stream(f, METADATA_DATA, 2);
    assert_int_equal(mkdir(apply_fixture_path(f, "in-the-way"), 0755), 0);
    assert_int_equal(apply(f, blobs, 2), WIM_APPLY_E_TARGET);
    assert_non_null(strstr(buf_str(&f->why), "/in-the-way: cannot make the file"));
}

static void an_image_that_contradicts_itself_is_refused_before_it_is_written(void **state)
{
    struct apply_fixture *f = *state;
    uint32_t link = apply_fixture_add(f, 0, "link", S_IFLNK | 0777);

    apply_fixture_stream(f, METADATA_LINK_DATA, 1);
    (void)apply_fixture_add(f, link, "below", S_IFREG | 0644);
    assert_int_equal(apply(f, NULL, 0), WIM_APPLY_E_STREAM);
    assert_string_equal(buf_str(&f->why), "/link/below: lies in what is no folder");
    assert_int_equal(access(apply_fixture_path(f, "link"), F_OK), -1);
}

static void special_files_with_contents_and_links_without_are_refused(void **state)
{
    struct apply_fixture *f = *state;
    uint32_t inode = apply_fixture_add(f, 0, "x", S_IFIFO | 0644);

    apply_fixture_stream(f, METADATA_DATA, 1);
    assert_int_equal(apply(f, NULL, 0), WIM_APPLY_E_STREAM);
    buf_clear(&f->why);
    f->image.inodes[inode].attributes = METADATA_REPARSE;
    f->image.inodes[inode].reparse_tag = METADATA_TAG_SYMLINK;
    f->image.streams[0].kind = METADATA_DATA;
    assert_int_equal(apply(f, NULL, 0), WIM_APPLY_E_STREAM);
    assert_string_equal(buf_str(&f->why), "/x: the link has no target");
}

static void link_data_above_the_limit_are_refused(void **state)
{
    struct apply_fixture *f = *state;
    OWN(freep) uint8_t *bytes = noise(REPARSE_DATA_MAX + 1);
    const struct blob blob = {1, bytes, REPARSE_DATA_MAX + 1, REPARSE_DATA_MAX + 1};

    (void)apply_fixture_add(f, 0, "link", S_IFLNK | 0777);
    apply_fixture_stream(f, METADATA_LINK_DATA, 1);
    assert_int_equal(apply(f, &blob, 1), WIM_APPLY_E_STREAM);
}

static void what_has_no_place_here_is_passed_over_and_said(void **state)
{
    struct apply_fixture *f = *state;
    const struct metadata_stream ads = {.kind = METADATA_DATA, .name = "ads", .sha1 = {2}};
    const struct blob blobs[] = {{2, (const uint8_t *)"ads", 3, 3},
                                 {1, (const uint8_t *)"contents", 8, 8}};

    (void)apply_fixture_add(f, 0, "file", S_IFREG | 0644);
    apply_fixture_stream(f, METADATA_DATA, 1);
    assert_int_equal(metadata_add_stream(&f->image, &ads), 0);
    assert_int_equal(apply(f, blobs, 2), WIM_APPLY_E_LOST);
    assert_contents(f, "file", bytes_of("contents"));
    assert_non_null(strstr(buf_str(&f->why), "alternate data streams"));
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, apply_fixture_set_up, apply_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_large_blob_makes_all_its_files),
        TEST(folders_have_their_times_when_all_is_in_them),
        TEST(a_stream_that_ends_anywhere_leaves_nothing_behind),
        TEST(what_fails_on_a_thread_ends_it),
        TEST(an_image_that_contradicts_itself_is_refused_before_it_is_written),
        TEST(special_files_with_contents_and_links_without_are_refused),
        TEST(link_data_above_the_limit_are_refused),
        TEST(what_has_no_place_here_is_passed_over_and_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
