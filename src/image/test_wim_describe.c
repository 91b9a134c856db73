/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_describe.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "image/test_wim_fixture.h"
#include "image/wim.h"

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
        cmocka_unit_test(an_image_that_is_not_there_is_an_error_of_wimlib),
    };

    return cmocka_run_group_tests(tests, wim_fixture_set_up, wim_fixture_tear_down);
}
