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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_nodes_than_the_limit_are_refused),
        cmocka_unit_test(a_doctype_is_refused_wherever_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
