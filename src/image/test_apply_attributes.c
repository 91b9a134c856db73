/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "image/test_apply_fixture.h"
#include "plat/file.h"

#define SECONDS_2020        1577836800
#define SECONDS_2100        INT64_C(4102444800)
#define S_FROM_1601_TO_1970 INT64_C(11644473600)
#define TICKS_PER_S         INT64_C(10000000)

static int make(const struct apply_fixture *f, const char *name)
{
    int fd = openat(f->out, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

static void attributes_of_a_file_are_those_of_the_image(void **state)
{
    struct apply_fixture *f = *state;
    OWN(fd_closep) int fd = make(f, "file");
    uint32_t inode = apply_fixture_add(f, 0, "file", S_IFREG | 04751);
    const struct metadata_xattr note = {.name = "user.note", .value = {(const uint8_t *)"hi", 2}};
    struct apply_refusal refusal;
    unsigned n_left_out = 0;
    struct stat st;
    char value[8];

    assert_int_equal(metadata_add_xattr(&f->image, &note), 0);
    assert_true(apply_attributes(&f->image,
                                 &f->image.inodes[inode],
                                 &(struct apply_place){.parent = -1, .fd = fd},
                                 &n_left_out,
                                 &refusal));
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 04751);
    assert_int_equal(st.st_mtim.tv_sec, SECONDS_2020);
    assert_int_equal(st.st_atim.tv_sec, SECONDS_2020);
    if (n_left_out == 0)
        assert_int_equal(fgetxattr(fd, "user.note", value, sizeof(value)), 2);
}

static void attributes_of_a_link_do_not_touch_its_target(void **state)
{
    struct apply_fixture *f = *state;
    OWN(fd_closep) int fd = make(f, "target");
    uint32_t inode = apply_fixture_add(f, 0, "link", S_IFLNK | 0777);
    struct apply_refusal refusal;
    unsigned n_left_out = 0;
    struct stat before;
    struct stat st;

    assert_int_equal(fstat(fd, &before), 0);
    assert_int_equal(symlinkat("target", f->out, "link"), 0);
    assert_true(apply_attributes(&f->image,
                                 &f->image.inodes[inode],
                                 &(struct apply_place){f->out, "link", -1},
                                 &n_left_out,
                                 &refusal));
    assert_int_equal(fstatat(f->out, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_mtim.tv_sec, SECONDS_2020);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode, before.st_mode);
    assert_int_equal(st.st_mtim.tv_sec, before.st_mtim.tv_sec);
}

static void attributes_without_unix_data_are_the_times(void **state)
{
    struct apply_fixture *f = *state;
    OWN(fd_closep) int fd = make(f, "file");
    uint32_t inode = apply_fixture_add(f, 0, "file", S_IFREG | 0777);
    struct apply_refusal refusal;
    unsigned n_left_out = 0;
    struct stat st;

    f->image.inodes[inode].has_unix = false;
    assert_true(apply_attributes(&f->image,
                                 &f->image.inodes[inode],
                                 &(struct apply_place){.parent = -1, .fd = fd},
                                 &n_left_out,
                                 &refusal));
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_int_equal(st.st_mtim.tv_sec, SECONDS_2020);
}

/* statx() shows it on computers of 32 bits too. */
static void times_do_not_end_in_2038(void **state)
{
    struct apply_fixture *f = *state;
    OWN(fd_closep) int fd = make(f, "file");
    uint32_t inode = apply_fixture_add(f, 0, "file", S_IFREG | 0600);
    const struct apply_place places[] = {{.parent = -1, .fd = fd}, {f->out, "file", -1}};

    f->image.inodes[inode].has_unix = false;
    for (int64_t i = 0; i < 2; i++) {
        struct apply_refusal refusal;
        unsigned n_left_out = 0;
        struct statx stx;

        f->image.inodes[inode].written =
            (uint64_t)((SECONDS_2100 + i + S_FROM_1601_TO_1970) * TICKS_PER_S + 7);
        assert_true(apply_attributes(
            &f->image, &f->image.inodes[inode], &places[i], &n_left_out, &refusal));
        assert_int_equal(statx(fd, "", AT_EMPTY_PATH, STATX_MTIME, &stx), 0);
        assert_true(stx.stx_mtime.tv_sec == SECONDS_2100 + i);
        assert_int_equal(stx.stx_mtime.tv_nsec, 700);
    }
}

static void attributes_that_cannot_be_set_are_named(void **state)
{
    struct apply_fixture *f = *state;
    OWN(fd_closep) int fd = make(f, "file");
    uint32_t inode = apply_fixture_add(f, 0, "file", S_IFREG | 0644);
    const struct metadata_xattr bad = {.name = "system.posix_acl_access",
                                       .value = {(const uint8_t *)"x", 1}};
    struct apply_refusal refusal;
    unsigned n_left_out = 0;

    assert_int_equal(metadata_add_xattr(&f->image, &bad), 0);
    assert_false(apply_attributes(&f->image,
                                  &f->image.inodes[inode],
                                  &(struct apply_place){.parent = -1, .fd = fd},
                                  &n_left_out,
                                  &refusal));
    assert_int_equal(refusal.attribute, APPLY_XATTR);
    assert_string_equal(refusal.xattr, "system.posix_acl_access");
    assert_int_not_equal(refusal.error, 0);
    assert_false(apply_attributes(&f->image,
                                  &f->image.inodes[inode],
                                  &(struct apply_place){f->out, "nothing", -1},
                                  &n_left_out,
                                  &refusal));
    assert_int_equal(refusal.attribute, APPLY_OWNER);
    assert_int_equal(refusal.error, ENOENT);
}

static void first_mode_has_no_more_than_the_last_one(void **state)
{
    (void)state;
    struct metadata_inode inode = {.has_unix = true, .unix_data = {.mode = S_IFREG | 06640}};

    assert_int_equal(apply_first_mode(&inode), 0640);
    inode.has_unix = false;
    assert_int_equal(apply_first_mode(&inode), 0644);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, apply_fixture_set_up, apply_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(attributes_of_a_file_are_those_of_the_image),
        TEST(attributes_of_a_link_do_not_touch_its_target),
        TEST(attributes_without_unix_data_are_the_times),
        TEST(times_do_not_end_in_2038),
        TEST(attributes_that_cannot_be_set_are_named),
        cmocka_unit_test(first_mode_has_no_more_than_the_last_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
