/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_stream.h"

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

/* What comes out: the units, and how often one of them was refused. */
struct seen {
    struct buf bytes;
    size_t n_units;
    size_t refuse_at; /* this unit is the last that is taken; 0: all are */
};

static int feed(void *ctx, struct bytes piece, unsigned percent)
{
    struct seen *seen = ctx;

    assert_in_range(percent, 0, 100);
    buf_add(&seen->bytes, piece);
    return 0;
}

static int end_unit(void *ctx)
{
    struct seen *seen = ctx;

    return ++seen->n_units == seen->refuse_at ? 1 : 0;
}

static void seen_fini(struct seen *seen)
{
    buf_fini(&seen->bytes);
}

/* A tree of a few files, in memory. */
static WIMStruct *open_tree(const struct wim_fixture *f)
{
    WIMStruct *wim = NULL;
    char path[WIM_FIXTURE_PATH_MAX];

    assert_int_equal(wim_start(), 0);
    wim_fixture_path(f, "tree", path);
    assert_int_equal(wimlib_create_new_wim(WIMLIB_COMPRESSION_TYPE_NONE, &wim), 0);
    assert_int_equal(wimlib_add_image(wim, path, "T", NULL, WIMLIB_ADD_FLAG_UNIX_DATA), 0);
    return wim;
}

static void the_stream_is_whole_and_ends_with_a_unit(void **state)
{
    OWN(wim_freep) WIMStruct *wim = open_tree(*state);
    OWN(seen_fini) struct seen seen = {.bytes = BUF_INIT(WIM_FIXTURE_STREAM_MAX)};
    const struct wim_sink sink = {feed, end_unit, &seen};
    int code = -1;

    assert_int_equal(wim_stream(wim, &sink, &code), 0);
    assert_int_equal(code, 0);
    assert_true(seen.n_units > WIM_FIXTURE_FILES / 2);
    assert_memory_equal(seen.bytes.ptr, "WLPWM", 5);
    assert_memory_equal(seen.bytes.ptr + seen.bytes.len - 208, "WLPWM", 5);
}

static void a_sink_that_refuses_ends_the_stream(void **state)
{
    OWN(wim_freep) WIMStruct *wim = open_tree(*state);
    OWN(seen_fini) struct seen seen = {.bytes = BUF_INIT(WIM_FIXTURE_STREAM_MAX), .refuse_at = 2};
    const struct wim_sink sink = {feed, end_unit, &seen};
    int code = 0;

    assert_int_equal(wim_stream(wim, &sink, &code), WIM_IMPORT_E_CANCELLED);
    assert_int_equal(seen.n_units, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stream_is_whole_and_ends_with_a_unit),
        cmocka_unit_test(a_sink_that_refuses_ends_the_stream),
    };

    return cmocka_run_group_tests(tests, wim_fixture_set_up, wim_fixture_tear_down);
}
