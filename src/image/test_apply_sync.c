/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_sync.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plat/file.h"

/* Of a file system that has nothing to write: the test is not to wait for what others do. */
static int open_proc(void)
{
    int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void end_is_reached_whatever_was_written(void **state)
{
    (void)state;
    OWN(fd_closep) int fd = open_proc();
    static const size_t sizes[] = {
        0, 1, APPLY_SYNC_EVERY_BYTES - 1, 3 * (size_t)APPLY_SYNC_EVERY_BYTES};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        OWN(apply_sync_freep) struct apply_sync *sync = NULL;

        assert_int_equal(apply_sync_new(fd, &sync), 0);
        apply_sync_wrote(sync, sizes[i]);
        apply_sync_wrote(sync, sizes[i]);
        assert_int_equal(apply_sync_end(sync), 0);
    }
}

static void end_says_that_it_was_no_file_system(void **state)
{
    (void)state;
    OWN(apply_sync_freep) struct apply_sync *sync = NULL;

    assert_int_equal(apply_sync_new(-1, &sync), 0);
    assert_int_not_equal(apply_sync_end(sync), 0);
}

static void freeing_does_not_need_the_end(void **state)
{
    (void)state;
    OWN(fd_closep) int fd = open_proc();
    OWN(apply_sync_freep) struct apply_sync *sync = NULL;

    assert_int_equal(apply_sync_new(fd, &sync), 0);
    apply_sync_wrote(sync, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(end_is_reached_whatever_was_written),
        cmocka_unit_test(end_says_that_it_was_no_file_system),
        cmocka_unit_test(freeing_does_not_need_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
