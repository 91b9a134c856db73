/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/condition.h"
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

static void parse_reads_groups_steps_and_their_settings(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(whole);
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    assert_int_equal(n, 2);
    assert_string_equal(steps[0].type, "X_Unknown");
    assert_string_equal(steps[0].action, "do it");
    assert_string_equal(steps[0].start_in, "/srv");
    assert_int_equal(steps[0].timeout_s, 900);
    assert_int_equal(steps[0].retry_count, 2);
    assert_int_equal(steps[0].run_in, TS_RUN_IN_BOOT_IMAGE);
    assert_true(steps[0].item.parent->item.continues_on_error);
    assert_non_null(steps[0].item.parent->item.condition);
    assert_true(ts_step_variable(&steps[0], "imageindex") == &steps[0].variables[0]);
    assert_true(steps[0].variables[1].is_hidden);
    assert_true(ts_step_is_success(&steps[0], 3010));
    assert_false(ts_step_is_success(&steps[0], 1));
    assert_int_equal(steps[1].run_in, TS_RUN_IN_BOTH);
    assert_false(ts_step_is_enabled(&steps[1]));
    assert_true(ts_step_is_success(&steps[1], 0));
}

static void packages_are_listed_once_from_references_and_steps(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(whole);
    size_t n;
    const char *const *packages = ts_document_packages(doc, &n);

    assert_int_equal(n, 2);
    assert_string_equal(packages[0], "SLP00002");
    assert_string_equal(packages[1], "SLP00007");
}

static void packages_of_lists_are_packages_too(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(
        "<sequence version=\"3.10\"><step type=\"x\" name=\"x\"><defaultVarList>"
        "<variable name=\"OSDDownloadDownloadPackages\" property=\"DownloadPackages\">SLP00011, SLP00012</variable>"
        "<variable name=\"OSDPackage0PackageId\" property=\"PackageInfo0PackageId\">SLP00012</variable>"
        "<variable name=\"OSDApp0Name\" property=\"AppInfo0Name\">SLP00013</variable>"
        "<variable name=\"OSDApp1Name\" property=\"AppInfo1Name\">ScopeId_1/Application_2</variable>"
        "<variable name=\"OSDApp0DisplayName\" property=\"AppInfo0DisplayName\">Thing</variable>"
        "<variable name=\"ApplicationName\" property=\"ApplicationName\">%Name%,ScopeId_1/Application_2,SLP00014</variable>"
        "</defaultVarList></step></sequence>");
    size_t n;
    const char *const *packages = ts_document_packages(doc, &n);

    assert_int_equal(n, 4);
    assert_string_equal(packages[0], "SLP00011");
    assert_string_equal(packages[1], "SLP00012");
    assert_string_equal(packages[2], "SLP00013");
    assert_string_equal(packages[3], "SLP00014");
}

static void parse_reads_a_byte_order_mark_and_utf16(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *with_bom = parse_ok("\xef\xbb\xbf" SEQUENCE(STEP("a", "")));
    static const char text[] = SEQUENCE(STEP("a", ""));
    uint8_t wide[2 * sizeof(text) + 2] = {0xff, 0xfe};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    size_t n;

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        wide[2 + 2 * i] = (uint8_t)text[i];
    assert_int_equal(ts_document_parse((struct bytes){wide, 2 * sizeof(text)}, &doc, &diags), 0);
    (void)ts_document_steps(doc, &n);
    assert_int_equal(n, 1);
    (void)ts_document_steps(with_bom, &n);
    assert_int_equal(n, 1);
}

static void parse_refuses_what_is_no_harmless_task_sequence(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "<sequence",
        "<policy/>",
        "<sequence version=\"4.00\"/>",
        "<!DOCTYPE x><sequence version=\"3.10\"/>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><sequence version=\"3.10\">&a;</sequence>",
        "<sequence version=\"3.10\">&nothing;</sequence>",
        "<sequence version=\"3.10\"><step></sequence>",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        struct ts_document *doc = NULL;

        assert_int_equal(ts_document_parse(bytes_of(cases[i]), &doc, &diags), TS_E_MALFORMED);
        assert_null(doc);
        assert_true(ts_diags_has_error(&diags));
    }
}

static void parse_refuses_nesting_beyond_the_limit(void **state)
{
    (void)state;
    for (int depth = TS_XML_MAX_DEPTH - 1; depth <= TS_XML_MAX_DEPTH; depth++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(65536);
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        OWN(ts_document_freep) struct ts_document *doc = NULL;

        buf_adds(&xml, "<sequence version=\"3.10\">");
        for (int i = 0; i < depth; i++)
            buf_adds(&xml, "<group name=\"g\">");
        for (int i = 0; i < depth; i++)
            buf_adds(&xml, "</group>");
        buf_adds(&xml, "</sequence>");
        assert_int_equal(ts_document_parse(buf_bytes(&xml), &doc, &diags),
                         depth < TS_XML_MAX_DEPTH ? 0 : TS_E_MALFORMED);
    }
}

