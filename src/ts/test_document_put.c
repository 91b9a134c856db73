/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/document.h"

#include "ts/test_ts.h"

static const char whole[] =
    "<sequence version=\"3.10\"><referenceList><reference package=\"SLP00002\"/></referenceList>"
    "<globalVarList><variable name=\"G\">1</variable></globalVarList>"
    "<group name=\"Install\" description=\"d\" continueOnError=\"true\">"
    "<condition>" VARIABLE_IS(
        "A",
        "equals",
        "1") "</condition>"
             "<step type=\"X_Unknown\" name=\"one\" future=\"kept\" timeout=\"900\" runIn=\"WinPE\" "
             "successCodeList=\"0 3010\" retryCount=\"2\" startIn=\"/srv\"><action>do it</action>"
             "<defaultVarList><variable name=\"OSDImageIndex\" property=\"ImageIndex\">1</variable>"
             "<variable name=\"ImagePackageID\" property=\"ImagePackageID\" hidden=\"true\">SLP00007</variable>"
             "</defaultVarList><alien deep=\"1\"><x/></alien></step></group>"
             "<step name=\"two\" type=\"\" disable=\"true\"><action/></step></sequence>";

static void put_gives_back_what_was_read_unknown_things_included(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(whole);
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    assert_int_equal(ts_document_put(doc, &text), 0);
    assert_non_null(strstr(buf_str(&text), "future=\"kept\""));

    const char *behind = strstr(buf_str(&text), "<sequence");

    assert_int_equal(strlen(behind), sizeof(whole)); /* a line end follows */
    assert_memory_equal(behind, whole, sizeof(whole) - 1);

    OWN(ts_document_freep) struct ts_document *again = parse_ok(buf_str(&text));
    OWN(buf_fini) struct buf second = BUF_INIT(65536);

    assert_int_equal(ts_document_put(again, &second), 0);
    assert_string_equal(buf_str(&second), buf_str(&text));
}

static void canonical(const char *xml, struct buf *ret)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);

    assert_int_equal(ts_document_canonical(doc, ret), 0);
}

static void the_canonical_form_knows_no_order_of_attributes_nor_spelling_of_text(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf a = BUF_INIT(4096);
    OWN(buf_fini) struct buf b = BUF_INIT(4096);

    canonical(
        "<sequence version='3.10'><step type='X' name='a'><action/><x>&#x41;<![CDATA[<]]></x></step>"
        "</sequence>",
        &a);
    canonical(
        "<?xml version=\"1.0\"?>\n<sequence  version=\"3.10\" ><step name=\"a\" type=\"X\"><action>"
        "</action><x>A&lt;</x></step></sequence>",
        &b);
    assert_string_equal(
        buf_str(&a),
        "<sequence version=\"3.10\"><step name=\"a\" type=\"X\"><action></action><x>A&lt;"
        "</x></step></sequence>");
    assert_string_equal(buf_str(&a), buf_str(&b));
}

static void a_copy_has_nothing_of_what_others_noted(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(SEQUENCE(STEP("a", "")));
    OWN(ts_document_freep) struct ts_document *copy = NULL;
    size_t n = 0;

    assert_int_equal(ts_document_note_secret(doc, "Entrance"), 0);
    assert_int_equal(ts_document_note_secret(doc, "Door"), 0);
    assert_string_equal(ts_document_noted_secrets(doc, &n)[1], "Door");
    assert_int_equal(n, 2);
    assert_int_equal(ts_document_copy(doc, &copy), 0);
    (void)ts_document_noted_secrets(copy, &n);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_gives_back_what_was_read_unknown_things_included),
        cmocka_unit_test(the_canonical_form_knows_no_order_of_attributes_nor_spelling_of_text),
        cmocka_unit_test(a_copy_has_nothing_of_what_others_noted),
    };

    return cmocka_run_group_tests_name("ts/document_put", tests, NULL, NULL);
}
