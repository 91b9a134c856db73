/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form.h"

#include "ts/test_ts.h"
#include "ts/validate.h"

#define VAR(attributes, text) "<variable " attributes ">" text "</variable>"

/* As YAML, which is left in @ret, and back it is equal in canonical form. */
static void goes_round(const char *xml, struct buf *ret)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_document_freep) struct ts_document *again = NULL;
    OWN(buf_fini) struct buf a = BUF_INIT(65536);
    OWN(buf_fini) struct buf b = BUF_INIT(65536);

    buf_clear(ret);
    assert_int_equal(ts_yaml_put(doc, ret), 0);
    if (strncmp(buf_str(ret), "xml:", 4) == 0) /* what the writer takes if it cannot do better */
        fail_msg("%s", buf_str(ret));
    assert_int_equal(ts_yaml_parse(buf_bytes(ret), &again, &diags), 0);
    assert_int_equal(ts_document_canonical(doc, &a), 0);
    assert_int_equal(ts_document_canonical(again, &b), 0);
    assert_string_equal(buf_str(&a), buf_str(&b));
}

static void a_sequence_reads_like_a_list_of_steps(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);

    goes_round(
        SEQUENCE(
            "<referenceList><reference package=\"SLP00001\"/></referenceList><group name=\"Install\" "
            "description=\"\"><condition>" VARIABLE_IS("_SMSTSInWinPE", "equals", "true") "<operator type=\"or\">" VARIABLE_IS(
                "A",
                "exists",
                "") "</operator></condition>"
                    "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"Run\"><action>smsswd.exe</action>"
                    "<defaultVarList>" VAR(
                        "name=\"CommandLine\" property=\"CommandLine\" hidden=\"true\"", "a &lt; b")
                        VAR("name=\"Odd\" x=\"1\"", "v") "</defaultVarList></step></group>"),
        &yaml);
    assert_string_equal(buf_str(&yaml),
                        "sequence: \"3.10\"\n"
                        "references:\n"
                        "  - package: SLP00001\n"
                        "steps:\n"
                        "  - group: Install\n"
                        "    description: \"\"\n"
                        "    condition:\n"
                        "      - variable: _SMSTSInWinPE\n"
                        "        equals: \"true\"\n"
                        "      - any:\n"
                        "          - variable: A\n"
                        "            exists: \"\"\n"
                        "    steps:\n"
                        "      - step: Run\n"
                        "        type: SMS_TaskSequence_RunCommandLineAction\n"
                        "        action: smsswd.exe\n"
                        "        variables:\n"
                        "          CommandLine: \"a < b\"\n"
                        "          Odd:\n"
                        "            x: \"1\"\n"
                        "            text: v\n");
}

static void whatever_is_unknown_is_kept(void **state)
{
    (void)state;
    static const char *const cases[] = {
        SEQUENCE(""),
        SEQUENCE("<group/>"),
        SEQUENCE("<group name=\"g\" condition=\"odd\"/>"),
        SEQUENCE("<step name=\"a\"><alien deep=\"1\"><x/></alien></step>"),
        SEQUENCE("<!-- a --><step name=\"a\"/><?b c?>"),
        SEQUENCE("<step name=\"a\"><action/><action>2</action></step>"),
        SEQUENCE("<step name=\"a\"><defaultVarList>" VAR("name=\"x\"", "1")
                     VAR("name=\"x\"", "2") "</defaultVarList></step>"),
        SEQUENCE("<step name=\"a\"><defaultVarList/><condition/></step>"),
        SEQUENCE("<group name=\"g\"><condition><operator type=\"xor\"/><expression/>" WMI
                 "</condition></group>"),
        SEQUENCE("text"),
        SEQUENCE("<x:step xmlns:x=\"urn:x\" name=\"a\"/>"),
        "<!-- before --><sequence version=\"3.10\"/>",
        "<sequence version=\"3.00\" name=\"n &amp; m\" description=\"d&#10;e\"><globalVarList>" VAR(
            "name=\"OSGUID\"", "") "</globalVarList></sequence>",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf yaml = BUF_INIT(65536);

        goes_round(cases[i], &yaml);
    }
}

