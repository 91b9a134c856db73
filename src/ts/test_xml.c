/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/xml.h"

#include "ts/test_ts.h"

static int parse(const struct buf *xml)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    xmlDoc *doc = NULL;
    int r = ts_xml_parse(buf_bytes(xml), &doc, &diags);

    assert_int_equal(r != 0, ts_diags_has_error(&diags));
    xmlFreeDoc(doc);
    return r;
}

static void more_nodes_than_the_limit_are_refused(void **state)
{
    (void)state;
    for (int n = TS_XML_MAX_NODES - 1; n <= TS_XML_MAX_NODES; n++) { /* and the root */
        OWN(buf_fini) struct buf xml = BUF_INIT(TS_XML_MAX_BYTES);

        buf_adds(&xml, "<r>");
        for (int i = 0; i < n; i++)
            buf_adds(&xml, "<a/>");
        buf_adds(&xml, "</r>");
        assert_int_equal(parse(&xml), n < TS_XML_MAX_NODES ? 0 : TS_E_MALFORMED);
    }
}

static void a_doctype_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "<!DOCTYPE r><r/>",
        "<?xml version=\"1.0\"?><!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>",
        "<!-- x --><!DOCTYPE r [<!ENTITY % p SYSTEM \"http://x/\"> %p;]><r/>",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(1024);

        buf_adds(&xml, cases[i]);
        assert_int_equal(parse(&xml), TS_E_MALFORMED);
    }
}

static void more_attributes_of_one_element_than_the_limit_are_refused_where_it_is(void **state)
{
    (void)state;
    static const int numbers[] = {TS_XML_MAX_ATTRIBUTES, TS_XML_MAX_ATTRIBUTES + 1, 100000};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(TS_XML_MAX_BYTES);
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        xmlDoc *doc = NULL;
        int wanted = numbers[i] > TS_XML_MAX_ATTRIBUTES ? TS_E_MALFORMED : 0;

        buf_adds(&xml, "<r>\n <s");
        for (int k = 0; k < numbers[i]; k++)
            buf_addf(&xml, " a%d='%s'", k, k % 2 ? "" : ">==");
        buf_adds(&xml, "/>\n</r>");
        assert_int_equal(ts_xml_parse(buf_bytes(&xml), &doc, &diags), wanted);
        assert_int_equal(diags.n, wanted ? 1 : 0);
        if (wanted) {
            assert_string_equal(diags.items[0].id, "SLW-0171");
            assert_int_equal(diags.items[0].line, 2);
            assert_int_equal(diags.items[0].column, 2);
        }
        xmlFreeDoc(doc);
    }
}

static void what_is_no_attribute_is_not_counted_as_one(void **state)
{
    (void)state;
    static const char *const frames[][2] = {
        {"<r>", "</r>"},
        {"<r><!-- <a ", " --></r>"},
        {"<r><?x <a ", " ?></r>"},
        {"<r><![CDATA[ <a ", " ]]></r>"},
        {"<r a=\"", "\"/>"},
        {"<r a='\"' b=\"'", "\"/>"},
    };

    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(65536);

        buf_adds(&xml, frames[i][0]);
        for (int k = 0; k < 2 * TS_XML_MAX_ATTRIBUTES; k++)
            buf_adds(&xml, " a= ");
        buf_adds(&xml, frames[i][1]);
        assert_int_equal(parse(&xml), 0);
    }
}

static void namespaces_that_hold_for_an_element_count_as_its_attributes(void **state)
{
    (void)state;
    for (int n = TS_XML_MAX_ATTRIBUTES - 2; n <= TS_XML_MAX_ATTRIBUTES; n++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(65536);

        buf_adds(&xml, "<r><s");
        for (int i = 0; i < n / 2; i++)
            buf_addf(&xml, " xmlns:a%d='urn:%d'", i, i);
        buf_adds(&xml, "><t");
        for (int i = n / 2; i < n; i++)
            buf_addf(&xml, " xmlns:a%d='urn:%d'", i, i);
        buf_adds(&xml, "><u x='' a0:y=''/></t></s></r>");
        assert_int_equal(parse(&xml), n + 2 > TS_XML_MAX_ATTRIBUTES ? TS_E_MALFORMED : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_nodes_than_the_limit_are_refused),
        cmocka_unit_test(more_attributes_of_one_element_than_the_limit_are_refused_where_it_is),
        cmocka_unit_test(what_is_no_attribute_is_not_counted_as_one),
        cmocka_unit_test(namespaces_that_hold_for_an_element_count_as_its_attributes),
        cmocka_unit_test(a_doctype_is_refused_wherever_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
