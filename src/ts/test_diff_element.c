/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diff_parts.h"

#include "ts/test_ts.h"

#define IN_STEP(inside) SEQUENCE("<step name=\"a\">" inside "</step>")

/* The sentences, one per line; from and to, in which no secret is either, behind them. */
static void tell(const char *before, const char *after, struct buf *ret, struct buf *values)
{
    OWN(ts_document_freep) struct ts_document *a = parse_ok(before);
    OWN(ts_document_freep) struct ts_document *b = parse_ok(after);
    OWN(ts_changes_fini) struct ts_changes changes = {0};

    assert_int_equal(ts_diff(a, b, &changes), 0);
    for (size_t i = 0; i < changes.n; i++) {
        ts_change_put(&changes.items[i], ret);
        buf_adds(ret, "\n");
        buf_addf(values, "%s %s\n", changes.items[i].from, changes.items[i].to);
    }
}

static void check(const char *before, const char *after, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    OWN(buf_fini) struct buf values = BUF_INIT(65536);

    tell(before, after, &text, &values);
    assert_string_equal(buf_str(&text), wanted);
}

static void an_element_that_came_or_went_is_told_with_what_is_in_it(void **state)
{
    (void)state;
    check(
        IN_STEP(""),
        IN_STEP("<alien x=\"1\">two<inner y=\"3\"/><odd/></alien>"),
        "Changed step \"a\": added element alien (x \"1\", \"two\", inner (y \"3\"), odd (empty))\n");
    check(IN_STEP("<alien/>"), IN_STEP(""), "Changed step \"a\": removed element alien (empty)\n");
    check(SEQUENCE("<odd:x xmlns:odd=\"urn:odd\" odd:a=\"1\"/>"),
          SEQUENCE(""),
          "Changed the task sequence: removed element odd:x (odd:a \"1\")\n");
    check(SEQUENCE("<group name=\"g\"><alien/></group>"),
          SEQUENCE("<group name=\"g\"><alien/><other>x</other></group>"),
          "Changed group \"g\": added element other (\"x\")\n");
}

static void an_attribute_or_a_text_of_an_element_is_told_by_its_name(void **state)
{
    (void)state;
    check(IN_STEP("<alien x=\"1\" y=\"2\">t</alien>"),
          IN_STEP("<alien x=\"1\" z=\"3\">u</alien>"),
          "Changed step \"a\": y of element alien from \"2\" to nothing\n"
          "Changed step \"a\": z of element alien from nothing to \"3\"\n"
          "Changed step \"a\": Text of element alien from \"t\" to \"u\"\n");
    check(IN_STEP("<alien><b><c d=\"1\"/></b></alien>"),
          IN_STEP("<alien><b><c d=\"2\"/><!--new--></b></alien>"),
          "Changed step \"a\": d of element alien/b/c from \"1\" to \"2\"\n"
          "Changed step \"a\": Comments in element alien/b from nothing to \"new\"\n");
    check(IN_STEP("<x:a xmlns:x=\"urn:x\" k=\"1\" x:k=\"2\"/>"),
          IN_STEP("<x:a xmlns:x=\"urn:x\" k=\"1\" x:k=\"3\"/>"),
          "Changed step \"a\": x:k of element x:a from \"2\" to \"3\"\n");
}

static void attributes_of_a_namespace_are_told_of_a_step_too(void **state)
{
    (void)state;
    check("<sequence version=\"3.10\" xmlns:x=\"urn:x\"><step name=\"a\" x:k=\"1\"/></sequence>",
          "<sequence version=\"3.10\" xmlns:x=\"urn:x\"><step name=\"a\" x:k=\"2\"/></sequence>",
          "Changed step \"a\": x:k from \"1\" to \"2\"\n");
}

static void of_several_of_a_name_only_the_one_that_changed_is_told(void **state)
{
    (void)state;
    check(IN_STEP("<i>1</i><i>2</i><i>3</i>"),
          IN_STEP("<i>1</i><i>two</i><i>3</i>"),
          "Changed step \"a\": Text of element i[2] from \"2\" to \"two\"\n");
    check(IN_STEP("<i>1</i><i>2</i><i>3</i>"),
          IN_STEP("<i>0</i><i>1</i><i>2</i><i>3</i>"),
          "Changed step \"a\": added element i (\"0\")\n");
    check(IN_STEP("<i>1</i><i>2</i><i>3</i>"),
          IN_STEP("<i>1</i><i>2</i>"),
          "Changed step \"a\": removed element i[3] (\"3\")\n");
}