static void only_what_is_unknown_stays_xml(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);

    goes_round(
        "<!-- SPDX -->\n<!--odd --><sequence xmlns:o=\"urn:odd\" version=\"3.10\" steps=\"1\">"
        "<!-- a\n  b --><referenceList><!-- c --><reference package=\"SLP00001\"/><alien/></referenceList>"
        "<group><!-- d --><condition><!-- e --><expression type=\"Odd\"><variable name=\"x\">1</variable></expression>"
        "</condition></group><!-- f --></sequence><!-- g -->",
        &yaml);
    assert_string_equal(buf_str(&yaml),
                        "before sequence:\n"
                        "  - comment: SPDX\n"
                        "  - comment text: \"odd \"\n"
                        "sequence: \"3.10\"\n"
                        "namespaces:\n"
                        "  o: \"urn:odd\"\n"
                        "other attributes:\n"
                        "  steps: \"1\"\n"
                        "before references:\n"
                        "  - comment: |-\n"
                        "      a\n"
                        "        b\n"
                        "references:\n"
                        "  - comment: c\n"
                        "  - package: SLP00001\n"
                        "  - xml: \"<alien/>\"\n"
                        "steps:\n"
                        "  - group:\n"
                        "    before condition:\n"
                        "      - comment: d\n"
                        "    condition:\n"
                        "      - comment: e\n"
                        "      - expression: Odd\n"
                        "        fields:\n"
                        "          x: \"1\"\n"
                        "  - comment: f\n"
                        "after sequence:\n"
                        "  - comment: g\n");
}

static void irregular_white_space_is_said_where_it_is(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);

    goes_round(
        "<sequence version=\"3.10\">\n  <group name=\"g\">\n    <step name=\"a\"/>\n\n    <step "
        "name=\"b\"><action/>\n    </step>\n  </group> <!-- c -->\n  <step name=\"d\"/>\n</sequence>",
        &yaml);
    assert_string_equal(buf_str(&yaml),
                        "sequence: \"3.10\"\n"
                        "indentation: \"  \"\n"
                        "steps:\n"
                        "  - group: g\n"
                        "    steps:\n"
                        "      - step: a\n"
                        "      - white space: \"\\n\\n    \"\n"
                        "      - step: b\n"
                        "        before action:\n"
                        "          - white space: \"\"\n"
                        "        action: \"\"\n"
                        "        steps:\n"
                        "          - white space: \"\\n    \"\n"
                        "  - white space: \" \"\n"
                        "  - comment: c\n"
                        "  - step: d\n");
}

static void a_type_may_be_named_as_in_the_editor(void **state)
{
    (void)state;
    static const char yaml[] = "sequence: '3.10'\nsteps:\n  - step: a\n    type: run command line\n"
                               "    variables:\n      CommandLine: x\n  - step: b\n    type: Odd\n";
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(4096);

    assert_int_equal(ts_yaml_parse(bytes_of(yaml), &doc, &diags), 0);
    assert_int_equal(ts_document_put(doc, &text), 0);
    assert_non_null(strstr(
        buf_str(&text),
        "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"a\"><defaultVarList><variable "
        "name=\"CommandLine\" property=\"CommandLine\" hidden=\"true\">x<"));
    assert_non_null(strstr(buf_str(&text), "<step type=\"Odd\" name=\"b\"/>"));
    /* one that really is called so comes back */
    ts_document_free(TAKE(doc));
    doc = parse_ok(SEQUENCE("<step type=\"Run Command Line\" name=\"a\"/>"));
    buf_clear(&text);
    assert_int_equal(ts_yaml_put(doc, &text), 0);
    assert_string_equal(
        buf_str(&text),
        "xml: |\n  <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n  <sequence version=\"3.10\"><step "
        "type=\"Run Command Line\" name=\"a\"/></sequence>\n");
}

