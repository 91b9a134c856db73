/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/ntfs_free.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/test_ntfs_fixture.h"

static void the_room_of_a_volume_is_what_its_files_leave(void **state)
{
    (void)state;
    char path[] = "/tmp/slipway-test-XXXXXX";
    const uint64_t size = UINT64_C(64) << 20;
    int fd = mkstemp(path);
    uint64_t n;

    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    ntfs_fixture_make_empty(path, size);
    n = ntfs_free_bytes(path);
    assert_true(n > size / 2 && n < size);
    assert_int_equal(truncate(path, 512), 0);
    assert_int_equal(ntfs_free_bytes(path), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ntfs_free_bytes(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_room_of_a_volume_is_what_its_files_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
