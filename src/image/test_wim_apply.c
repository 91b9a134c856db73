/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_apply.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "image/test_ntfs_fixture.h"
#include "image/test_wim_fixture.h"
#include "plat/file.h"

static void apply_gives_back_links_modes_and_special_files(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct stat text;
    struct stat other;
    char path[WIM_FIXTURE_PATH_MAX];
    char target[32];

    wim_fixture_stream(*state, "a.wim", &stream);
    assert_int_equal(wim_fixture_apply(*state, buf_bytes(&stream), &why), 0);
    wim_fixture_path(*state, "out/text", path);
    assert_int_equal(lstat(path, &text), 0);
    assert_int_equal(text.st_mode, S_IFREG | 04750);
    assert_int_equal(text.st_size, 31);
    wim_fixture_path(*state, "out/link", path);
    assert_int_equal(lstat(path, &other), 0);
    assert_int_equal(text.st_ino, other.st_ino);
    wim_fixture_path(*state, "out/pipe", path);
    assert_int_equal(lstat(path, &other), 0);
    assert_int_equal(other.st_mode, S_IFIFO | 0600);
    wim_fixture_path(*state, "out/symlink", path);
    assert_int_equal(readlink(path, target, sizeof(target)), 11);
}

static void read_file(const struct wim_fixture *f, const char *name, struct buf *ret)
{
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, name, path);
    assert_int_equal(file_read(path, ret), 0);
}

static void assert_applies(const struct wim_fixture *f, const char *wim)
{
    static const char *const names[][2] = {
        {"tree/noise.a", "out/noise.a"},
        {"tree/a.repeated", "out/a.repeated"},
        {"tree/b.text", "out/b.text"},
    };
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);

    wim_fixture_stream(f, wim, &stream);
    assert_int_equal(wim_fixture_apply(f, buf_bytes(&stream), &why), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        OWN(buf_fini) struct buf was = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
        OWN(buf_fini) struct buf is = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

        read_file(f, names[i][0], &was);
        read_file(f, names[i][1], &is);
        assert_true(bytes_eq(buf_bytes(&was), buf_bytes(&is)));
    }
}

/* Version 2 of an ACL: owner rwx, user 7 r-x, group r--, mask rwx, others none */
static const uint8_t an_acl[] = {
    2, 0, 0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 2,   0,   5,  0, 7, 0, 0,   0,   4,   0,
    4, 0, 255, 255, 255, 255, 16, 0, 7,   0,   255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
};
/* cap_net_bind_service=ep, as version 2 has it */
static const uint8_t a_capability[] = {1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

/* Return: false if the caller or the file system cannot have such things. */
static bool make_privileged_tree(const struct wim_fixture *f)
{
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, "tree/device", path);
    if (mknod(path, S_IFBLK | 0640, makedev(259, 300)) < 0)
        return false;
    wim_fixture_path(f, "tree/folder", path);
    if (mkdir(path, 0700) < 0 || chown(path, 5, 60000) < 0 || chmod(path, 03770) < 0 ||
        setxattr(path, "system.posix_acl_default", an_acl, sizeof(an_acl), 0) < 0)
        return false;
    wim_fixture_path(f, "tree/folder/program", path);
    if (file_write(path, bytes_of("program"), 0755) < 0 || chown(path, 1, 2) < 0 ||
        setxattr(path, "system.posix_acl_access", an_acl, sizeof(an_acl), 0) < 0)
        return false;
    return setxattr(path, "security.capability", a_capability, sizeof(a_capability), 0) == 0;
}

static void assert_same_xattr(const char *one, const char *other, const char *name)
{
    uint8_t was[64];
    uint8_t is[64];
    ssize_t n = getxattr(one, name, was, sizeof(was));

    assert_int_equal(getxattr(other, name, is, sizeof(is)), n);
    if (n > 0)
        assert_memory_equal(was, is, (size_t)n);
}

static void assert_same(const struct wim_fixture *f, const char *name)
{
    char one[WIM_FIXTURE_PATH_MAX];
    char other[WIM_FIXTURE_PATH_MAX];
    char path[64];
    struct stat was;
    struct stat is;

    (void)snprintf(path, sizeof(path), "tree/%s", name);
    wim_fixture_path(f, path, one);
    (void)snprintf(path, sizeof(path), "out/%s", name);
    wim_fixture_path(f, path, other);
    assert_int_equal(lstat(one, &was), 0);
    assert_int_equal(lstat(other, &is), 0);
    assert_int_equal(was.st_mode, is.st_mode);
    assert_int_equal(was.st_uid, is.st_uid);
    assert_int_equal(was.st_gid, is.st_gid);
    assert_int_equal(was.st_rdev, is.st_rdev);
    assert_true(was.st_mtim.tv_sec == is.st_mtim.tv_sec &&
                was.st_mtim.tv_nsec / 100 == is.st_mtim.tv_nsec / 100);
    assert_same_xattr(one, other, "system.posix_acl_access");
    assert_same_xattr(one, other, "system.posix_acl_default");
    assert_same_xattr(one, other, "security.capability");
}

