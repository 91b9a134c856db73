/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret_rules.h"

#include "ts/test_ts.h"
#include "ts/tree.h"

#define RULE(condition, variables) \
    "<Rule><condition>" condition "</condition><Variables>" variables "</Variables></Rule>"
#define SECRET(name, value) "<Variable Name=\"" name "\" IsSecret=\"true\">" value "</Variable>"

DEFINE_FREEP(xmlNode *, xmlFreeNode);

static void becomes(const char *text, const char *old, const char *wanted)
{
    OWN(xmlFreeNodep) xmlNode *variable = xmlNewNode(NULL, (const xmlChar *)"variable");

    xmlNodeAddContent(variable, (const xmlChar *)text);
    ts_secret_keep_rules(NULL, variable, text, old);

    OWN(freep) char *is = ts_node_text(variable);

    assert_string_equal(is, wanted);
}

static void the_first_rule_that_has_the_secret_gives_it(void **state)
{
    (void)state;
    becomes("<Rules>" RULE("<x/>", SECRET("a", "") SECRET("b", "***"))
                RULE("<y/>", SECRET("a", "")) "</Rules>",
            "<Rules>" RULE("<y/>", SECRET("a", "1")) RULE("<x/>", SECRET("b", "2"))
                RULE("<x/>", SECRET("a", "3") SECRET("b", "4")) "</Rules>",
            "<Rules>" RULE("<x/>", SECRET("a", "3") SECRET("b", "2"))
                RULE("<y/>", SECRET("a", "1")) "</Rules>");
}

static void what_has_a_value_and_what_no_rule_had_stays(void **state)
{
    (void)state;
    becomes("<Rules>" RULE("<x/>", SECRET("a", "new") SECRET("c", ""))
                RULE("<z/>", SECRET("a", "")) "</Rules>",
            "<Rules>" RULE("<x/>", SECRET("a", "old") SECRET("b", "2")) "</Rules>",
            "<Rules>" RULE("<x/>", SECRET("a", "new") SECRET("c", ""))
                RULE("<z/>", SECRET("a", "")) "</Rules>");
}

static void rules_that_are_the_old_ones_again_are_so_byte_for_byte(void **state)
{
    (void)state;
    becomes("<Rules>" RULE("<x/>", SECRET("a", "")) "</Rules>",
            "<Rules >" RULE("<x />", SECRET("a", "1")) "</Rules >",
            "<Rules >" RULE("<x />", SECRET("a", "1")) "</Rules >");
}

static void what_cannot_be_read_stays_as_it_is(void **state)
{
    (void)state;
    becomes("<Rules>", "<Rules>" RULE("<x/>", SECRET("a", "1")) "</Rules>", "<Rules>");
    becomes("<Rules>" RULE("<x/>", SECRET("a", "")) "</Rules>",
            "<Rules>",
            "<Rules>" RULE("<x/>", SECRET("a", "")) "</Rules>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_has_the_secret_gives_it),
        cmocka_unit_test(what_has_a_value_and_what_no_rule_had_stays),
        cmocka_unit_test(rules_that_are_the_old_ones_again_are_so_byte_for_byte),
        cmocka_unit_test(what_cannot_be_read_stays_as_it_is),
    };

    return cmocka_run_group_tests_name("ts/secret_rules", tests, NULL, NULL);
}