static void another_order_is_told_and_white_space_is_not(void **state)
{
    (void)state;
    check(IN_STEP("<x/><y/><z/>"),
          IN_STEP("<z/><x/><y/>"),
          "Changed step \"a\": Order of other elements from \"x, y, z\" to \"z, x, y\"\n");
    check(IN_STEP("<alien><x/><y/></alien>"),
          IN_STEP("<alien><y/><x/></alien>"),
          "Changed step \"a\": Order in element alien from \"x, y\" to \"y, x\"\n");
    check(IN_STEP("<alien><x/><y/></alien>"), IN_STEP("<alien> <x/>\n<y> </y></alien>"), "");
}

static void no_secret_is_told_of_an_element(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"<Password>hunter1</Password>", "<Password>hunter2</Password>"},
        {"", "<Password>hunter2</Password>"},
        {"<x adminPassword=\"hunter1\"/>", "<x adminPassword=\"hunter2\"/>"},
        {"", "<x adminPassword=\"hunter2\"/>"},
        {"<x><property name=\"UserPwd\" value=\"hunter1\"/></x>",
         "<x><property name=\"UserPwd\" value=\"hunter2\"/></x>"},
        {"", "<x><property name=\"UserPwd\"><value>hunter2</value></property></x>"},
        {"<x><variable name=\"OSDJoinPassword\">hunter1</variable></x>",
         "<x><variable name=\"OSDJoinPassword\">hunter2</variable></x>"},
        {"", "<x><variable name=\"OSDJoinPassword\"><y>hunter2</y></variable></x>"},
        {"<x><action>net use /p:hunter1</action></x>",
         "<x><action>net use /p:hunter2</action></x>"},
        {"<x IsSecret=\"true\">hunter1</x>", "<x IsSecret=\"true\">hunter2</x>"},
        {"<x><Password><!--hunter1--></Password></x>",
         "<x><Password><!--hunter2--></Password></x>"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        OWN(buf_fini) struct buf before = BUF_INIT(4096);
        OWN(buf_fini) struct buf after = BUF_INIT(4096);
        OWN(buf_fini) struct buf text = BUF_INIT(65536);
        OWN(buf_fini) struct buf back = BUF_INIT(65536);

        buf_addf(&before,
                 "<sequence version=\"3.10\"><step name=\"a\">%s</step></sequence>",
                 pairs[i][0]);
        buf_addf(&after,
                 "<sequence version=\"3.10\"><step name=\"a\">%s</step></sequence>",
                 pairs[i][1]);
        tell(buf_str(&before), buf_str(&after), &text, &text);
        tell(buf_str(&after), buf_str(&before), &back, &back);
        assert_non_null(strstr(buf_str(&text), "***"));
        assert_null(strstr(buf_str(&text), "hunter"));
        assert_non_null(strstr(buf_str(&back), "***"));
        assert_null(strstr(buf_str(&back), "hunter"));
    }
}

static void namesakes_by_the_thousand_are_compared(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf before = BUF_INIT(TS_XML_MAX_BYTES);
    OWN(buf_fini) struct buf after = BUF_INIT(TS_XML_MAX_BYTES);
    enum {
        N = 20000,
        GONE = 7000,
    };

    buf_adds(&before, "<sequence version=\"3.10\"><step name=\"a\">");
    buf_adds(&after, "<sequence version=\"3.10\"><step name=\"a\">");
    for (int i = 0; i < N; i++) {
        buf_addf(&before, "<i>%d</i>", i);
        if (i != GONE)
            buf_addf(&after, "<i>%d</i>", i);
    }
    buf_adds(&before, "</step></sequence>");
    buf_adds(&after, "</step></sequence>");
    check(buf_str(&before),
          buf_str(&after),
          "Changed step \"a\": removed element i[7001] (\"7000\")\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_element_that_came_or_went_is_told_with_what_is_in_it),
        cmocka_unit_test(an_attribute_or_a_text_of_an_element_is_told_by_its_name),
        cmocka_unit_test(attributes_of_a_namespace_are_told_of_a_step_too),
        cmocka_unit_test(of_several_of_a_name_only_the_one_that_changed_is_told),
        cmocka_unit_test(another_order_is_told_and_white_space_is_not),
        cmocka_unit_test(no_secret_is_told_of_an_element),
        cmocka_unit_test(namesakes_by_the_thousand_are_compared),
    };

    return cmocka_run_group_tests_name("ts/diff_element", tests, NULL, NULL);
}
