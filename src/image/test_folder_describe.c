/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/folder_describe.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/own.h"
#include "image/wim_describe.h"

static uint32_t add_folder(struct metadata *tree, const char *name, uint32_t parent)
{
    const struct metadata_inode inode = {.attributes = METADATA_FOLDER, .security = METADATA_NONE};
    struct metadata_name entry = {.name = name, .short_name = "", .parent = parent};

    assert_int_equal(metadata_add_inode(tree, &inode), 0);
    entry.inode = (uint32_t)(tree->n_inodes - 1);
    assert_int_equal(metadata_add_name(tree, &entry), 0);
    return entry.inode;
}

static void what_was_counted_and_called_is_said(void **state)
{
    OWN(metadata_fini) struct metadata tree = {0};
    OWN(wim_image_fini) struct wim_image image = {0};
    const struct wim_info info = {.n_files = 12, .total_bytes = 3456};

    (void)state;
    (void)add_folder(&tree, "", METADATA_NONE);
    assert_int_equal(folder_describe(&tree, "Debian 12", &info, &image), 0);
    assert_string_equal(image.name, "Debian 12");
    assert_string_equal(image.description, "");
    assert_string_equal(image.arch, "");
    assert_int_equal(image.index, 1);
    assert_int_equal(image.file_count, 12);
    assert_int_equal(image.size_bytes, 3456);
    assert_true(image.has_unix_data);
    assert_false(image.is_windows);
}

static void windows_is_known_by_its_folder_however_it_is_written(void **state)
{
    static const struct {
        const char *outer;
        const char *inner;
        bool is_windows;
    } cases[] = {{"Windows", "System32", true},
                 {"WINDOWS", "system32", true},
                 {"Windows", "System", false},
                 {"usr", "System32", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(metadata_fini) struct metadata tree = {0};
        OWN(wim_image_fini) struct wim_image image = {0};
        const struct wim_info info = {0};
        uint32_t root = add_folder(&tree, "", METADATA_NONE);

        (void)add_folder(&tree, cases[i].inner, add_folder(&tree, cases[i].outer, root));
        assert_int_equal(folder_describe(&tree, "X", &info, &image), 0);
        assert_int_equal(image.is_windows, cases[i].is_windows);
    }
}

static void a_linux_is_of_the_architecture_of_its_loader(void **state)
{
    static const struct {
        const char *folder;
        const char *file;
        const char *arch;
    } cases[] = {{"lib64", "ld-linux-x86-64.so.2", "x64"},
                 {"lib", "ld-linux.so.2", "x86"},
                 {"lib", "ld-linux-x86-64.so.22", ""},
                 {"lib32", "ld-linux.so.2", ""}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(metadata_fini) struct metadata tree = {0};
        OWN(wim_image_fini) struct wim_image image = {0};
        const struct wim_info info = {0};
        uint32_t root = add_folder(&tree, "", METADATA_NONE);
        uint32_t usr = add_folder(&tree, "usr", root);

        (void)add_folder(&tree, cases[i].file, add_folder(&tree, cases[i].folder, usr));
        assert_int_equal(folder_describe(&tree, "X", &info, &image), 0);
        assert_string_equal(image.arch, cases[i].arch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_counted_and_called_is_said),
        cmocka_unit_test(windows_is_known_by_its_folder_however_it_is_written),
        cmocka_unit_test(a_linux_is_of_the_architecture_of_its_loader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
