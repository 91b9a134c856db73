/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/tree.h"

#include "ts/test_ts.h"

static const char nested[] = SEQUENCE(
    "<group name=\"Install\">" STEP("A", "")
        STEP("A", "") "<group name=\"Disk 0/1\" disable=\"true\">" STEP(
            "B\\C", "") "</group></group>" STEP("A", "") "<subtasksequence name=\"Child\"/>");

static void items_have_paths_and_positions(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(nested);
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    static const char *const paths[] = {"Install",
                                        "Install/A",
                                        "Install/A[2]",
                                        "Install/Disk 0\\/1",
                                        "Install/Disk 0\\/1/B\\\\C",
                                        "A",
                                        "Child"};
    static const char *const positions[] = {"1", "1.1", "1.2", "1.3", "1.3.1", "2", "3"};
    size_t n_steps;

    (void)ts_document_steps(doc, &n_steps);
    assert_int_equal(ts_tree_read(ts_document_tree(doc), &tree), 0);
    assert_int_equal(tree.n, 7);
    for (int i = 0; i < 7; i++) {
        assert_string_equal(tree.items[i].path, paths[i]);
        assert_string_equal(tree.items[i].position, positions[i]);
        assert_int_equal(ts_tree_find(&tree, paths[i]), i);
        assert_int_equal(ts_tree_find(&tree, positions[i]), i);
    }
    assert_int_equal(n_steps, 5);
    assert_int_equal(tree.items[6].step, 4);
}

static void groups_have_the_numbers_that_they_have_in_the_document(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(
        SEQUENCE(STEP("s", "") "<group name=\"a\"><group name=\"b\">" STEP("s", "") "</group>" STEP(
            "s",
            "") "<group name=\"c\"><group name=\"d\"/></group></group>" STEP("s",
                                                                             "") "<alien><group name=\"none\"/></alien><group name=\"e\"/>"));
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    size_t n;
    const struct ts_group *const *groups = ts_document_groups(doc, &n);
    size_t n_found = 0;

    assert_int_equal(n, 5);
    assert_int_equal(ts_tree_read(ts_document_tree(doc), &tree), 0);
    assert_int_equal(tree.n_groups, 5);
    for (size_t i = 0; i < tree.n; i++) {
        if (!tree.items[i].is_group) {
            assert_int_equal(tree.items[i].group, TS_NO_ITEM);
            continue;
        }
        assert_int_equal(tree.items[i].group, n_found);
        assert_string_equal(groups[n_found]->item.name, tree.items[i].name);
        n_found++;
    }
    assert_int_equal(n_found, 5);
}

static void a_slash_in_a_name_may_be_written_as_it_is(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(nested);
    OWN(ts_tree_fini) struct ts_tree tree = {0};

    assert_int_equal(ts_tree_read(ts_document_tree(doc), &tree), 0);
    assert_int_equal(ts_tree_find(&tree, "Install/Disk 0/1"), 3);
    assert_int_equal(ts_tree_find(&tree, "Install/Disk 0/2"), TS_NO_ITEM);
    assert_int_equal(ts_tree_find(&tree, ""), TS_NO_ITEM);
    assert_int_equal(ts_tree_find(&tree, "4"), TS_NO_ITEM);
}

static void a_disabled_group_disables_what_is_in_it(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(nested);
    OWN(ts_tree_fini) struct ts_tree tree = {0};

    assert_int_equal(ts_tree_read(ts_document_tree(doc), &tree), 0);
    assert_true(ts_tree_is_enabled(&tree, 2));
    assert_false(ts_tree_is_enabled(&tree, 4));
    assert_false(tree.items[4].is_disabled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_have_paths_and_positions),
        cmocka_unit_test(groups_have_the_numbers_that_they_have_in_the_document),
        cmocka_unit_test(a_slash_in_a_name_may_be_written_as_it_is),
        cmocka_unit_test(a_disabled_group_disables_what_is_in_it),
    };

    return cmocka_run_group_tests_name("ts/tree", tests, NULL, NULL);
}
