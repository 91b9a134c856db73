/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_lock.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>
#include <wimlib.h>

#include "base/own.h"
#include "image/wim.h"
#include "plat/file.h"

static char path[64];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/slipway-test-wim-lock-XXXXXX");

    OWN(fd_closep) int fd = mkstemp(path);

    return fd < 0 || wim_start() < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static bool can_lock(void)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void a_lock_is_one_but_where_it_is_switched_off(void **state)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_false(can_lock());
    wim_lock_off();
    assert_true(can_lock());
    wim_lock_on();
    assert_false(can_lock());
    assert_int_equal(flock(fd, LOCK_UN), 0);
    wim_lock_off();
    assert_int_equal(flock(fd, LOCK_EX), 0);
    wim_lock_on();
    assert_true(can_lock());
}

/* Appends an image while somebody has the file locked. Return: a code of wimlib. */
static int append(void)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    WIMStruct *wim = NULL;
    int r;

    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(wimlib_open_wim(path, 0, &wim), 0);
    assert_int_equal(wimlib_add_empty_image(wim, NULL, NULL), 0);
    wim_lock_off();
    r = wimlib_overwrite(wim, 0, 1);
    wim_lock_on();
    wimlib_free(wim);
    return r;
}

static void wimlib_asks_here(void **state)
{
    WIMStruct *wim = NULL;

    (void)state;
    assert_int_equal(wimlib_create_new_wim(WIMLIB_COMPRESSION_TYPE_NONE, &wim), 0);
    assert_int_equal(wimlib_write(wim, path, WIMLIB_ALL_IMAGES, 0, 1), 0);
    wimlib_free(wim);
    assert_int_equal(append(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_lock_is_one_but_where_it_is_switched_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wimlib_asks_here, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("image/wim_lock", tests, NULL, NULL);
}