static void diagnostics_name_the_line(void **state)
{
    (void)state;
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct ts_document *doc = NULL;

    assert_int_equal(
        ts_document_parse(bytes_of("<sequence version=\"3.10\">\n\n</wrong>"), &doc, &diags),
        TS_E_MALFORMED);
    assert_int_equal(diags.items[0].line, 3);
    assert_true(diags.items[0].column > 1);
}

static void a_declaration_of_utf16_in_text_that_is_not_is_overruled(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc =
        parse_ok("<?xml version=\"1.0\" encoding=\"utf-16\"?>" SEQUENCE(STEP("a", "")));

    assert_non_null(doc);
}

static void put_letters(struct buf *dst, int n)
{
    for (int i = 0; i < n; i++)
        buf_adds(dst, "\xc3\xa4");
}

static void a_name_over_its_limit_is_refused_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        int max;
        const char *behind;
    } cases[] = {
        {"<step type=\"X\" name=\"", TS_NAME_MAX, "\"/>"},
        {"<group name=\"", TS_NAME_MAX, "\"/>"},
        {"<group name=\"g\" description=\"", TS_DESCRIPTION_MAX, "\"/>"},
        {"<globalVarList><variable name=\"", TS_VARIABLE_NAME_MAX, "\"/></globalVarList>"},
    };

    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        OWN(ts_document_freep) struct ts_document *doc = NULL;
        OWN(buf_fini) struct buf xml = BUF_INIT(4096);
        int over = (int)(i % 2);

        buf_addf(&xml, "<sequence version=\"3.10\">\n%s", cases[i / 2].before);
        put_letters(&xml, cases[i / 2].max + over);
        buf_addf(&xml, "%s</sequence>", cases[i / 2].behind);
        assert_int_equal(ts_document_parse(buf_bytes(&xml), &doc, &diags),
                         over ? TS_E_MALFORMED : 0);
        assert_int_equal(over ? diags.items[0].line : 2, 2);
        assert_true(!over || diags.items[0].column > 100);
    }
}

static void mdt_has_no_limit_on_names(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf xml = BUF_INIT(4096);

    buf_adds(&xml, "<sequence version=\"3.00\"><group name=\"");
    put_letters(&xml, TS_NAME_MAX + 1);
    buf_adds(&xml, "\"/></sequence>");

    OWN(ts_document_freep) struct ts_document *doc = parse_ok(buf_str(&xml));

    assert_non_null(doc);
}

/* A step whose command is @n times @c, which has one byte in UTF-8. */
static int parse_command(char c, size_t n, struct ts_document **ret)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(buf_fini) struct buf xml = BUF_INIT(2 * (size_t)TS_XML_MAX_BYTES);

    buf_adds(&xml, "<sequence version=\"3.10\"><step name=\"s\"><action>");
    for (size_t i = 0; i < n; i++)
        buf_add(&xml, (struct bytes){(const uint8_t *)&c, 1});
    buf_adds(&xml, "</action></step></sequence>");
    return ts_document_parse(buf_bytes(&xml), ret, &diags);
}

static void what_is_accepted_can_be_written_and_read_again(void **state)
{
    (void)state;
    const size_t n_around =
        strlen("<sequence version=\"3.10\"><step name=\"s\"><action></action></step></sequence>");
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_document_freep) struct ts_document *copy = NULL;
    OWN(ts_document_freep) struct ts_document *refused = NULL;

    assert_int_equal(parse_command('x', TS_XML_MAX_BYTES - n_around, &doc), 0);
    assert_int_equal(ts_document_copy(doc, &copy), 0); /* with a declaration */
    assert_int_equal(parse_command('x', TS_XML_MAX_BYTES - n_around + 1, &refused), TS_E_MALFORMED);
    /* a ">" is written as "&gt;" */
    assert_int_equal(parse_command('>', TS_XML_MAX_BYTES / 2, &refused), TS_E_MALFORMED);
}

