/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_path.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/test_apply_fixture.h"

static void path_names_the_folders_from_the_root_on(void **state)
{
    struct apply_fixture *f = *state;
    uint32_t usr = apply_fixture_add(f, 0, "usr", S_IFDIR);
    uint32_t lib = apply_fixture_add(f, usr, "lib", S_IFDIR);
    uint32_t file = apply_fixture_add(f, lib, "b\x1b[1m\n", S_IFREG);

    apply_path(&f->image, 0, &f->why);
    assert_string_equal(buf_str(&f->why), "/");
    buf_clear(&f->why);
    apply_path(&f->image, file, &f->why);
    assert_string_equal(buf_str(&f->why), "/usr/lib/b?[1m?");
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, apply_fixture_set_up, apply_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(path_names_the_folders_from_the_root_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
