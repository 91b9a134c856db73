/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_import.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <wimlib.h>

#include "base/bytes.h"
#include "base/own.h"
#include "image/test_wim_fixture.h"
#include "plat/file.h"

static void open_wim(const struct wim_fixture *f, const char *name, struct wim_import **ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, name, path);
    assert_int_equal(wim_import_new(path, ret, &why), 0);
    assert_int_equal(wim_import_count(*ret), 1);
}

static void new_lists_what_the_file_says(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    const struct wim_image *image;

    open_wim(*state, "a.wim", &import);
    image = wim_import_get(import, 0);
    assert_int_equal(image->index, 1);
    assert_string_equal(image->name, "Tiny");
    assert_string_equal(image->description, "A tree of seven names");
    assert_string_equal(image->arch, "");
    assert_int_equal(image->file_count, WIM_FIXTURE_FILES);
    assert_true(image->has_unix_data);
    assert_false(image->is_windows);
}

static void an_image_captured_without_unix_data_is_known(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;

    wim_fixture_capture(*state, "tree", "plain.wim", WIMLIB_COMPRESSION_TYPE_NONE, 0);
    open_wim(*state, "plain.wim", &import);
    assert_false(wim_import_get(import, 0)->has_unix_data);
    assert_false(wim_import_get(import, 0)->is_windows);
}

static void an_image_with_the_folder_of_windows_is_one_of_windows(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "windows/Windows/System32/config", path);
    assert_int_equal(dir_make(path, 0755), 0);
    wim_fixture_capture(*state, "windows", "windows.wim", WIMLIB_COMPRESSION_TYPE_NONE, 0);
    open_wim(*state, "windows.wim", &import);
    assert_true(wim_import_get(import, 0)->is_windows);
    assert_false(wim_import_get(import, 0)->has_unix_data);
}

static void new_refuses_what_is_no_wim_and_says_why(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "tree/text", path);
    assert_int_equal(wim_import_new(path, &import, &why), WIM_IMPORT_E_BAD);
    assert_true(why.len > 0);
}

/* The file is cut off at many places: never a crash, never an image that is not whole. */
static void a_file_that_ends_early_is_refused_wherever_it_ends(void **state)
{
    OWN(buf_fini) struct buf whole = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "a.wim", path);
    assert_int_equal(file_read(path, &whole), 0);
    wim_fixture_path(*state, "cut.wim", path);
    for (size_t len = 0; len < whole.len; len += whole.len / 16) {
        OWN(wim_import_freep) struct wim_import *import = NULL;
        OWN(buf_fini) struct buf why = BUF_INIT(4096);

        assert_int_equal(file_write(path, (struct bytes){(uint8_t *)whole.ptr, len}, 0600), 0);
        assert_int_equal(wim_import_new(path, &import, &why), WIM_IMPORT_E_BAD);
        assert_true(why.len > 0);
    }
}

static void the_stream_is_the_same_twice(void **state)
{
    OWN(buf_fini) struct buf first = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf second = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

    wim_fixture_stream(*state, "a.wim", &first);
    wim_fixture_stream(*state, "a.wim", &second);
    assert_true(first.len > 0);
    assert_true(bytes_eq(buf_bytes(&first), buf_bytes(&second)));
}

static void the_stream_is_the_same_whatever_the_compression(void **state)
{
    static const struct {
        enum wimlib_compression_type type;
        int write_flags;
    } ways[] = {
        {WIMLIB_COMPRESSION_TYPE_NONE, 0},
        {WIMLIB_COMPRESSION_TYPE_XPRESS, WIMLIB_WRITE_FLAG_PIPABLE},
        {WIMLIB_COMPRESSION_TYPE_LZX, 0},
        {WIMLIB_COMPRESSION_TYPE_LZMS, WIMLIB_WRITE_FLAG_SOLID | WIMLIB_WRITE_FLAG_NO_SOLID_SORT},
    };
    OWN(buf_fini) struct buf first = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

    wim_fixture_stream(*state, "a.wim", &first);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        OWN(buf_fini) struct buf other = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

        wim_fixture_recompress(*state, "b.wim", ways[i].type, ways[i].write_flags);
        wim_fixture_stream(*state, "b.wim", &other);
        assert_true(bytes_eq(buf_bytes(&first), buf_bytes(&other)));
    }
}

static int refuse(void *ctx, struct bytes piece, unsigned percent)
{
    (void)ctx;
    (void)piece;
    (void)percent;
    return 1;
}

static void the_stream_ends_when_the_sink_says_so(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct wim_sink sink = {refuse, NULL};

    open_wim(*state, "a.wim", &import);
    assert_int_equal(wim_import_stream(import, wim_import_get(import, 0), &sink, &why),
                     WIM_IMPORT_E_CANCELLED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, wim_fixture_set_up, wim_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_lists_what_the_file_says),
        TEST(an_image_captured_without_unix_data_is_known),
        TEST(an_image_with_the_folder_of_windows_is_one_of_windows),
        TEST(new_refuses_what_is_no_wim_and_says_why),
        TEST(a_file_that_ends_early_is_refused_wherever_it_ends),
        TEST(the_stream_is_the_same_twice),
        TEST(the_stream_is_the_same_whatever_the_compression),
        TEST(the_stream_ends_when_the_sink_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
