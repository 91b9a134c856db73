/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_describe.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "image/test_wim_fixture.h"
#include "image/wim.h"
#include "plat/file.h"

static void wim_freep(WIMStruct **wim)
{
    wimlib_free(*wim);
}

static void an_image_is_described_by_what_its_file_says_and_holds(void **state)
{
    OWN(wim_freep) WIMStruct *wim = NULL;
    OWN(wim_image_fini) struct wim_image image = {0};
    struct wim_walk walk = {0};
    char path[WIM_FIXTURE_PATH_MAX];

    assert_int_equal(wim_start(), 0);
    wim_fixture_path(*state, "a.wim", path);
    assert_int_equal(wimlib_open_wim(path, 0, &wim), 0);
    assert_int_equal(wim_describe(wim, 1, &image), 0);
    assert_int_equal(wim_describe_kind(wim, 1, &image, &walk), 0);
    assert_int_equal(image.index, 1);
    assert_int_equal(image.file_count, WIM_FIXTURE_FILES);
    assert_string_equal(image.arch, "");
    assert_string_equal(image.build, "");
    assert_true(image.has_unix_data);
    assert_false(image.is_windows);
    assert_false(walk.has_bad_name);
}

static void a_linux_is_for_what_its_loader_is_for(void **state)
{
    static const char *const loaders[][2] = {
        {"usr/lib/i386-linux-gnu/ld-linux.so.2", "x86"},
        {"lib/ld-musl-i386.so.1", "x86"},
        {"lib64/ld-linux-x86-64.so.2", "x64"}, /* beside the others: it runs both */
    };
    const struct wim_fixture *f = *state;
    char path[2 * WIM_FIXTURE_PATH_MAX];

    assert_int_equal(wim_start(), 0);
    for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++) {
        OWN(wim_freep) WIMStruct *wim = NULL;
        OWN(wim_image_fini) struct wim_image image = {0};
        struct wim_walk walk = {0};
        char name[16];

        (void)snprintf(path, sizeof(path), "%s/linux/%s", f->root, loaders[i][0]);
        *strrchr(path, '/') = '\0';
        assert_int_equal(dir_make(path, 0755), 0);
        (void)snprintf(path, sizeof(path), "%s/linux/%s", f->root, loaders[i][0]);
        assert_int_equal(file_write(path, bytes_of("x"), 0755), 0);
        (void)snprintf(name, sizeof(name), "linux%zu.wim", i);
        wim_fixture_capture(
            f, "linux", name, WIMLIB_COMPRESSION_TYPE_NONE, WIMLIB_ADD_FLAG_UNIX_DATA);
        wim_fixture_path(f, name, path);
        assert_int_equal(wimlib_open_wim(path, 0, &wim), 0);
        assert_int_equal(wim_describe_kind(wim, 1, &image, &walk), 0);
        assert_int_equal(wim_describe(wim, 1, &image), 0);
        assert_string_equal(image.arch, loaders[i][1]);
    }
}

static void an_image_that_is_not_there_is_an_error_of_wimlib(void **state)
{
    OWN(wim_freep) WIMStruct *wim = NULL;
    OWN(wim_image_fini) struct wim_image image = {0};
    struct wim_walk walk = {0};
    char path[WIM_FIXTURE_PATH_MAX];

    assert_int_equal(wim_start(), 0);
    wim_fixture_path(*state, "a.wim", path);
    assert_int_equal(wimlib_open_wim(path, 0, &wim), 0);
    assert_int_equal(wim_describe_kind(wim, 2, &image, &walk), WIMLIB_ERR_INVALID_IMAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_described_by_what_its_file_says_and_holds),
        cmocka_unit_test(a_linux_is_for_what_its_loader_is_for),
        cmocka_unit_test(an_image_that_is_not_there_is_an_error_of_wimlib),
    };

    return cmocka_run_group_tests(tests, wim_fixture_set_up, wim_fixture_tear_down);
}
