/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diff_parts.h"

#include "ts/test_ts.h"

#define DOCUMENT \
    SEQUENCE(STEP("a", "") "<group name=\"g\">" STEP("b", "") STEP("a", "") \
                 STEP("a", "") "</group><group name=\"a\"/>")

enum {
    /* in the order of the start tags */
    FIRST_A,
    GROUP_G,
    STEP_B,
    SECOND_A,
    THIRD_A,
    GROUP_A,
    ITEMS,
};

struct fixture {
    struct ts_document *doc; /* owned */
    struct ts_side side;
    int match[ITEMS];
};

static void fixture_init(struct fixture *f)
{
    f->doc = parse_ok(DOCUMENT);
    assert_int_equal(ts_tree_read(ts_document_tree(f->doc), &f->side.tree), 0);
    assert_int_equal(f->side.tree.n, ITEMS);
    for (size_t i = 0; i < ITEMS; i++)
        f->match[i] = TS_NO_ITEM;
    f->side.match = f->match;
}

static void fixture_fini(struct fixture *f)
{
    ts_tree_fini(&f->side.tree);
    ts_document_free(f->doc);
}

/* The item that is the first left of what is called like @like. */
static int left(struct ts_diff_index *index, const struct fixture *f, int like, int parent)
{
    size_t at = ts_diff_index_left(index, &f->side.tree.items[like], parent, TS_DIFF_NO_ENTRY);

    return at == TS_DIFF_NO_ENTRY ? TS_NO_ITEM : index->entries[at].i;
}

static void the_first_without_a_match_is_found(void **state)
{
    (void)state;
    OWN(fixture_fini) struct fixture f = {0};
    OWN(ts_diff_index_fini) struct ts_diff_index index = {0};

    fixture_init(&f);
    assert_true(ts_diff_index_make(&f.side, false, &index));
    assert_int_equal(left(&index, &f, THIRD_A, TS_NO_ITEM), FIRST_A);
    f.match[FIRST_A] = 0;
    assert_int_equal(left(&index, &f, THIRD_A, TS_NO_ITEM), SECOND_A);
    f.match[SECOND_A] = 0;
    f.match[THIRD_A] = 0;
    assert_int_equal(left(&index, &f, THIRD_A, TS_NO_ITEM), TS_NO_ITEM);
    assert_int_equal(left(&index, &f, GROUP_A, TS_NO_ITEM), GROUP_A);
}

static void in_a_group_only_its_own_are_found(void **state)
{
    (void)state;
    OWN(fixture_fini) struct fixture f = {0};
    OWN(ts_diff_index_fini) struct ts_diff_index index = {0};

    fixture_init(&f);
    assert_true(ts_diff_index_make(&f.side, true, &index));
    assert_int_equal(left(&index, &f, FIRST_A, GROUP_G), SECOND_A);
    assert_int_equal(left(&index, &f, STEP_B, TS_NO_ITEM), TS_NO_ITEM);
    assert_true(ts_diff_index_has(&index, &f.side.tree.items[STEP_B], GROUP_G));
    assert_false(ts_diff_index_has(&index, &f.side.tree.items[STEP_B], TS_NO_ITEM));
    f.match[STEP_B] = 0;
    assert_true(ts_diff_index_has(&index, &f.side.tree.items[STEP_B], GROUP_G));
}

static void the_one_behind_another_is_found(void **state)
{
    (void)state;
    OWN(fixture_fini) struct fixture f = {0};
    OWN(ts_diff_index_fini) struct ts_diff_index index = {0};
    const struct ts_tree_item *wanted;
    size_t at;

    fixture_init(&f);
    wanted = &f.side.tree.items[FIRST_A];
    assert_true(ts_diff_index_make(&f.side, false, &index));
    at = ts_diff_index_left(&index, wanted, TS_NO_ITEM, TS_DIFF_NO_ENTRY);
    at = ts_diff_index_left(&index, wanted, TS_NO_ITEM, at);
    assert_int_equal(index.entries[at].i, SECOND_A);
    at = ts_diff_index_left(&index, wanted, TS_NO_ITEM, at);
    assert_int_equal(index.entries[at].i, THIRD_A);
    assert_true(ts_diff_index_left(&index, wanted, TS_NO_ITEM, at) == TS_DIFF_NO_ENTRY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_without_a_match_is_found),
        cmocka_unit_test(in_a_group_only_its_own_are_found),
        cmocka_unit_test(the_one_behind_another_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
