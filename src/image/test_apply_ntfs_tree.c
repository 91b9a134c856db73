/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/test_apply_ntfs_fixture.h"

#include <string.h>

#include "image/test_ntfs_fixture.h"

static void names_keep_their_case_and_what_windows_refuses(void **state)
{
    static const char *const names[] = {"file",
                                        "File",
                                        "FILE",
                                        "con",
                                        "aux.txt",
                                        "dot.",
                                        "space ",
                                        "a:b",
                                        "star*",
                                        "back\\slash",
                                        "ä",
                                        "😀"};
    struct ntfs_test *f = *state;
    u64 numbers[sizeof(names) / sizeof(names[0])];
    ntfs_volume *volume;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ntfs_test_add_file(f, 0, names[i]);
    ntfs_test_make(f, 0);
    volume = ntfs_test_look(f);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ntfs_inode *ni = ntfs_test_find(volume, names[i]);

        numbers[i] = ni->mft_no;
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(numbers[i], numbers[j]);
        assert_int_equal(ntfs_inode_close(ni), 0);
    }
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void links_are_one_file_in_two_folders(void **state)
{
    struct ntfs_test *f = *state;
    uint32_t folder = ntfs_test_add_folder(f, 0, "folder");
    uint32_t file = ntfs_test_add_file(f, 0, "first");
    uint8_t blob = ntfs_test_add_stream(f, METADATA_DATA, "", false);
    ntfs_volume *volume;
    ntfs_inode *ni;
    u64 number;

    ntfs_test_add_name(f, file, folder, "second", "SECOND~1");
    assert_int_equal(ntfs_test_begin(f), 0);
    assert_int_equal(ntfs_test_send(f, blob, bytes_of("linked"), 6), 0);
    assert_int_equal(ntfs_test_finish(f), 0);
    volume = ntfs_test_look(f);
    ni = ntfs_test_find(volume, "first");
    number = ni->mft_no;
    assert_ntfs_times(ni);
    assert_int_equal(ntfs_inode_close(ni), 0);
    ni = ntfs_test_find(volume, "folder/second");
    assert_int_equal(ni->mft_no, number);
    assert_int_equal(le16_to_cpu(ni->mrec->link_count), 3); /* the short name is one too */
    assert_ntfs_stream(ni, "", bytes_of("linked"));
    assert_int_equal(ntfs_inode_close(ni), 0);
    ni = ntfs_test_find(volume, "folder/SECOND~1");
    assert_int_equal(ni->mft_no, number);
    assert_int_equal(ntfs_inode_close(ni), 0);
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void assert_short_name(ntfs_volume *volume, const char *path, const char *wanted)
{
    char found[32] = "";
    ntfs_inode *ni = ntfs_test_find(volume, path);
    ntfs_inode *root = ntfs_test_find(volume, "/");
    int n = ntfs_get_ntfs_dos_name(ni, root, found, sizeof(found) - 1);

    assert_int_equal(n < 0 ? 0 : n, strlen(wanted));
    assert_string_equal(found, wanted);
    assert_int_equal(ntfs_inode_close(root), 0);
    assert_int_equal(ntfs_inode_close(ni), 0);
}

static void short_names_lie_beside_the_long_ones(void **state)
{
    struct ntfs_test *f = *state;
    ntfs_volume *volume;

    ntfs_test_add_name(
        f,
        ntfs_test_add_inode(f, (struct metadata_inode){.attributes = METADATA_FOLDER}),
        0,
        "Program Files",
        "PROGRA~1");
    ntfs_test_add_name(
        f, ntfs_test_add_inode(f, (struct metadata_inode){0}), 0, "readme.txt", "README.TXT");
    ntfs_test_add_name(
        f, ntfs_test_add_inode(f, (struct metadata_inode){0}), 0, "UPPER.TXT", "UPPER.TXT");
    ntfs_test_add_file(f, 0, "none of its own");
    ntfs_test_make(f, 0);
    volume = ntfs_test_look(f);
    assert_short_name(volume, "Program Files", "PROGRA~1");
    assert_short_name(volume, "readme.txt", "README.TXT");
    assert_short_name(volume, "UPPER.TXT", "UPPER.TXT");
    assert_short_name(volume, "none of its own", "");
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void short_names_that_are_taken_or_not_valid_are_left_out(void **state)
{
    struct ntfs_test *f = *state;
    ntfs_volume *volume;

    ntfs_test_add_name(
        f, ntfs_test_add_inode(f, (struct metadata_inode){0}), 0, "long name one", "LONGNA~1");
    ntfs_test_add_name(
        f, ntfs_test_add_inode(f, (struct metadata_inode){0}), 0, "long name two", "LONGNA~1");
    ntfs_test_add_name(
        f, ntfs_test_add_inode(f, (struct metadata_inode){0}), 0, "long name three", "OTHER");
    ntfs_test_add_file(f, 0, "OTHER");
    ntfs_test_add_name(
        f, ntfs_test_add_inode(f, (struct metadata_inode){0}), 0, "long name four", "not*valid");
    ntfs_test_add_name(
        f, ntfs_test_add_inode(f, (struct metadata_inode){0}), 0, "long name five", "MUCH.TOOLONG");
    ntfs_test_make(f, WIM_APPLY_E_LOST);
    assert_non_null(strstr(buf_str(&f->why), "short names"));
    assert_non_null(strstr(buf_str(&f->why), "/long name two"));
    volume = ntfs_test_look(f);
    assert_short_name(volume, "long name one", "LONGNA~1");
    assert_short_name(volume, "long name two", "");
    assert_short_name(volume, "long name three", "");
    assert_int_equal(ntfs_inode_close(ntfs_test_find(volume, "OTHER")), 0);
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void what_belongs_to_the_file_system_cannot_be_replaced(void **state)
{
    struct ntfs_test *f = *state;

    ntfs_test_add_folder(f, 0, "$Extend");
    assert_int_equal(ntfs_test_begin(f), WIM_APPLY_E_TARGET);
    assert_non_null(strstr(buf_str(&f->why), "/$Extend cannot be made"));
    ntfs_test_stop(f);
}

static void a_file_does_not_replace_one_of_the_file_system(void **state)
{
    struct ntfs_test *f = *state;

    ntfs_test_add_file(f, 0, "$MFT");
    assert_int_equal(ntfs_test_begin(f), WIM_APPLY_E_TARGET);
    ntfs_test_stop(f);
}

static void a_folder_that_is_there_gets_more_in_it(void **state)
{
    struct ntfs_test *f = *state;
    ntfs_volume *volume;
    uint32_t folder;

    ntfs_fixture_make(f->path); /* with a folder */
    folder = ntfs_test_add_folder(f, 0, "folder");
    ntfs_test_add_file(f, folder, "new");
    ntfs_test_make(f, 0);
    volume = ntfs_test_look(f);
    assert_int_equal(ntfs_inode_close(ntfs_test_find(volume, "folder/new")), 0);
    assert_int_equal(ntfs_inode_close(ntfs_test_find(volume, "folder/link")), 0);
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void a_folder_that_is_there_keeps_its_short_name(void **state)
{
    struct ntfs_test *f = *state;
    const struct metadata_inode folder = {.attributes = METADATA_FOLDER};
    ntfs_volume *volume;

    ntfs_test_add_name(f, ntfs_test_add_inode(f, folder), 0, "Program Files", "PROGRA~1");
    ntfs_test_add_name(f, ntfs_test_add_inode(f, folder), 0, "users", "USERS");
    ntfs_test_make(f, 0);
    f->image.names[1].short_name = "PROGRA~2";
    ntfs_test_make(f, 0);
    volume = ntfs_test_look(f);
    assert_short_name(volume, "Program Files", "PROGRA~1");
    assert_short_name(volume, "users", "USERS");
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

/* Windows opens no path of more than 260 characters by itself, but stores it. */
static void folders_can_be_deep(void **state)
{
    struct ntfs_test *f = *state;
    OWN(buf_fini) struct buf path = BUF_INIT(4096);
    uint32_t folder = 0;
    ntfs_volume *volume;
    ntfs_inode *ni;

    for (size_t i = 0; i < 1000; i++) {
        folder = ntfs_test_add_folder(f, folder, "d");
        buf_adds(&path, "/d");
    }
    ntfs_test_make(f, 0);
    volume = ntfs_test_look(f);
    ni = ntfs_test_find(volume, buf_str(&path));
    assert_ntfs_times(ni);
    assert_int_equal(ntfs_inode_close(ni), 0);
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void a_file_that_is_there_is_not_replaced(void **state)
{
    struct ntfs_test *f = *state;

    ntfs_fixture_make(f->path);
    ntfs_test_add_file(f, 0, "Long name of a file.txt");
    assert_int_equal(ntfs_test_begin(f), WIM_APPLY_E_TARGET);
    assert_non_null(strstr(buf_str(&f->why), "File exists"));
    ntfs_test_stop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NTFS_TEST(names_keep_their_case_and_what_windows_refuses),
        NTFS_TEST(links_are_one_file_in_two_folders),
        NTFS_TEST(short_names_lie_beside_the_long_ones),
        NTFS_TEST(short_names_that_are_taken_or_not_valid_are_left_out),
        NTFS_TEST(what_belongs_to_the_file_system_cannot_be_replaced),
        NTFS_TEST(a_file_does_not_replace_one_of_the_file_system),
        NTFS_TEST(a_folder_that_is_there_gets_more_in_it),
        NTFS_TEST(a_folder_that_is_there_keeps_its_short_name),
        NTFS_TEST(folders_can_be_deep),
        NTFS_TEST(a_file_that_is_there_is_not_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
