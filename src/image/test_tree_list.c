/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/tree_list.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

enum {
    WHY_MAX = 16384,
};

static int
add(struct tree_list *list, const char *folder, const char *name, uint64_t size, struct buf *why)
{
    const struct tree_item item = {.entry = {.kind = MANIFEST_REGULAR, .size_bytes = size}};

    return tree_list_add(list, &item, folder, name, NULL, why);
}

static void paths_are_sorted_by_their_bytes_and_found(void **state)
{
    (void)state;
    static const char *const sorted[] = {"a", "a-b", "a/b", "a0", "\xc3\xbc"};
    OWN(tree_list_fini) struct tree_list list = {0};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    assert_null(tree_list_find(&list, "a"));
    assert_int_equal(add(&list, "", "\xc3\xbc", 1, &why), 0);
    assert_int_equal(add(&list, "", "a0", 2, &why), 0);
    assert_int_equal(add(&list, "a", "b", 3, &why), 0);
    assert_int_equal(add(&list, "", "a", 4, &why), 0);
    assert_int_equal(add(&list, "", "a-b", 5, &why), 0);
    assert_int_equal(tree_list_sort(&list, &why), 0);
    assert_int_equal(list.n, sizeof(sorted) / sizeof(sorted[0]));
    assert_int_equal(list.size_bytes, 15);
    for (size_t i = 0; i < list.n; i++) {
        assert_string_equal(list.items[i].entry.path, sorted[i]);
        assert_ptr_equal(tree_list_find(&list, sorted[i]), &list.items[i]);
    }
    assert_null(tree_list_find(&list, "a/c"));
}

static void names_that_no_entry_may_have_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", ".", "..", "a/b", "\xff", "\xc0\x80", "\xed\xa0\x80"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(tree_list_fini) struct tree_list list = {0};
        OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

        assert_int_equal(add(&list, "", bad[i], 0, &why), TREE_E_REFUSED);
        assert_int_equal(add(&list, "folder", bad[i], 0, &why), TREE_E_REFUSED);
        assert_non_null(strstr(buf_str(&why), "folder: "));
        assert_int_equal(list.n, 0);
    }
}

static void a_path_may_be_as_long_as_a_manifest_takes(void **state)
{
    (void)state;
    OWN(tree_list_fini) struct tree_list list = {0};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    char folder[MANIFEST_PATH_MAX_BYTES];

    memset(folder, 'x', sizeof(folder));
    folder[MANIFEST_PATH_MAX_BYTES - 3] = '\0';
    assert_int_equal(add(&list, folder, "ab", 0, &why), 0);
    assert_int_equal(strlen(list.items[0].entry.path), MANIFEST_PATH_MAX_BYTES);
    assert_int_equal(add(&list, folder, "abc", 0, &why), TREE_E_REFUSED);
    assert_non_null(strstr(buf_str(&why), "too long"));
}

static void a_path_that_is_there_twice_is_refused(void **state)
{
    (void)state;
    OWN(tree_list_fini) struct tree_list list = {0};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    assert_int_equal(add(&list, "a", "b", 0, &why), 0);
    assert_int_equal(add(&list, "", "c", 0, &why), 0);
    assert_int_equal(add(&list, "a", "b", 0, &why), 0);
    assert_int_equal(tree_list_sort(&list, &why), TREE_E_REFUSED);
    assert_string_equal(buf_str(&why), "a/b: it is there twice");
}

static void more_than_a_manifest_takes_is_refused(void **state)
{
    (void)state;
    OWN(tree_list_fini) struct tree_list list = {0};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    assert_int_equal(add(&list, "", "a", MANIFEST_MAX_BYTES, &why), 0);
    assert_int_equal(add(&list, "", "b", 1, &why), TREE_E_REFUSED);
    assert_int_equal(add(&list, "", "c", UINT64_MAX, &why), TREE_E_REFUSED);
    assert_int_equal(add(&list, "", "d", 0, &why), 0);
    assert_int_equal(list.size_bytes, MANIFEST_MAX_BYTES);
}

static void links_keep_their_target(void **state)
{
    (void)state;
    OWN(tree_list_fini) struct tree_list list = {0};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    const struct tree_item item = {.entry = {.kind = MANIFEST_LINK}};

    assert_int_equal(tree_list_add(&list, &item, "", "a", "../b", &why), 0);
    assert_string_equal(list.items[0].entry.target, "../b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_sorted_by_their_bytes_and_found),
        cmocka_unit_test(names_that_no_entry_may_have_are_refused),
        cmocka_unit_test(a_path_may_be_as_long_as_a_manifest_takes),
        cmocka_unit_test(a_path_that_is_there_twice_is_refused),
        cmocka_unit_test(more_than_a_manifest_takes_is_refused),
        cmocka_unit_test(links_keep_their_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
