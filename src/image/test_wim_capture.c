/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_capture.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "format/pwm/pwm.h"
#include "image/folder_capture.h"
#include "image/test_ntfs_fixture.h"
#include "image/test_wim_fixture.h"
#include "image/wim_describe.h"

static int collect(void *ctx, struct bytes piece, unsigned percent)
{
    assert_in_range(percent, 0, 100);
    buf_add(ctx, piece);
    return 0;
}

static int pass(void *ctx)
{
    (void)ctx;
    return 0;
}

static int refuse(void *ctx, struct bytes piece, unsigned percent)
{
    (void)ctx;
    (void)piece;
    (void)percent;
    return 1;
}

static void a_volume_becomes_a_stream(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(wim_image_fini) struct wim_image image = {0};
    struct wim_sink sink = {collect, pass, &stream};
    char path[WIM_FIXTURE_PATH_MAX];
    struct pwm_splitter splitter;
    struct bytes src;

    wim_fixture_path(*state, "volume", path);
    ntfs_fixture_make(path);
    assert_int_equal(wim_capture(path, "Captured", NULL, &sink, &why, &image), 0);
    assert_string_equal(image.name, "Captured");
    assert_false(image.has_unix_data);
    assert_false(image.is_windows);
    src = buf_bytes(&stream);
    pwm_init(&splitter);
    while (src.len > 0) {
        struct pwm_piece piece;

        assert_int_equal(pwm_next(&splitter, &src, &piece), 0);
    }
    assert_true(pwm_is_complete(&splitter));
}

static bool is_any(void *ctx, const char *path)
{
    ++*(unsigned *)ctx;
    assert_int_equal(path[0], '/');
    assert_int_not_equal(path[1], '\0');
    return true;
}

static void what_is_left_out_is_not_in_the_stream(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(wim_image_fini) struct wim_image image = {0};
    OWN(wim_image_fini) struct wim_image all = {0};
    unsigned n_asked = 0;
    const struct folder_filter filter = {is_any, &n_asked};
    struct wim_sink sink = {collect, pass, &stream};
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "volume", path);
    ntfs_fixture_make(path);
    assert_int_equal(wim_capture(path, "All", NULL, &sink, &why, &all), 0);
    assert_int_equal(wim_capture(path, "Few", &filter, &sink, &why, &image), 0);
    assert_true(all.file_count > 0);
    assert_int_equal(image.file_count, 0);
    assert_true(n_asked > 0);
}

static void what_is_not_there_is_said(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct wim_image image;
    struct wim_sink sink = {collect, pass, &stream};
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "nothing", path);
    assert_int_equal(wim_capture(path, "X", NULL, &sink, &why, &image), WIM_CAPTURE_E_SOURCE);
    assert_true(why.len > 0);
    wim_fixture_path(*state, "a.wim", path); /* a file, and no NTFS volume */
    assert_int_equal(wim_capture(path, "X", NULL, &sink, &why, &image), WIM_CAPTURE_E_SOURCE);
    assert_int_equal(stream.len, 0);
}

static void a_sink_that_refuses_ends_the_capture(void **state)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct wim_image image;
    struct wim_sink sink = {refuse, pass, NULL};
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "volume", path);
    ntfs_fixture_make(path);
    assert_int_equal(wim_capture(path, "X", NULL, &sink, &why, &image), WIM_IMPORT_E_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_volume_becomes_a_stream, wim_fixture_set_up, wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_left_out_is_not_in_the_stream, wim_fixture_set_up, wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_not_there_is_said, wim_fixture_set_up, wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            a_sink_that_refuses_ends_the_capture, wim_fixture_set_up, wim_fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
