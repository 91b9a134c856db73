/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/test_apply_ntfs_fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plat/file.h"

enum {
    EMPTY_BYTES = 1024 * 1024,
};

static void refuse(struct ntfs_test *f, const char *reason)
{
    struct apply_ntfs *ntfs = NULL;

    assert_int_equal(apply_ntfs_new(f->path, &f->why, &ntfs), WIM_APPLY_E_TARGET);
    assert_null(ntfs);
    if (!strstr(buf_str(&f->why), reason))
        fail_msg("%s", buf_str(&f->why));
}

static void what_is_no_volume_is_refused(void **state)
{
    struct ntfs_test *f = *state;

    assert_int_equal(truncate(f->path, 0), 0);
    refuse(f, "not an NTFS volume");
    assert_int_equal(truncate(f->path, EMPTY_BYTES), 0);
    refuse(f, "not an NTFS volume");
    assert_int_equal(unlink(f->path), 0);
    refuse(f, "No such file");
}

static void a_volume_that_is_written_to_by_another_is_refused(void **state)
{
    struct ntfs_test *f = *state;
    OWN(fd_closep) int fd = open(f->path, O_RDWR | O_CLOEXEC);
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int status;

    /* locks of one process do not meet: another one tries */
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETLK, &all), 0);

    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct apply_ntfs *ntfs = NULL;
        int r = apply_ntfs_new(f->path, &f->why, &ntfs);

        _exit(r == WIM_APPLY_E_TARGET && strstr(buf_str(&f->why), "in use") ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_volume_that_needs_a_check_is_refused(void **state)
{
    struct ntfs_test *f = *state;
    ntfs_volume *volume = ntfs_mount(f->path, 0);

    assert_non_null(volume);
    assert_int_equal(ntfs_volume_write_flags(volume, VOLUME_IS_DIRTY), 0);
    assert_int_equal(ntfs_umount(volume, 0), 0);
    refuse(f, "check it first");
}

static void a_volume_with_a_hibernated_windows_is_refused(void **state)
{
    static const char name[] = "hiberfil.sys";
    struct ntfs_test *f = *state;
    char content[4096] = "hibr";
    uint8_t blob;

    ntfs_test_add_file(f, 0, name);
    blob = ntfs_test_add_stream(f, METADATA_DATA, "", false);
    assert_int_equal(ntfs_test_begin(f), 0);
    assert_int_equal(
        ntfs_test_send(f, blob, (struct bytes){(const uint8_t *)content, sizeof(content)}, 4096),
        0);
    assert_int_equal(ntfs_test_finish(f), 0);
    refuse(f, "hibernated");
}

/* Half an image must not be taken for a whole one. */
static void a_volume_is_marked_until_all_is_in_it(void **state)
{
    struct ntfs_test *f = *state;

    ntfs_test_add_file(f, 0, "file");
    (void)ntfs_test_add_stream(f, METADATA_DATA, "", false);
    assert_int_equal(ntfs_test_begin(f), 0);
    ntfs_test_stop(f);
    refuse(f, "check it first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NTFS_TEST(what_is_no_volume_is_refused),
        NTFS_TEST(a_volume_that_is_written_to_by_another_is_refused),
        NTFS_TEST(a_volume_that_needs_a_check_is_refused),
        NTFS_TEST(a_volume_with_a_hibernated_windows_is_refused),
        NTFS_TEST(a_volume_is_marked_until_all_is_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