static void a_script_reads_like_one(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);

    goes_round(
        SEQUENCE(
            "<step type=\"SMS_TaskSequence_RunPowerShellScriptAction\" name=\"a\"><defaultVarList>" VAR(
                "name=\"OSDRunPowerShellScriptSourceScript\" property=\"SourceScript\"",
                "//5hAA0ACgDpAAoA") "</defaultVarList></step>"),
        &yaml);
    assert_non_null(strstr(buf_str(&yaml),
                           "      OSDRunPowerShellScriptSourceScript:\n"
                           "        script: \"a\\r\\n\\\n"
                           "          \xc3\xa9\\n\"\n"));
}

static void every_text_survives(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        " ",
                                        "true",
                                        "1",
                                        "~",
                                        "- a",
                                        "a: b",
                                        "# c",
                                        "a\nb",
                                        "a\n",
                                        "a\n\n",
                                        "\na",
                                        " a\nb",
                                        "a\n\nb \n",
                                        "a&#13;\nb",
                                        "\t",
                                        "a\tb",
                                        "'",
                                        "\"\\",
                                        "&#x85;",
                                        "&#x2028;",
                                        "\xef\xbb\xbf",
                                        "\xf0\x9f\x98\x80\nx",
                                        "&amp;lt;",
                                        "a \n b",
                                        " a\n",
                                        "\n\n a\n\n",
                                        "a &quot;b&quot; 'c' \\d",
                                        "a&#13;\n  b&#13;\n\tc&#13;\n",
                                        "|",
                                        "%TAG",
                                        "@x",
                                        "{}",
                                        "*a",
                                        "!b"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OWN(buf_fini) struct buf yaml = BUF_INIT(65536);
        OWN(buf_fini) struct buf xml = BUF_INIT(65536);

        buf_addf(&xml,
                 SEQUENCE("<step name=\"a\"><action>%s</action><defaultVarList>" VAR(
                     "name=\"x\"", "%s") "</defaultVarList></step>"),
                 texts[i],
                 texts[i]);
        goes_round(buf_str(&xml), &yaml);
        assert_non_null(strstr(buf_str(&yaml), "variables:"));
    }
}

static void lines_and_indentation_come_back(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);

    goes_round(
        "<sequence version=\"3.10\">\n  <group name=\"g\">\n    <step name=\"a\">\n      <action />\n      "
        "<defaultVarList>\n        <variable name=\"x\">1</variable>\n      </defaultVarList>\n    </step>\n  </group>\n"
        "</sequence>",
        &yaml);
    assert_non_null(strstr(buf_str(&yaml), "indentation: \"  \""));
    assert_non_null(strstr(buf_str(&yaml), "      - step: a"));
}

static void what_is_no_such_yaml_is_refused_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        unsigned line;
        unsigned column;
    } cases[] = {
        {"", 1, 1},
        {"- a", 1, 1},
        {"a: b", 1, 1},
        {"sequence: [", 2, 1},
        {"sequence: {}", 1, 11},
        {"sequence: '9.99'", 1, 1},
        {"sequence: '3.10'\nsteps: x", 2, 8},
        {"sequence: '3.10'\nsteps:\n  - x: y", 3, 5},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    condition:\n      - moon: x", 5, 9},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    condition:\n      - variable: x\n        resembles: y",
         5,
         9},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    'a b': x", 4, 5},
        {"sequence: '3.10'\nsteps:\n  - xml: <a", 3, 10},
        {"sequence: '3.10'\nsteps:\n  - comment: a -- b", 3, 14},
        {"sequence: '3.10'\nsteps:\n  - white space: x", 3, 18},
        {"sequence: '3.10'\nsteps:\n  - step: \"a\\x01\"", 3, 11},
        {"sequence: '3.10'\nnamespaces:\n  a b: x", 3, 3},
        {"sequence: '3.10'\norder of fields:\n  variable: Value Variable", 3, 3},
        {"sequence: '3.10'\norder of fields:\n  moon: Value", 3, 3},
        {"sequence: '3.10'\nindentation: x", 1, 1},
        {"sequence: '3.10'\nbefore sequence: x", 2, 18},
        {"sequence: '3.10'\nbefore sequence:\n  - step: x", 3, 5},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    variables:\n      - a: b\n        c: d", 5, 9},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    condition:\n      - variable: x\n        equals: y\n        value: z",
         5,
         9},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    condition:\n      - expression: x", 5, 9},
        {"sequence: '3.10'\nsteps: &a\n  - group: g\n    steps: *a", 2, 8},
        {"xml: |\n  <sequence version='3.10'>\n   <a x=y/>\n", 3, 9},
        {"xml: |\r  <sequence version='3.10'>\r   <a x=y/>\r", 3, 9},
        {"# \xe2\x80\xa8\xc2\x85xml: |\r\n  <sequence version='3.10'>\r\n   <a x=y/>\r\n", 5, 9},
        {"xml: !!str # a | b\n  # c\n  |\n   <sequence version='3.10'>\n    <a x=y/>\n", 5, 10},
        {"xml: !!str |\n   <sequence version='3.10'>\n    <a x=y/>\n", 3, 10},
        {"xml: '<a'", 1, 6},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        OWN(ts_document_freep) struct ts_document *doc = NULL;

        if (ts_yaml_parse(bytes_of(cases[i].yaml), &doc, &diags) != TS_E_MALFORMED)
            fail_msg("%s", cases[i].yaml);
        assert_true(ts_diags_has_error(&diags));
        if (diags.items[0].line != cases[i].line || diags.items[0].column != cases[i].column)
            fail_msg("%s\n%u:%u %s",
                     cases[i].yaml,
                     diags.items[0].line,
                     diags.items[0].column,
                     diags.items[0].message);
    }
}

