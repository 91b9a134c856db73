/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/node_index.h"

#include "ts/test_ts.h"
#include "ts/tree.h"

DEFINE_FREEP(xmlNode *, xmlFreeNode);

static void the_first_of_a_name_is_found_in_each_group(void **state)
{
    (void)state;
    OWN(xmlFreeNodep) xmlNode *a = xmlNewNode(NULL, (const xmlChar *)"a");
    OWN(xmlFreeNodep) xmlNode *b = xmlNewNode(NULL, (const xmlChar *)"b");
    OWN(ts_node_index_fini) struct ts_node_index index = {0};

    assert_int_equal(ts_node_index_add(&index, 7, "x", b), 0);
    for (int i = 0; i < 100; i++) {
        OWN(buf_fini) struct buf name = BUF_INIT(64);

        buf_addf(&name, "n%d", i);
        assert_int_equal(ts_node_index_add(&index, 0, buf_str(&name), a), 0);
        assert_int_equal(ts_node_index_add(&index, 0, buf_str(&name), b), 0);
    }
    assert_int_equal(ts_node_index_sort(&index), 0);
    assert_ptr_equal(ts_node_index_find(&index, 0, "n0")->node, a);
    assert_ptr_equal(ts_node_index_find(&index, 0, "n99")->node, a);
    assert_ptr_equal(ts_node_index_find(&index, 7, "x")->node, b);
    assert_null(ts_node_index_find(&index, 0, "x"));
    assert_null(ts_node_index_find(&index, 7, "n0"));
    assert_null(ts_node_index_find(&index, 0, "N0"));
}

static void a_list_has_its_variables_and_nothing_else(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(
        SEQUENCE("<globalVarList><variable name=\"b\">1</variable><!-- c --><other name=\"c\"/>"
                 "<variable name=\"a\">2</variable><variable name=\"b\">3</variable>"
                 "</globalVarList>"));
    const xmlNode *list =
        ts_node_child(xmlDocGetRootElement(ts_document_tree(doc)), "globalVarList");
    OWN(ts_node_index_fini) struct ts_node_index index = {0};
    OWN(ts_node_index_fini) struct ts_node_index none = {0};

    assert_int_equal(ts_node_index_add_list(&index, list), 0);
    assert_int_equal(index.n, 3);
    assert_string_equal(index.entries[0].name, "a");

    OWN(freep) char *text = ts_node_text(ts_node_index_find(&index, 0, "b")->node);

    assert_string_equal(text, "1");
    assert_null(ts_node_index_find(&index, 0, "c"));
    assert_int_equal(ts_node_index_add_list(&none, NULL), 0);
    assert_null(ts_node_index_find(&none, 0, ""));
}

static void the_twin_is_the_one_of_the_same_name_and_number(void **state)
{
    (void)state;
    static const char *const names[][4] = {{"b", "a", "b", "b"}, {"a", "b", "c", "b"}};
    static const int twins[] = {1, 0, 3, -1}; /* of those of the first list, in the second */
    OWN(ts_node_index_fini) struct ts_node_index one = {0};
    OWN(ts_node_index_fini) struct ts_node_index two = {0};

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(ts_node_index_add(&one, 0, names[0][i], NULL), 0);
        assert_int_equal(ts_node_index_add(&two, 0, names[1][i], NULL), 0);
    }
    assert_int_equal(ts_node_index_sort(&one), 0);
    assert_int_equal(ts_node_index_sort(&two), 0);
    for (size_t i = 0; i < 4; i++) {
        const struct ts_node_entry *entry = &one.entries[one.order[i]];
        const struct ts_node_entry *twin = ts_node_index_twin(&one, entry, &two);

        assert_int_equal(entry->place, i);
        assert_int_equal(twin ? (int)twin->place : -1, twins[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_a_name_is_found_in_each_group),
        cmocka_unit_test(the_twin_is_the_one_of_the_same_name_and_number),
        cmocka_unit_test(a_list_has_its_variables_and_nothing_else),
    };

    return cmocka_run_group_tests_name("ts/node_index", tests, NULL, NULL);
}
