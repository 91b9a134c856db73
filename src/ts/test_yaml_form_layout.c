/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form_parts.h"

#include <libxml/parser.h>

#include "ts/test_ts.h"
#include "ts/tree.h"

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);

static xmlDoc *read_xml(const char *text)
{
    xmlDoc *xml = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);

    assert_non_null(xml);
    return xml;
}

static void indentation_is(const char *text, const char *wanted)
{
    OWN(xmlFreeDocp) xmlDoc *xml = read_xml(text);
    OWN(freep) char *indent = NULL;

    assert_int_equal(ts_yaml_find_indentation(xmlDocGetRootElement(xml), &indent), 0);
    if (wanted)
        assert_string_equal(indent, wanted);
    else
        assert_null(indent);
}

static void the_indentation_of_most_levels_counts(void **state)
{
    (void)state;
    indentation_is("<a><b/></a>", NULL);
    indentation_is("<a>\n<b>\n\t<c/>\n</b>\n<b>\n\t<c/>\n</b>\n</a>", "\t");
    indentation_is("<a>\n  <b/>\n</a>", "  ");
    indentation_is("<a>\n<b/>\n</a>", "");
}

static void is_laid_out(const char *text, const char *indent, const char *wanted)
{
    OWN(xmlFreeDocp) xmlDoc *xml = read_xml(text);
    OWN(buf_fini) struct buf out = BUF_INIT(4096);
    xmlBuffer *dump = xmlBufferCreate();
    size_t room = 4096;

    assert_int_equal(ts_yaml_lay_out(xmlDocGetRootElement(xml), indent, &room), 0);
    assert_true(xmlNodeDump(dump, xml, xmlDocGetRootElement(xml), 0, 0) > 0);
    buf_adds(&out, (const char *)xmlBufferContent(dump));
    xmlBufferFree(dump);
    assert_string_equal(buf_str(&out), wanted);
}

static void what_is_not_said_follows_from_what_stands_before(void **state)
{
    (void)state;
    is_laid_out(
        "<a><b><c/></b><d>text</d></a>", "  ", "<a>\n  <b>\n    <c/>\n  </b>\n  <d>text</d>\n</a>");
    is_laid_out(
        "<a>\n    <b><c/></b><d/></a>", "  ", "<a>\n    <b>\n      <c/>\n    </b>\n    <d/>\n</a>");
    is_laid_out("<a><b/> <!--c--><d/></a>", "\t", "<a>\n\t<b/> <!--c-->\n\t<d/>\n</a>");
}

static void there_is_no_more_white_space_than_room(void **state)
{
    (void)state;
    OWN(xmlFreeDocp) xmlDoc *xml = read_xml("<a><b/><b/></a>");
    size_t room = 5;

    assert_int_equal(ts_yaml_lay_out(xmlDocGetRootElement(xml), "  ", &room), TS_E_MALFORMED);
}

/* What follows them goes by the element that they are said of, however many they are and whatever lies between. */
static void comments_behind_one_another_in_a_line_are_left_out_of_account(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(
        "<sequence version=\"3.10\">\n <group name=\"g\"/><!--a--><!--b--><group name=\"h\">\n  <!--c-->"
        "<step name=\"s\"/></group><!--d--><!--e-->\n <group/></sequence>");
    const xmlNode *root = xmlDocGetRootElement(ts_document_tree(doc));
    /* of g, a, b and h as g, which has a line of its own; of what follows as h, which has none */
    static const char *const wanted[] = {"\n ", "\n ", "\n ", "\n ", "", "", ""};
    struct ts_yaml_trail trail = {0};
    size_t n = 0;

    for (const xmlNode *node = root->children; node; node = node->next) {
        OWN(buf_fini) struct buf with = BUF_INIT(64);
        OWN(buf_fini) struct buf without = BUF_INIT(64);
        struct ts_yaml_trail none = {0};

        if (ts_yaml_is_blank(node))
            continue;
        ts_yaml_usual_space(root, node, " ", &trail, &with);
        ts_yaml_usual_space(root, node, " ", &none, &without);
        assert_string_equal(buf_str(&with), buf_str(&without));
        assert_true(n < sizeof(wanted) / sizeof(wanted[0]));
        assert_string_equal(buf_str(&with), wanted[n]);
        n++;
    }
    assert_int_equal(n, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_behind_one_another_in_a_line_are_left_out_of_account),
        cmocka_unit_test(the_indentation_of_most_levels_counts),
        cmocka_unit_test(what_is_not_said_follows_from_what_stands_before),
        cmocka_unit_test(there_is_no_more_white_space_than_room),
    };

    return cmocka_run_group_tests_name("ts/yaml_form_layout", tests, NULL, NULL);
}
