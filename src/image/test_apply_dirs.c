/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_dirs.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "image/test_apply_fixture.h"

enum {
    DEPTH = 3 * APPLY_DIRS_OPEN,
};

/* One in the other, in the image and in the target. */
static void make_deep(struct apply_fixture *f)
{
    OWN(apply_dirs_fini) struct apply_dirs dirs;

    apply_dirs_init(&dirs, &f->image, f->out);
    for (uint32_t i = 0; i < DEPTH; i++) {
        int parent;

        assert_int_equal(apply_dirs_get(&dirs, i, &parent), 0);
        assert_int_equal(mkdirat(parent, "d", 0755), 0);
        assert_int_equal(apply_fixture_add(f, i, "d", S_IFDIR), i + 1);
    }
}

static void get_opens_more_folders_than_may_be_open(void **state)
{
    struct apply_fixture *f = *state;
    OWN(apply_dirs_fini) struct apply_dirs dirs;
    ino_t inodes[DEPTH + 1];
    struct stat st;
    int fd;

    make_deep(f);
    apply_dirs_init(&dirs, &f->image, f->out);
    for (size_t i = DEPTH + 1; i > 0; i--) {
        assert_int_equal(apply_dirs_get(&dirs, (uint32_t)(i - 1), &fd), 0);
        assert_int_equal(fstat(fd, &st), 0);
        inodes[i - 1] = st.st_ino;
    }
    for (size_t i = 0; i <= DEPTH; i++) {
        assert_int_equal(apply_dirs_get(&dirs, (uint32_t)i, &fd), 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_true(st.st_ino == inodes[i]);
        assert_true(i == 0 || inodes[i] != inodes[i - 1]);
    }
}

static void get_follows_no_link(void **state)
{
    struct apply_fixture *f = *state;
    OWN(apply_dirs_fini) struct apply_dirs dirs;
    uint32_t folder = apply_fixture_add(f, 0, "folder", S_IFDIR);
    int fd = -1;

    assert_int_equal(symlink("..", apply_fixture_path(f, "folder")), 0);
    apply_dirs_init(&dirs, &f->image, f->out);
    assert_int_equal(apply_dirs_get(&dirs, folder, &fd), -ENOTDIR);
    assert_int_equal(fd, -1);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, apply_fixture_set_up, apply_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(get_opens_more_folders_than_may_be_open),
        TEST(get_follows_no_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
