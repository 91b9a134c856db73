/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_parts.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "image/test_wim_fixture.h"
#include "image/wim_import.h"

static void an_image_in_several_parts_is_one(void **state)
{
    OWN(buf_fini) struct buf whole = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf parts = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

    wim_fixture_split(*state, "a.wim", "part.swm");
    wim_fixture_stream(*state, "a.wim", &whole);
    wim_fixture_stream(*state, "part.swm", &parts);
    assert_true(bytes_eq(buf_bytes(&whole), buf_bytes(&parts)));
}

static void refuse_part(const struct wim_fixture *f, const char *name, const char *said)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, name, path);
    assert_int_equal(wim_import_new(path, &import, &why), WIM_IMPORT_E_PART);
    if (!strstr(buf_str(&why), said))
        fail_msg("\"%s\" does not say \"%s\"", buf_str(&why), said);
}

static void a_part_that_is_missing_or_foreign_is_named(void **state)
{
    char path[WIM_FIXTURE_PATH_MAX];
    char other[WIM_FIXTURE_PATH_MAX];

    wim_fixture_split(*state, "a.wim", "part.swm");
    refuse_part(*state, "part2.swm", "part2.swm is part 2 of");
    wim_fixture_path(*state, "part2.swm", path);
    wim_fixture_path(*state, "a.wim", other);
    assert_int_equal(unlink(path), 0);
    refuse_part(*state, "part.swm", "part 2 of ");
    assert_int_equal(link(other, path), 0);
    refuse_part(*state, "part.swm", "part2.swm: the file of this name is no part");
}

/* What is not split needs no other files. */
static void a_whole_file_has_no_parts(void **state)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    WIMStruct *wim = NULL;
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "a.wim", path);
    assert_int_equal(wimlib_open_wim(path, 0, &wim), 0);
    assert_int_equal(wim_parts_add(wim, path, &why), 0);
    assert_int_equal(why.len, 0);
    wimlib_free(wim);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, wim_fixture_set_up, wim_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_image_in_several_parts_is_one),
        TEST(a_part_that_is_missing_or_foreign_is_named),
        TEST(a_whole_file_has_no_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