static void apply_gives_back_owners_acls_capabilities_and_devices(void **state)
{
    static const char *const names[] = {"", "folder", "folder/program", "device", "text", "pipe"};
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);

    if (!make_privileged_tree(*state))
        skip();
    wim_fixture_capture(
        *state, "tree", "all.wim", WIMLIB_COMPRESSION_TYPE_NONE, WIMLIB_ADD_FLAG_UNIX_DATA);
    wim_fixture_stream(*state, "all.wim", &stream);
    assert_int_equal(wim_fixture_apply(*state, buf_bytes(&stream), &why), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_same(*state, names[i]);
}

static void apply_gives_back_every_byte(void **state)
{
    assert_applies(*state, "a.wim");
}

/* Whoever wrote the file may have sorted the contents by type: the order of the stream is another. */
static void apply_gives_back_every_byte_of_a_solid_file(void **state)
{
    wim_fixture_recompress(
        *state, "solid.wim", WIMLIB_COMPRESSION_TYPE_LZMS, WIMLIB_WRITE_FLAG_SOLID);
    assert_applies(*state, "solid.wim");
}

static void apply_keeps_what_is_in_the_target(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "out/kept", path);
    assert_int_equal(file_write(path, bytes_of("kept"), 0600), 0);
    wim_fixture_stream(*state, "a.wim", &stream);
    assert_int_equal(wim_fixture_apply(*state, buf_bytes(&stream), &why), 0);
    assert_true(file_exists(path));
}

static void apply_refuses_a_stream_that_ends_early(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);

    wim_fixture_stream(*state, "a.wim", &stream);
    assert_int_equal(wim_fixture_apply(*state, (struct bytes){(uint8_t *)stream.ptr, 300}, &why),
                     WIM_APPLY_E_STREAM);
    assert_true(why.len > 0);
}

/* Contents were checked where they came from, by SHA-256; what a stream is made of is looked at here. */
static void apply_refuses_a_stream_whose_contents_have_another_name(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);

    wim_fixture_stream(*state, "a.wim", &stream);

    char *text = memmem(stream.ptr, stream.len, "some text", 9);

    assert_non_null(text);
    text[-5] ^= 1; /* of the SHA-1 in the resource's header */
    assert_int_equal(wim_fixture_apply(*state, buf_bytes(&stream), &why), WIM_APPLY_E_STREAM);
    assert_non_null(strstr(buf_str(&why), "does not have the contents of /"));
}

static void apply_says_when_the_target_is_neither_folder_nor_volume(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "out", path);
    assert_int_equal(dir_remove(path), 0);
    assert_int_equal(file_write(path, bytes_of("a file"), 0600), 0);
    wim_fixture_stream(*state, "a.wim", &stream);
    assert_int_equal(wim_fixture_apply(*state, buf_bytes(&stream), &why), WIM_APPLY_E_TARGET);
    assert_true(why.len > 0);
}

static int found(const struct wimlib_dir_entry *entry, void *ctx)
{
    (void)entry;
    *(unsigned *)ctx += 1;
    return 0;
}

static void apply_writes_into_an_ntfs_volume(void **state)
{
    static const char *const names[] = {"/b.text", "/a.repeated", "/Long name of a file.txt"};
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[WIM_FIXTURE_PATH_MAX];
    WIMStruct *wim = NULL;
    unsigned n = 0;

    wim_fixture_path(*state, "out", path);
    assert_int_equal(dir_remove(path), 0);
    ntfs_fixture_make(path);
    wim_fixture_capture(*state, "tree", "windows.wim", WIMLIB_COMPRESSION_TYPE_LZX, 0);
    wim_fixture_stream(*state, "windows.wim", &stream);
    assert_int_equal(wim_fixture_apply(*state, buf_bytes(&stream), &why), 0);

    wim_fixture_capture(
        *state, "out", "volume.wim", WIMLIB_COMPRESSION_TYPE_NONE, WIMLIB_ADD_FLAG_NTFS);
    wim_fixture_path(*state, "volume.wim", path);
    assert_int_equal(wimlib_open_wim(path, 0, &wim), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(wimlib_iterate_dir_tree(wim, 1, names[i], 0, found, &n), 0);
    assert_int_equal(n, sizeof(names) / sizeof(names[0]));
    wimlib_free(wim);
}

static void apply_says_what_has_no_place_in_an_ntfs_volume(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "out", path);
    assert_int_equal(dir_remove(path), 0);
    ntfs_fixture_make(path);
    wim_fixture_stream(*state, "a.wim", &stream); /* with owners and modes */
    assert_int_equal(wim_fixture_apply(*state, buf_bytes(&stream), &why), WIM_APPLY_E_LOST);
    assert_non_null(strstr(buf_str(&why), "UNIX"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, wim_fixture_set_up, wim_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(apply_gives_back_links_modes_and_special_files),
        TEST(apply_gives_back_owners_acls_capabilities_and_devices),
        TEST(apply_gives_back_every_byte),
        TEST(apply_gives_back_every_byte_of_a_solid_file),
        TEST(apply_keeps_what_is_in_the_target),
        TEST(apply_refuses_a_stream_that_ends_early),
        TEST(apply_refuses_a_stream_whose_contents_have_another_name),
        TEST(apply_says_when_the_target_is_neither_folder_nor_volume),
        TEST(apply_writes_into_an_ntfs_volume),
        TEST(apply_says_what_has_no_place_in_an_ntfs_volume),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
