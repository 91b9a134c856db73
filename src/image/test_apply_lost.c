/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_lost.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/test_apply_fixture.h"

static void nothing_is_lost_of_an_image_of_linux(void **state)
{
    struct apply_fixture *f = *state;

    (void)apply_fixture_add(f, 0, "file", S_IFREG | 0644);
    (void)apply_fixture_add(f, 0, "link", S_IFLNK | 0777);
    f->image.inodes[1].attributes |= METADATA_SPARSE | METADATA_ARCHIVE;
    assert_false(apply_lost(&f->image, 0, &f->why));
    assert_int_equal(f->why.len, 0);
}

static void what_windows_knows_is_named_and_counted(void **state)
{
    struct apply_fixture *f = *state;
    const struct metadata_stream ads = {.kind = METADATA_DATA, .name = "ads"};

    assert_int_equal(metadata_add_descriptor(&f->image, bytes_of("d")), 0);
    for (size_t i = 0; i < 2; i++) {
        (void)apply_fixture_add(f, 0, i == 0 ? "a" : "b", S_IFREG | 0644);
        assert_int_equal(metadata_add_stream(&f->image, &ads), 0);
    }
    f->image.inodes[1].security = 0;
    f->image.inodes[2].attributes |= METADATA_HIDDEN;
    assert_true(apply_lost(&f->image, 0, &f->why));
    assert_non_null(strstr(buf_str(&f->why), "security descriptors, which 1 files have\n"));
    assert_non_null(strstr(buf_str(&f->why), "alternate data streams, which 2 files have\n"));
    assert_non_null(strstr(buf_str(&f->why), "attributes of Windows, which 1 files have"));
    assert_null(strstr(buf_str(&f->why), "object"));
}

static void every_other_loss_is_one(void **state)
{
    struct apply_fixture *f = *state;
    struct metadata_inode *inode;

    (void)apply_fixture_add(f, 0, "a", S_IFREG | 0644);
    apply_fixture_stream(f, METADATA_EFS_DATA, 1);
    inode = &f->image.inodes[1];
    assert_true(apply_lost(&f->image, 0, &f->why));
    assert_non_null(strstr(buf_str(&f->why), "encrypted"));
    f->image.streams[0].kind = METADATA_DATA;
    buf_clear(&f->why);
    assert_false(apply_lost(&f->image, 0, &f->why));
    inode->object_id = bytes_of("id");
    assert_true(apply_lost(&f->image, 0, &f->why));
    inode->object_id = (struct bytes){0};
    inode->attributes |= METADATA_REPARSE;
    inode->reparse_tag = 0x80000017;
    assert_true(apply_lost(&f->image, 0, &f->why));
    inode->attributes &= ~(uint32_t)METADATA_REPARSE;
    inode->n_xattrs = 1;
    assert_false(apply_lost(&f->image, 0, &f->why));
    inode->has_unix = false;
    assert_true(apply_lost(&f->image, 0, &f->why));
}

static void xattrs_that_the_file_system_does_not_have_are_a_loss(void **state)
{
    struct apply_fixture *f = *state;

    assert_true(apply_lost(&f->image, 3, &f->why));
    assert_non_null(strstr(buf_str(&f->why), "3 extended attributes"));
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, apply_fixture_set_up, apply_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_lost_of_an_image_of_linux),
        TEST(what_windows_knows_is_named_and_counted),
        TEST(every_other_loss_is_one),
        TEST(xattrs_that_the_file_system_does_not_have_are_a_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
