/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/test_apply_ntfs_fixture.h"

#include <stdio.h>
#include <string.h>

static void folders_keep_their_times_though_much_was_made_in_them(void **state)
{
    struct ntfs_test *f = *state;
    uint32_t folder = ntfs_test_add_folder(f, 0, "folder");
    ntfs_volume *volume;
    uint8_t blob;

    blob = ntfs_test_add_stream(f, METADATA_DATA, "of a folder", false);
    for (unsigned i = 0; i < 40; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "file %u", i);
        ntfs_test_add_file(f, folder, name);
    }
    assert_int_equal(ntfs_test_begin(f), 0);
    assert_int_equal(ntfs_test_send(f, blob, bytes_of("stream"), 6), 0);
    assert_int_equal(ntfs_test_finish(f), 0);
    volume = ntfs_test_look(f);

    ntfs_inode *ni = ntfs_test_find(volume, "folder");

    assert_ntfs_times(ni);
    assert_ntfs_stream(ni, "of a folder", bytes_of("stream"));
    assert_int_equal(ntfs_inode_close(ni), 0);
    ni = ntfs_test_find(volume, "/");
    assert_ntfs_times(ni);
    assert_int_equal(ntfs_inode_close(ni), 0);
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void what_only_unix_knows_is_left_out_and_said(void **state)
{
    struct ntfs_test *f = *state;
    const struct metadata_inode inode = {.has_unix = true, .unix_data = {.mode = 0100644}};

    ntfs_test_add_name(f, ntfs_test_add_inode(f, inode), 0, "first", "");
    ntfs_test_add_name(f, ntfs_test_add_inode(f, inode), 0, "second", "");
    ntfs_test_make(f, WIM_APPLY_E_LOST);
    assert_non_null(strstr(buf_str(&f->why), "UNIX"));
    assert_non_null(strstr(buf_str(&f->why), "2 times; first of /first"));
}

/* More than the index of a folder has room for in its own record, and than the device keeps at once. */
static void many_files_in_one_folder(void **state)
{
    struct ntfs_test *f = *state;
    uint32_t folder = ntfs_test_add_folder(f, 0, "many");
    ntfs_volume *volume;

    for (unsigned i = 0; i < 600; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "file %03u", (i * 7) % 600);
        ntfs_test_add_file(f, folder, name);
    }
    ntfs_test_make(f, 0);
    volume = ntfs_test_look(f);
    for (unsigned i = 0; i < 600; i++) {
        char path[32];
        ntfs_inode *ni;

        (void)snprintf(path, sizeof(path), "many/file %03u", i);
        ni = ntfs_test_find(volume, path);
        assert_ntfs_times(ni);
        assert_int_equal(ntfs_inode_close(ni), 0);
    }
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NTFS_TEST(folders_keep_their_times_though_much_was_made_in_them),
        NTFS_TEST(what_only_unix_knows_is_left_out_and_said),
        NTFS_TEST(many_files_in_one_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
