/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/test_apply_ntfs_fixture.h"

#include <stdlib.h>
#include <string.h>

enum {
    LARGE_BYTES = 3 * 1024 * 1024 + 17,
    VOLUME_MIN = 4 * 1024 * 1024,
    TOO_LARGE_BYTES = 2 * VOLUME_MIN,
    FOUR_FIT_BYTES = LARGE_BYTES * 2 / 5,
    PIECE_MAX = 2 * 1024 * 1024,
};

static void contents_come_in_pieces_of_any_length(void **state)
{
    static const size_t pieces[] = {1000, 70000, PIECE_MAX, LARGE_BYTES};
    struct ntfs_test *f = *state;
    OWN(freep) uint8_t *content = ntfs_test_pattern(LARGE_BYTES);
    const struct bytes large = {content, FOUR_FIT_BYTES};
    uint8_t blobs[4];
    ntfs_volume *volume;

    for (size_t i = 0; i < 4; i++) {
        ntfs_test_add_file(f, 0, (const char *[]){"a", "b", "c", "d"}[i]);
        blobs[i] = ntfs_test_add_stream(f, METADATA_DATA, "", false);
    }
    assert_int_equal(ntfs_test_begin(f), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(ntfs_test_send(f, blobs[i], large, pieces[i]), 0);
    assert_int_equal(ntfs_test_finish(f), 0);
    volume = ntfs_test_look(f);
    for (size_t i = 0; i < 4; i++) {
        ntfs_inode *ni = ntfs_test_find(volume, (const char *[]){"a", "b", "c", "d"}[i]);

        assert_ntfs_stream(ni, "", large);
        assert_ntfs_times(ni);
        assert_int_equal(ntfs_inode_close(ni), 0);
    }
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

/* One blob, used by two files and by a stream of each; it is longer than what is written at once. */
static void a_blob_goes_to_all_who_use_it(void **state)
{
    struct ntfs_test *f = *state;
    OWN(freep) uint8_t *content = ntfs_test_pattern(LARGE_BYTES);
    const struct bytes shared = {content, 1024 * 1024 + 5};
    ntfs_volume *volume;

    for (size_t i = 0; i < 2; i++) {
        ntfs_test_add_file(f, 0, i == 0 ? "one" : "two");
        f->n_blobs = 0;
        ntfs_test_add_stream(f, METADATA_DATA, "", false);
        f->n_blobs = 0;
        ntfs_test_add_stream(f, METADATA_DATA, "again", false);
        ntfs_test_add_stream(f, METADATA_DATA, "empty", true);
    }
    assert_int_equal(ntfs_test_begin(f), 0);
    assert_int_equal(ntfs_test_send(f, 1, shared, 100000), 0);
    assert_int_equal(ntfs_test_finish(f), 0);
    volume = ntfs_test_look(f);
    for (size_t i = 0; i < 2; i++) {
        ntfs_inode *ni = ntfs_test_find(volume, i == 0 ? "one" : "two");

        assert_ntfs_stream(ni, "", shared);
        assert_ntfs_stream(ni, "again", shared);
        assert_ntfs_stream(ni, "empty", bytes_of(""));
        assert_ntfs_times(ni);
        assert_int_equal(ntfs_inode_close(ni), 0);
    }
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void assert_allocated(ntfs_inode *ni, uint64_t low, uint64_t high)
{
    assert_in_range(ni->allocated_size, low, high);
}

static void files_with_holes_take_no_room_for_them(void **state)
{
    struct ntfs_test *f = *state;
    OWN(freep) uint8_t *content = calloc(1, LARGE_BYTES);
    const struct bytes sparse = {content, LARGE_BYTES};
    ntfs_volume *volume;
    ntfs_inode *ni;
    uint8_t blob;

    assert_non_null(content);
    content[1024 * 1024 + 3] = 1;
    content[LARGE_BYTES - 1] = 2;
    ntfs_test_add_name(
        f,
        ntfs_test_add_inode(f, (struct metadata_inode){.attributes = METADATA_SPARSE}),
        0,
        "sparse",
        "");
    blob = ntfs_test_add_stream(f, METADATA_DATA, "", false);
    assert_int_equal(ntfs_test_begin(f), 0);
    assert_int_equal(ntfs_test_send(f, blob, sparse, 300000), 0);
    assert_int_equal(ntfs_test_finish(f), 0);
    volume = ntfs_test_look(f);
    ni = ntfs_test_find(volume, "sparse");
    assert_true(ni->flags & FILE_ATTR_SPARSE_FILE);
    assert_allocated(ni, 8192, 128 * 1024 + 32768);
    assert_ntfs_stream(ni, "", sparse);
    assert_ntfs_times(ni);
    assert_int_equal(ntfs_inode_close(ni), 0);
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void compressed_files_are_compressed(void **state)
{
    struct ntfs_test *f = *state;
    OWN(freep) uint8_t *content = malloc(LARGE_BYTES);
    const struct bytes text = {content, LARGE_BYTES};
    const struct metadata_inode inode = {.attributes = METADATA_COMPRESSED};
    ntfs_volume *volume;
    uint8_t blobs[2];

    assert_non_null(content);
    memset(content, 'a', LARGE_BYTES);
    ntfs_test_add_name(f, ntfs_test_add_inode(f, inode), 0, "one", "");
    blobs[0] = ntfs_test_add_stream(f, METADATA_DATA, "", false);
    ntfs_test_add_name(f, ntfs_test_add_inode(f, inode), 0, "two", "");
    blobs[1] = ntfs_test_add_stream(f, METADATA_DATA, "", false);
    ntfs_test_add_name(f, ntfs_test_add_inode(f, inode), 0, "two again", "");
    f->n_blobs--;
    ntfs_test_add_stream(f, METADATA_DATA, "", false);
    assert_int_equal(ntfs_test_begin(f), 0);
    assert_int_equal(ntfs_test_send(f, blobs[0], text, 100000), 0);
    assert_int_equal(ntfs_test_send(f, blobs[1], text, 100000), 0);
    assert_int_equal(ntfs_test_finish(f), 0);
    volume = ntfs_test_look(f);
    for (size_t i = 0; i < 3; i++) {
        ntfs_inode *ni = ntfs_test_find(volume, (const char *[]){"one", "two", "two again"}[i]);

        assert_true(ni->flags & FILE_ATTR_COMPRESSED);
        assert_allocated(ni, 4096, LARGE_BYTES / 4);
        assert_ntfs_stream(ni, "", text);
        assert_int_equal(ntfs_inode_close(ni), 0);
    }
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void what_efs_encrypted_is_left_out_and_said(void **state)
{
    struct ntfs_test *f = *state;
    ntfs_volume *volume;
    ntfs_inode *ni;
    uint8_t blob;

    ntfs_test_add_name(
        f,
        ntfs_test_add_inode(f, (struct metadata_inode){.attributes = METADATA_ENCRYPTED}),
        0,
        "secret",
        "");
    blob = ntfs_test_add_stream(f, METADATA_EFS_DATA, "", false);
    assert_int_equal(ntfs_test_begin(f), 0);
    assert_int_equal(ntfs_test_send(f, blob, bytes_of("EFS"), 3), 0);
    assert_int_equal(ntfs_test_finish(f), WIM_APPLY_E_LOST);
    assert_non_null(strstr(buf_str(&f->why), "EFS"));
    assert_non_null(strstr(buf_str(&f->why), "/secret"));
    volume = ntfs_test_look(f);
    ni = ntfs_test_find(volume, "secret");
    assert_ntfs_stream(ni, "", bytes_of(""));
    assert_ntfs_times(ni);
    assert_int_equal(ntfs_inode_close(ni), 0);
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void contents_of_a_folder_are_left_out_and_said(void **state)
{
    struct ntfs_test *f = *state;
    uint8_t blob;

    ntfs_test_add_folder(f, 0, "folder");
    blob = ntfs_test_add_stream(f, METADATA_DATA, "", false);
    assert_int_equal(ntfs_test_begin(f), 0);
    assert_int_equal(ntfs_test_send(f, blob, bytes_of("x"), 1), 0);
    assert_int_equal(ntfs_test_finish(f), WIM_APPLY_E_LOST);
    assert_non_null(strstr(buf_str(&f->why), "/folder"));
}

/* Windows reads a volume after a failure again once it was checked: the mark says so. */
static void a_volume_that_is_full_is_said_with_the_file(void **state)
{
    struct ntfs_test *f = *state;
    OWN(freep) uint8_t *content = ntfs_test_pattern(TOO_LARGE_BYTES);
    uint8_t blob;
    struct apply_ntfs *again = NULL;

    ntfs_test_resize(f, VOLUME_MIN);
    ntfs_test_add_file(f, 0, "too large");
    blob = ntfs_test_add_stream(f, METADATA_DATA, "", false);
    assert_int_equal(ntfs_test_begin(f), 0);
    assert_int_equal(ntfs_test_send(f, blob, (struct bytes){content, TOO_LARGE_BYTES}, 100000),
                     WIM_APPLY_E_TARGET);
    assert_non_null(strstr(buf_str(&f->why), "/too large"));
    assert_non_null(strstr(buf_str(&f->why), "No space left"));
    ntfs_test_stop(f);
    assert_int_equal(apply_ntfs_new(f->path, &f->why, &again), WIM_APPLY_E_TARGET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NTFS_TEST(contents_come_in_pieces_of_any_length),
        NTFS_TEST(a_blob_goes_to_all_who_use_it),
        NTFS_TEST(files_with_holes_take_no_room_for_them),
        NTFS_TEST(compressed_files_are_compressed),
        NTFS_TEST(what_efs_encrypted_is_left_out_and_said),
        NTFS_TEST(contents_of_a_folder_are_left_out_and_said),
        NTFS_TEST(a_volume_that_is_full_is_said_with_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
