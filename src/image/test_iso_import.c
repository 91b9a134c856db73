/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/iso_import.h"

#include <inttypes.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "image/test_iso_fixture.h"

enum {
    WHY_MAX = 4096,
};

static int import(struct tree_fixture *f, struct buf *why)
{
    char disc[TREE_FIXTURE_PATH_MAX];

    tree_fixture_path(f, "disc.iso", disc);
    return iso_import(disc, f->root, &f->sink, why);
}

/* Media of Windows have both; what matters of them is in UDF only. */
static void udf_goes_before_iso_9660(void **state)
{
    static const char *const options[] = {
        "-udf", "-hide", "sources", "-input-charset", "utf-8", NULL};
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    iso_fixture_put_tree(f);
    iso_fixture_make(f, options);
    assert_int_equal(import(f, &why), 0);
    assert_non_null(strstr(buf_str(&f->seen), "d 755 0 sources\n"));
    assert_int_equal(f->mtime_ns, 0); /* of UDF */
}

static void iso_9660_is_read_where_there_is_no_udf(void **state)
{
    static const char *const options[] = {"-R", "-input-charset", "utf-8", NULL};
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    iso_fixture_put_tree(f);
    iso_fixture_make(f, options);
    assert_int_equal(import(f, &why), 0);
    assert_non_null(strstr(buf_str(&f->seen), "f 640 9 sources/install.txt\nthe image\n"));
}

static void what_is_no_disc_is_told_apart(void **state)
{
    struct tree_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    tree_fixture_put(f, "disc.iso", "a text and no disc");
    assert_int_equal(import(f, &why), TREE_E_UNKNOWN);
    assert_non_null(strstr(buf_str(&why), "neither"));
    assert_int_equal(f->seen.len, 0);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, tree_fixture_set_up, tree_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(udf_goes_before_iso_9660),
        TEST(iso_9660_is_read_where_there_is_no_udf),
        TEST(what_is_no_disc_is_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