/* As validate and the limits of names tell them. */
static void what_is_found_in_the_document_is_where_it_stands_in_the_yaml(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        unsigned line;
        unsigned column;
    } cases[] = {
        {"# Lab\nsequence: '3.10'\nsteps:\n  - group: g\n    steps:\n      - step: a\n        type: Odd\n",
         6,
         9},
        {"sequence: '3.10'\nindentation: '  '\nsteps:\n  - step: b\n    type: "
         "SMS_TaskSequence_RunCommandLineAction\n    action: true\n    variables:\n      CommandLine: true\n\n"
         "  - step: a\n    type: Odd\n",
         10,
         5},
        {"sequence: '3.10'\nglobals:\n  a: b\n  _x: y\nsteps:\n  - step: b\n    type: "
         "SMS_TaskSequence_RunCommandLineAction\n    action: true\n    variables:\n      CommandLine: true\n",
         4,
         3},
        {"sequence: '3.10'\nsteps:\n  - xml: |\n      <x:a xmlns:x='urn:x'/>\n  - step: a\n    type: Odd\n",
         5,
         5},
        {"xml: |\n\n    <sequence version='3.10'>\n     <step name='a' type='Odd'/>\n    </sequence>\n",
         4,
         31},
        {"xml: \"<sequence version='3.10'><step name='a' type='Odd'/></sequence>\"\n", 1, 6},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        OWN(ts_document_freep) struct ts_document *doc = NULL;

        assert_int_equal(ts_yaml_parse(bytes_of(cases[i].yaml), &doc, &diags), 0);
        assert_int_equal(ts_validate(doc, &diags), 0);
        assert_int_equal(diags.n, 1);
        if (diags.items[0].line != cases[i].line || diags.items[0].column != cases[i].column)
            fail_msg("%s\n%u:%u %s",
                     cases[i].yaml,
                     diags.items[0].line,
                     diags.items[0].column,
                     diags.items[0].message);
    }
}

static void a_name_that_is_too_long_is_where_it_stands_in_the_yaml(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf yaml = BUF_INIT(4096);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;

    buf_adds(&yaml, "sequence: '3.10'\nsteps:\n  - group: g\n    steps:\n      - step: ");
    for (int i = 0; i < 101; i++)
        buf_adds(&yaml, "n");
    assert_int_equal(ts_yaml_parse(buf_bytes(&yaml), &doc, &diags), TS_E_MALFORMED);
    assert_int_equal(diags.items[0].line, 5);
    assert_int_equal(diags.items[0].column, 9);
}

