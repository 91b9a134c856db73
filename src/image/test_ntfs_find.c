/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/ntfs_find.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "image/test_ntfs_fixture.h"
#include "plat/file.h"

static char folder[] = "/tmp/slipway-test-XXXXXX";
static char volume[64];
static char text_file[64];

static int make(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(volume, sizeof(volume), "%s/volume", folder);
    (void)snprintf(text_file, sizeof(text_file), "%s/text", folder);
    ntfs_fixture_make(volume);
    return file_write(text_file, bytes_of("no volume"), 0600);
}

static int drop(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void all_files_must_be_there_whatever_the_case_of_letters(void **state)
{
    (void)state;
    static const char *const there[] = {"folder/second name", "FOLDER/Other Security", NULL};
    static const char *const one_is_not[] = {"folder/second name", "folder/none", NULL};

    assert_true(ntfs_has_files(volume, there));
    assert_false(ntfs_has_files(volume, one_is_not));
}

static void what_is_no_volume_has_none(void **state)
{
    (void)state;
    static const char *const any[] = {"folder", NULL};

    assert_false(ntfs_has_files(text_file, any));
    assert_false(ntfs_has_files("/nothing", any));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_files_must_be_there_whatever_the_case_of_letters),
        cmocka_unit_test(what_is_no_volume_has_none),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
