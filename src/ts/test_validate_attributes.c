/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/test_validate.h"

static void attributes_are_what_the_format_says(void **state)
{
    (void)state;
    static const struct {
        const char *attribute;
        const char *wanted;
    } cases[] = {
        {"continueOnError=\"true\" disable=\"FALSE\" runFromNet=\"\"", ""},
        {"continueOnError=\"1\"", ""},
        {"continueOnError=\"yes\"", "SLW-0181"},
        {"disable=\"no\"", "SLW-0181"},
        {"runFromNet=\"maybe\"", "SLW-0181"},
        {"runIn=\"FullOS\"", ""},
        {"runIn=\"winpeandfullos\"", ""},
        {"runIn=\"Windows\"", "SLW-0181"},
        {"timeout=\"59940\" retryCount=\"5\"", ""},
        {"timeout=\"59941\"", "SLW-0181"},
        {"timeout=\"soon\"", "SLW-0181"},
        {"timeout=\"4294967296\"", "SLW-0181"},
        {"timeout=\"1.5\"", "SLW-0181"},
        {"retryCount=\"6\"", "SLW-0181"},
        {"retryCount=\"-1\"", "SLW-0181"},
        {"successCodeList=\"0 3010 -2147483648 4294967295\"", ""},
        {"successCodeList=\"0,1;2\"", ""},
        {"successCodeList=\"0 x\"", "SLW-0181!"},
        {"successCodeList=\"0 3010-5\"", "SLW-0181!"},
        {"successCodeList=\"4294967296\"", "SLW-0181!"},
        {"successCodeList=\"-\"", "SLW-0181!"},
        {"timeout=\"soon\" retryCount=\"often\" runIn=\"here\"", "SLW-0181 SLW-0181 SLW-0181"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(4096);

        buf_addf(&xml, SEQUENCE(STEP("a", "%s")), cases[i].attribute);
        finds(buf_str(&xml), cases[i].wanted);
    }
}

static void a_group_has_two_of_them(void **state)
{
    (void)state;
    finds(SEQUENCE("<group name=\"g\" continueOnError=\"yes\" timeout=\"soon\">" STEP(
              "a", "") "</group>"),
          "SLW-0181");
}

static void a_variable_is_hidden_or_not(void **state)
{
    (void)state;
    finds(
        SEQUENCE(
            "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"a\"><defaultVarList>"
            "<variable name=\"CommandLine\" hidden=\"yes\">true</variable></defaultVarList></step>"),
        "SLW-0181");
}

/* The only finding of that kind. */
static void tells_twins(const char *xml, const char *path, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    size_t n = 0;

    assert_int_equal(ts_validate(doc, &diags), 0);
    for (size_t i = 0; i < diags.n; i++)
        if (strstr(diags.items[i].message, "more than one")) {
            n++;
            assert_string_equal(diags.items[i].id, "SLW-0181");
            assert_int_equal(diags.items[i].severity, TS_WARNING);
            assert_string_equal(diags.items[i].path ? diags.items[i].path : "", path);
            assert_int_equal(diags.items[i].line, 1);
            assert_string_equal(diags.items[i].message, wanted);
        }
    assert_int_equal(n, 1);
}

#define TOLD(element) \
    " has more than one <" element \
    ">, of which only the first counts, also if it is empty; remove those that are not meant"
#define RUN(inside) \
    "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"s\">" inside "</step>"
#define TRUE_LIST "<defaultVarList><variable name=\"CommandLine\">true</variable></defaultVarList>"

static void of_two_of_a_kind_the_second_is_told_to_have_no_effect(void **state)
{
    (void)state;
    tells_twins(
        SEQUENCE("<group name=\"g\"><condition/><condition/><condition/>" STEP("a", "") "</group>"),
        "g",
        "it" TOLD("condition"));
    tells_twins(
        SEQUENCE(RUN("<action/>" TRUE_LIST "<defaultVarList/>")), "s", "it" TOLD("defaultVarList"));
    tells_twins(
        SEQUENCE(RUN("<action/><defaultVarList/>" TRUE_LIST)), "s", "it" TOLD("defaultVarList"));
    tells_twins(
        SEQUENCE(RUN("<action/><action>true</action>" TRUE_LIST)), "s", "it" TOLD("action"));
    tells_twins(SEQUENCE("<globalVarList/><globalVarList><variable name=\"A\">1</variable>"
                         "</globalVarList>" STEP("a", "")),
                "",
                "the sequence" TOLD("globalVarList"));
}

static void the_reader_leaves_it_to_validate(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    size_t n;

    assert_int_equal(ts_document_parse(bytes_of(SEQUENCE(STEP("a", "timeout=\"abc\" runIn=\"x\""))),
                                       &doc,
                                       &diags),
                     0);
    assert_int_equal(diags.n, 0);
    assert_int_equal(ts_document_steps(doc, &n)[0].timeout_s, 0);
    assert_int_equal(ts_validate(doc, &diags), 0);
    assert_int_equal(diags.n, 2);
    for (size_t i = 0; i < diags.n; i++) {
        assert_string_equal(diags.items[i].path, "a");
        assert_int_equal(diags.items[i].line, 1);
        assert_true(diags.items[i].column > 0);
    }
}

static void codes_are_integers(void **state)
{
    (void)state;
    assert_true(ts_check_are_codes(""));
    assert_true(ts_check_are_codes(" 0  3010 "));
    assert_false(ts_check_are_codes("0x5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_what_the_format_says),
        cmocka_unit_test(a_group_has_two_of_them),
        cmocka_unit_test(a_variable_is_hidden_or_not),
        cmocka_unit_test(of_two_of_a_kind_the_second_is_told_to_have_no_effect),
        cmocka_unit_test(the_reader_leaves_it_to_validate),
        cmocka_unit_test(codes_are_integers),
    };

    return cmocka_run_group_tests_name("ts/validate_attributes", tests, NULL, NULL);
}
