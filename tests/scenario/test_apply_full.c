/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * An image is written to disks of every size: too small, until it fits
 *
 * The disks are file systems in memory, in a name space of the test's own.
 */

#include <sched.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "image/test_wim_fixture.h"
#include "image/wim_apply.h"

enum {
    SKIPPED = 77,
    STEP_KIB = 4,
    MAX_KIB = 1024,
};

static int apply_to(const struct wim_fixture *f, struct bytes stream, unsigned kib, struct buf *why)
{
    char path[WIM_FIXTURE_PATH_MAX];
    char options[64];
    int r;

    wim_fixture_path(f, "out", path);
    (void)snprintf(options, sizeof(options), "size=%uk", kib);
    assert_int_equal(mount("none", path, "tmpfs", 0, options), 0);
    r = wim_fixture_apply(f, stream, why);
    assert_int_equal(umount(path), 0); /* nothing is open any more */
    return r;
}

static void a_disk_that_is_full_is_named_with_the_file(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    unsigned n_full = 0;
    int r = -1;

    wim_fixture_capture(*state, "tree", "plain.wim", WIMLIB_COMPRESSION_TYPE_NONE, 0);
    wim_fixture_stream(*state, "plain.wim", &stream);
    for (unsigned kib = STEP_KIB; r != 0 && kib < MAX_KIB; kib += STEP_KIB) {
        OWN(buf_fini) struct buf why = BUF_INIT(1024);

        r = apply_to(*state, buf_bytes(&stream), kib, &why);
        if (r == 0)
            break;
        n_full++;
        assert_int_equal(r, WIM_APPLY_E_TARGET);
        assert_non_null(strstr(buf_str(&why), "No space left on device"));
        assert_int_equal(buf_str(&why)[0], '/');
    }
    assert_int_equal(r, 0);
    assert_true(n_full > 10);
}

/* Of our own: who is not root becomes it there. */
static bool enter_name_space(void)
{
    if (geteuid() != 0 && unshare(CLONE_NEWUSER) < 0)
        return false;
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_disk_that_is_full_is_named_with_the_file, wim_fixture_set_up, wim_fixture_tear_down),
    };

    if (!enter_name_space()) {
        (void)fprintf(stderr, "no name space for mounts here\n");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