/* What a merge leaves behind, or a slip of the hand: nothing of it is dropped in silence. */
static void what_would_be_lost_is_refused_where_it_stands(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        unsigned line;
    } cases[] = {
        {"sequence: '3.10'\nsteps:\n  - comment: x\n    step: Install\n", 3},
        {"sequence: '3.10'\nsteps:\n  - xml: <a/>\n    step: Install\n", 3},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    condition:\n      - any: []\n        all: []\n",
         5},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    condition:\n      - comment: x\n        all: []\n",
         5},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    condition: []\n    condition: []\n", 5},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    disable: x\n    disable: y\n", 5},
        {"sequence: '3.10'\nsteps: []\nsteps: []\n", 3},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    variables:\n      a: b\n      a: c\n", 6},
        {"sequence: '3.10'\nsteps:\n  - step: a\n    comment: x\n", 4},
        {"sequence: '3.10'\nsteps:\n  - group: a\n    step: b\n", 4},
        {"sequence: '3.10'\nreferences:\n  - comment: x\n    package: b\n", 3},
        {"before sequence:\n  - xml: <a/>\nsequence: '3.10'\n", 1},
        {"sequence: '3.10'\nbefore sequence:\n  - comment: x\n    'comment text': b\n", 3},
        {"sequence: '3.10'\nsteps: []\n---\nsequence: '3.10'\nsteps: []\n", 3},
        {"---\nsequence: '3.10'\nsteps: []\n...\n# more\n---\nx: y\n", 6},
        {"sequence: '3.10'\nsteps: []\n---\n---\nx: y\n", 4},
        {"sequence: '3.10'\nsteps: []\n---\n- [\n", 5},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        OWN(ts_document_freep) struct ts_document *doc = NULL;

        if (ts_yaml_parse(bytes_of(cases[i].yaml), &doc, &diags) != TS_E_MALFORMED)
            fail_msg("%s", cases[i].yaml);
        assert_int_equal(diags.n, 1);
        assert_int_equal(diags.items[0].line, cases[i].line);
    }
}

static void an_alias_counts_as_often_as_it_is_met(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf yaml = BUF_INIT(TS_YAML_MAX_BYTES);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;

    buf_adds(&yaml, "sequence: '3.10'\na: &x '");
    for (unsigned i = 0; i < 1024 * 1024; i++)
        buf_adds(&yaml, "x");
    buf_adds(&yaml, "'\n");
    for (unsigned i = 0; i < 10; i++)
        buf_addf(&yaml, "b%u: *x\n", i);
    assert_int_equal(ts_yaml_parse(buf_bytes(&yaml), &doc, &diags), TS_E_MALFORMED);
    assert_non_null(strstr(diags.items[0].message, "too much"));
}

static void what_ends_with_three_dashes_is_one_document(void **state)
{
    (void)state;
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;

    assert_int_equal(ts_yaml_parse(bytes_of("---\nsequence: '3.10'\nsteps: []\n...\n---\n# end\n"),
                                   &doc,
                                   &diags),
                     0);
    assert_int_equal(diags.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sequence_reads_like_a_list_of_steps),
        cmocka_unit_test(whatever_is_unknown_is_kept),
        cmocka_unit_test(only_what_is_unknown_stays_xml),
        cmocka_unit_test(irregular_white_space_is_said_where_it_is),
        cmocka_unit_test(a_type_may_be_named_as_in_the_editor),
        cmocka_unit_test(a_script_reads_like_one),
        cmocka_unit_test(every_text_survives),
        cmocka_unit_test(lines_and_indentation_come_back),
        cmocka_unit_test(what_is_no_such_yaml_is_refused_with_line_and_column),
        cmocka_unit_test(what_is_found_in_the_document_is_where_it_stands_in_the_yaml),
        cmocka_unit_test(a_name_that_is_too_long_is_where_it_stands_in_the_yaml),
        cmocka_unit_test(what_would_be_lost_is_refused_where_it_stands),
        cmocka_unit_test(what_ends_with_three_dashes_is_one_document),
        cmocka_unit_test(an_alias_counts_as_often_as_it_is_met),
    };

    return cmocka_run_group_tests_name("ts/yaml_form", tests, NULL, NULL);
}