static void two_mebibytes_are_the_limit_whatever_the_encoding(void **state)
{
    (void)state;
    static const char head[] = "<sequence version=\"3.10\">\n<!--";
    static const char tail[] = "--></sequence>";

    for (size_t i = 0; i < 4; i++) {
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        OWN(ts_document_freep) struct ts_document *doc = NULL;
        const size_t width = i < 2 ? 1 : 2;
        const size_t size = TS_XML_MAX_BYTES + i % 2;
        OWN(freep) uint8_t *text = calloc(size, width);

        assert_non_null(text);
        for (size_t k = 0; k < size; k++)
            text[k * width] = 'x';
        for (size_t k = 0; k < sizeof(head) - 1; k++)
            text[k * width] = (uint8_t)head[k];
        for (size_t k = 0; k < sizeof(tail) - 1; k++)
            text[(size - sizeof(tail) + 1 + k) * width] = (uint8_t)tail[k];
        assert_int_equal(ts_document_parse((struct bytes){text, size * width}, &doc, &diags),
                         i % 2 ? TS_E_MALFORMED : 0);
        assert_true(!(i % 2) || (diags.items[0].line == 2 && diags.items[0].column > 2000000));
    }
}

static void what_is_refused_behind_the_parser_has_a_place_too(void **state)
{
    (void)state;
    static const char *const cases[] = {"<!-- x\n --><sequence version=\"4.00\"/>",
                                        "<!-- x\n --><sequences version=\"3.10\"/>"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        OWN(ts_document_freep) struct ts_document *doc = NULL;

        assert_int_equal(ts_document_parse(bytes_of(cases[i]), &doc, &diags), TS_E_MALFORMED);
        assert_int_equal(diags.items[0].line, 2);
        assert_in_range(diags.items[0].column, 5, 40);
    }
}

static void of_two_of_a_kind_the_first_counts_even_if_it_is_empty(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(SEQUENCE(
        "<globalVarList/><globalVarList><variable name=\"G\">1</variable></globalVarList>"
        "<step type=\"X\" name=\"s\"><condition/><condition><expression type=\"Y\"/></condition>"
        "<action/><action>late</action><defaultVarList/><defaultVarList>"
        "<variable name=\"A\">1</variable></defaultVarList></step>"));
    size_t n;
    const struct ts_step *step = ts_document_steps(doc, &n);

    assert_int_equal(n, 1);
    assert_string_equal(step->action, "");
    assert_int_equal(step->n_variables, 0);
    assert_int_equal(step->item.condition->n_children, 0);
    (void)ts_document_globals(doc, &n);
    assert_int_equal(n, 0);
}

static void platforms_in_numbers_count_only_where_no_expression_says_them_better(void **state)
{
    (void)state;
    static const struct {
        const char *inside;
        size_t n;
    } cases[] = {
        {"<platformKey/><platformKey/><platformKey/>", 3},
        {"<platformKey/><platformKey/><expression type=\"X\"/>", 1},
        {"<expression type=\"X\"/><platformKey/><expression type=\"Y\"/><platformKey/>", 2},
        {"<platformKey/><other><expression type=\"X\"/></other>", 2},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(4096);
        size_t n;

        buf_addf(&xml,
                 "<sequence version=\"3.10\"><step name=\"a\"><condition><osExpressionGroup>%s"
                 "</osExpressionGroup></condition></step></sequence>",
                 cases[i].inside);

        OWN(ts_document_freep) struct ts_document *doc = parse_ok(buf_str(&xml));
        const struct ts_condition *condition = ts_document_steps(doc, &n)->item.condition;

        assert_int_equal(condition->n_children, 1);
        assert_int_equal(condition->children[0]->n_children, cases[i].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_groups_steps_and_their_settings),
        cmocka_unit_test(packages_are_listed_once_from_references_and_steps),
        cmocka_unit_test(packages_of_lists_are_packages_too),
        cmocka_unit_test(parse_reads_a_byte_order_mark_and_utf16),
        cmocka_unit_test(a_declaration_of_utf16_in_text_that_is_not_is_overruled),
        cmocka_unit_test(a_name_over_its_limit_is_refused_with_line_and_column),
        cmocka_unit_test(what_is_refused_behind_the_parser_has_a_place_too),
        cmocka_unit_test(mdt_has_no_limit_on_names),
        cmocka_unit_test(what_is_accepted_can_be_written_and_read_again),
        cmocka_unit_test(two_mebibytes_are_the_limit_whatever_the_encoding),
        cmocka_unit_test(parse_refuses_what_is_no_harmless_task_sequence),
        cmocka_unit_test(parse_refuses_nesting_beyond_the_limit),
        cmocka_unit_test(diagnostics_name_the_line),
        cmocka_unit_test(platforms_in_numbers_count_only_where_no_expression_says_them_better),
        cmocka_unit_test(of_two_of_a_kind_the_first_counts_even_if_it_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
