/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/table.h"

#include "ts/sequence.h"
#include "ts/test_ts.h"

#define RUNS(id) \
    "<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"run " id "\"><action/>" \
    "<defaultVarList><variable name=\"OSDSubTasksequencePackageID\" property=\"TsPackageID\">" id \
    "</variable></defaultVarList></subtasksequence>"

static void groups_and_children_are_ranges(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(SEQUENCE(
        "<group name=\"g\">" STEP("a", "") RUNS("X") "</group><group name=\"empty\"/>" RUNS("X")));
    OWN(ts_document_freep)
    struct ts_document *child =
        parse_ok(SEQUENCE("<group name=\"h\">" STEP("b", "") "</group>" STEP("c", "")));
    const struct ts_child children[] = {{"x", child, false}};
    OWN(table_fini) struct table table;

    assert_int_equal(
        table_fill(&table,
                   &(struct ts_start){.document = doc, .children = children, .n_children = 1}),
        0);
    assert_int_equal(table.n, 5);
    assert_string_equal(table.items[1].step->item.name, "b");
    assert_string_equal(table.items[4].step->item.name, "c");
    assert_string_equal(table.items[1].scope->item->name, "h");
    assert_string_equal(table.items[1].scope->parent->item->name, "run X");
    assert_string_equal(table.items[1].scope->parent->parent->item->name, "g");
    assert_int_equal(table.items[1].scope->parent->parent->first, 0);
    assert_int_equal(table.items[1].scope->parent->parent->end, 3);
    assert_null(table.items[4].scope->parent);
    assert_int_equal(table.items[4].scope->first, 3);
}

/* Each runs the next twice: 2^n instructions if nobody counts. */
static void children_that_grow_without_end_are_refused(void **state)
{
    (void)state;
    enum {
        N = 15
    };
    static const char *const ids[N] = {
        "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O"};
    struct ts_document *docs[N];
    struct ts_child children[N];
    OWN(table_fini) struct table table;

    for (size_t i = 0; i < N; i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(4096);
        const char *next = i + 1 < N ? ids[i + 1] : "none";

        buf_addf(&xml, SEQUENCE(RUNS("%s") RUNS("%s")), next, next, next, next);
        docs[i] = parse_ok(buf_str(&xml));
        children[i] = (struct ts_child){ids[i], docs[i], false};
    }
    assert_int_equal(
        table_fill(&table,
                   &(struct ts_start){.document = docs[0], .children = children, .n_children = N}),
        TS_SEQUENCE_E_LIMIT);
    for (size_t i = 0; i < N; i++)
        ts_document_free(docs[i]);
}

static void sequences_that_run_one_another_are_broken_where_it_would_begin_again(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *one = parse_ok(SEQUENCE(RUNS("B")));
    OWN(ts_document_freep) struct ts_document *two = parse_ok(SEQUENCE(STEP("b", "") RUNS("A")));
    const struct ts_child children[] = {{"A", one, false}, {"B", two, false}};
    OWN(table_fini) struct table table;

    assert_int_equal(
        table_fill(&table,
                   &(struct ts_start){.document = one, .children = children, .n_children = 2}),
        0);
    assert_int_equal(table.n, 2); /* b, then within A the run of B, which cannot be */
    assert_non_null(table.items[1].broken);
    assert_null(table.items[0].broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_and_children_are_ranges),
        cmocka_unit_test(children_that_grow_without_end_are_refused),
        cmocka_unit_test(sequences_that_run_one_another_are_broken_where_it_would_begin_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
