/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_uses.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/own.h"
#include "image/test_apply_fixture.h"

/* Blob 2 is in two files, blob 1 in one; a file that is empty. */
static void put_files(struct apply_fixture *f)
{
    (void)apply_fixture_add(f, 0, "a", S_IFREG);
    apply_fixture_stream(f, METADATA_DATA, 2);
    (void)apply_fixture_add(f, 0, "b", S_IFREG);
    apply_fixture_stream(f, METADATA_DATA, 1);
    (void)apply_fixture_add(f, 0, "c", S_IFREG);
    apply_fixture_stream(f, METADATA_DATA, 2);
    (void)apply_fixture_add(f, 0, "d", S_IFREG);
    apply_fixture_stream(f, METADATA_LINK_DATA, 0);
}

static void find_gives_every_stream_of_a_blob_once(void **state)
{
    struct apply_fixture *f = *state;
    OWN(apply_uses_fini) struct apply_uses uses = {0};
    const uint8_t two[SHA1_BYTES] = {2};
    const uint8_t three[SHA1_BYTES] = {3};
    struct apply_blob blob = {0};

    put_files(f);
    assert_int_equal(apply_uses_init(&f->image, &uses), 0);
    assert_int_equal(apply_uses_find(&uses, three, &blob), APPLY_USES_E_UNUSED);
    assert_int_equal(apply_uses_find(&uses, two, &blob), 0);
    assert_int_equal(blob.n_uses, 2);
    assert_int_equal(blob.uses[0].inode, 1);
    assert_int_equal(blob.uses[1].inode, 3);
    assert_int_equal(f->image.streams[blob.uses[1].stream].sha1[0], 2);
    assert_int_equal(apply_uses_find(&uses, two, &blob), APPLY_USES_E_TWICE);
}

static void missing_is_what_was_not_found(void **state)
{
    struct apply_fixture *f = *state;
    OWN(apply_uses_fini) struct apply_uses uses = {0};
    const uint8_t one[SHA1_BYTES] = {1};
    const uint8_t two[SHA1_BYTES] = {2};
    struct apply_blob blob = {0};

    put_files(f);
    assert_int_equal(apply_uses_init(&f->image, &uses), 0);
    assert_int_equal(apply_uses_find(&uses, two, &blob), 0);
    assert_int_equal(apply_uses_missing(&uses)->inode, 2);
    assert_int_equal(apply_uses_find(&uses, one, &blob), 0);
    assert_null(apply_uses_missing(&uses));
}

static void nothing_is_missing_of_an_image_without_contents(void **state)
{
    struct apply_fixture *f = *state;
    OWN(apply_uses_fini) struct apply_uses uses = {0};

    assert_int_equal(apply_uses_init(&f->image, &uses), 0);
    assert_null(apply_uses_missing(&uses));
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, apply_fixture_set_up, apply_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(find_gives_every_stream_of_a_blob_once),
        TEST(missing_is_what_was_not_found),
        TEST(nothing_is_missing_of_an_image_without_contents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
