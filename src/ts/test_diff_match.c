/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diff_parts.h"

#include "ts/test_ts.h"

/* Where the item @i of the first document is in the second. */
static int match(const char *before, const char *after, int i)
{
    OWN(ts_document_freep) struct ts_document *a = parse_ok(before);
    OWN(ts_document_freep) struct ts_document *b = parse_ok(after);
    struct ts_comparison c = {0};
    int found;

    assert_int_equal(ts_tree_read(ts_document_tree(a), &c.before.tree), 0);
    assert_int_equal(ts_tree_read(ts_document_tree(b), &c.after.tree), 0);
    assert_int_equal(ts_diff_match(&c), 0);
    found = c.before.match[i];
    free(c.before.match);
    free(c.after.match);
    ts_tree_fini(&c.before.tree);
    ts_tree_fini(&c.after.tree);
    return found;
}

static void a_name_in_its_group_wins_over_one_elsewhere(void **state)
{
    (void)state;
    static const char before[] = SEQUENCE("<group name=\"g\">" STEP("a", "") "</group>");

    assert_int_equal(
        match(before, SEQUENCE(STEP("a", "") "<group name=\"g\">" STEP("a", "") "</group>"), 1), 2);
    assert_int_equal(match(before, SEQUENCE(STEP("a", "") "<group name=\"g\"/>"), 1), 0);
    assert_int_equal(match(before, SEQUENCE("<group name=\"g\"/>"), 1), TS_NO_ITEM);
}

static void of_two_with_one_name_the_first_is_the_first(void **state)
{
    (void)state;
    static const char both[] = SEQUENCE(STEP("a", "") STEP("a", "timeout=\"1\""));

    assert_int_equal(match(both, both, 0), 0);
    assert_int_equal(match(both, both, 1), 1);
}

static void of_two_with_one_name_the_one_with_the_same_settings_is_meant(void **state)
{
    (void)state;
#define QUICK STEP("a", "timeout=\"1\"")
#define SLOW  STEP("a", "timeout=\"2\"")
    static const char before[] = SEQUENCE(QUICK STEP("b", "") SLOW "<group name=\"g\"/>");
    static const char swapped[] = SEQUENCE(STEP("b", "") SLOW QUICK);
    static const char within[] = SEQUENCE(STEP("b", "") "<group name=\"g\">" SLOW QUICK "</group>");

    assert_int_equal(match(before, swapped, 0), 2);
    assert_int_equal(match(before, swapped, 2), 1);
    assert_int_equal(match(before, within, 0), 3);
    assert_int_equal(match(before, within, 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_in_its_group_wins_over_one_elsewhere),
        cmocka_unit_test(of_two_with_one_name_the_first_is_the_first),
        cmocka_unit_test(of_two_with_one_name_the_one_with_the_same_settings_is_meant),
    };

    return cmocka_run_group_tests_name("ts/diff_match", tests, NULL, NULL);
}
