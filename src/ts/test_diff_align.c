/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diff_parts.h"

#include "ts/test_ts.h"

/* Which of the second document each of the first is: "1 . 0", '.' for none. */
static void check_aligned(const char *before, const char *after, bool is_strict, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *a = parse_ok(before);
    OWN(ts_document_freep) struct ts_document *b = parse_ok(after);
    OWN(buf_fini) struct buf found = BUF_INIT(1024);
    int matches[2][16];
    struct ts_comparison c = {.before.match = matches[0], .after.match = matches[1]};

    for (size_t i = 0; i < 16; i++)
        matches[0][i] = matches[1][i] = TS_NO_ITEM;
    assert_int_equal(ts_tree_read(ts_document_tree(a), &c.before.tree), 0);
    assert_int_equal(ts_tree_read(ts_document_tree(b), &c.after.tree), 0);
    ts_diff_align(&c, TS_NO_ITEM, TS_NO_ITEM, is_strict);
    assert_false(c.is_out_of_memory);
    for (size_t i = 0; i < c.before.tree.n; i++) {
        buf_adds(&found, i > 0 ? " " : "");
        if (matches[0][i] == TS_NO_ITEM)
            buf_adds(&found, ".");
        else
            buf_addf(&found, "%d", matches[0][i]);
    }
    assert_string_equal(buf_str(&found), wanted);
    ts_tree_fini(&c.before.tree);
    ts_tree_fini(&c.after.tree);
}

#define A STEP("a", "")
#define B STEP("b", "")
#define S STEP("s", "")
#define T STEP("s", "timeout=\"1\"")

static void what_kept_its_order_is_paired(void **state)
{
    (void)state;
    check_aligned(SEQUENCE(A S B), SEQUENCE(S A S B), true, "1 2 3");
    check_aligned(SEQUENCE(A S B), SEQUENCE(A S B S), true, "0 1 2");
    check_aligned(SEQUENCE(A B S), SEQUENCE(S B A S), true, ". 1 3");
    check_aligned(SEQUENCE(S A S B), SEQUENCE(A B S A S B), true, "2 3 4 5");
    check_aligned(SEQUENCE(A), SEQUENCE(B), true, ".");
    check_aligned(SEQUENCE(""), SEQUENCE(B), true, "");
    check_aligned(SEQUENCE(A), SEQUENCE(""), true, ".");
}

static void settings_count_only_if_they_are_asked_for(void **state)
{
    (void)state;
    check_aligned(SEQUENCE(S T), SEQUENCE(T), true, ". 0");
    check_aligned(SEQUENCE(A B S), SEQUENCE(S A B T), true, "1 2 .");
    check_aligned(SEQUENCE(A B S), SEQUENCE(S A B T), false, "1 2 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_kept_its_order_is_paired),
        cmocka_unit_test(settings_count_only_if_they_are_asked_for),
    };

    return cmocka_run_group_tests_name("ts/diff_align", tests, NULL, NULL);
}
