/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diff_parts.h"

#include "ts/test_ts.h"

#define RULES(inside) "<Rules>" inside "</Rules>"
#define IS(value) \
    "<condition><expression type=\"SMS_TaskSequence_VariableConditionExpression\">" \
    "<variable name=\"Operator\">equals</variable><variable name=\"Value\">" value "</variable>" \
    "<variable name=\"Variable\">Make</variable></expression></condition>"
#define RULE(condition, variables) "<Rule>" condition "<Variables>" variables "</Variables></Rule>"
#define VAR(name, text)            "<Variable Name=\"" name "\">" text "</Variable>"
#define HIDE(name, text)           "<Variable Name=\"" name "\" IsSecret=\"true\">" text "</Variable>"

/* What the changes say behind the step, one per line. */
static void check(const char *from, const char *to, const char *wanted)
{
    static char path[] = "Dyn";
    static char type[] = "Set Dynamic Variables";
    static char name[] = "Rules";
    OWN(ts_changes_fini) struct ts_changes changes = {0};
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    struct ts_comparison c = {.changes = &changes};
    static const char head[] = "Changed step \"Dyn\": ";
    bool is_told = ts_diff_rules(
        &c,
        &(struct ts_change){.path = path, .old_path = path, .type = type, .name = name},
        from,
        to);

    assert_false(c.is_out_of_memory);
    assert_int_equal(is_told, changes.n > 0);
    for (size_t i = 0; i < changes.n; i++) {
        OWN(buf_fini) struct buf one = BUF_INIT(65536);

        ts_change_put(&changes.items[i], &one);
        assert_memory_equal(buf_str(&one), head, sizeof(head) - 1);
        buf_addf(&text, "%s\n", buf_str(&one) + sizeof(head) - 1);
        assert_string_equal(changes.items[i].name, "Rules");
    }
    assert_string_equal(buf_str(&text), wanted);
}

static void a_variable_is_told_with_its_rule(void **state)
{
    (void)state;
    check(RULES(RULE("", VAR("A", "1")) RULE(IS("Dell"), VAR("A", "2") VAR("B", "3"))),
          RULES(RULE("", VAR("A", "1")) RULE(IS("Dell"), VAR("A", "4") VAR("C", "5"))),
          "rule 2 (Make equals \"Dell\"), variable A from \"2\" to \"4\"\n"
          "rule 2 (Make equals \"Dell\"), variable B from \"3\" to nothing\n"
          "rule 2 (Make equals \"Dell\"), variable C from nothing to \"5\"\n");
}

static void secrets_are_masked_on_both_sides(void **state)
{
    (void)state;
    check(RULES(RULE("", HIDE("A", "geheim") VAR("MyPassword", "x"))),
          RULES(RULE("", HIDE("A", "anders") VAR("MyPassword", "y"))),
          "rule 1, variable A (its value is secret)\n"
          "rule 1, variable MyPassword (its value is secret)\n");
    check(RULES(RULE("", HIDE("A", "geheim"))),
          RULES(RULE("", VAR("A", "geheim"))),
          "rule 1, variable A from secret to shown\n");
    check("", RULES(RULE("", HIDE("A", "geheim"))), "rule 1 from nothing to always: A = \"***\"\n");
}

static void rules_come_and_go_and_change_their_conditions(void **state)
{
    (void)state;
#define DELL RULE(IS("Dell"), VAR("A", "1"))
#define ACER RULE(IS("Acer"), VAR("A", "2"))
    check(RULES(DELL),
          RULES(DELL ACER),
          "rule 2 from nothing to if Make equals \"Acer\": A = \"2\"\n");
    check(RULES(DELL ACER),
          RULES(ACER),
          "rule 1 from if Make equals \"Dell\": A = \"1\" to nothing\n");
    check(RULES(DELL),
          RULES(RULE(IS("HP"), VAR("A", "1"))),
          "condition of rule 1 from Make equals \"Dell\" to Make equals \"HP\"\n");
    check(RULES(DELL ACER), RULES(ACER DELL), "order of the rules from 1, 2 to 2, 1\n");
    check(RULES(DELL), "", "rule 1 from if Make equals \"Dell\": A = \"1\" to nothing\n");
}

static void what_cannot_be_read_or_means_nothing_is_left_to_the_caller(void **state)
{
    (void)state;
    check("<Rules>", RULES(DELL), "");
    check(RULES(DELL), "no XML", "");
    check(RULES(DELL), RULES("\n" DELL), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_is_told_with_its_rule),
        cmocka_unit_test(secrets_are_masked_on_both_sides),
        cmocka_unit_test(rules_come_and_go_and_change_their_conditions),
        cmocka_unit_test(what_cannot_be_read_or_means_nothing_is_left_to_the_caller),
    };

    return cmocka_run_group_tests_name("ts/diff_rules", tests, NULL, NULL);
}
