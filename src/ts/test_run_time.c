/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/run_time.h"

#include <stdio.h>

#include "ts/test_ts.h"

DEFINE_FREEP(struct ts_run_time *, ts_run_time_free);

#define OUTPUT(name, variable) \
    "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"" name \
    "\"><action>x</action><defaultVarList>" \
    "<variable name=\"SMSTSRunCommandLineOutputVariableName\">" variable \
    "</variable></defaultVarList></step>"
#define SET(name, value) \
    "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"set\"><defaultVarList><variable " \
    "name=\"VariableName\">" name "</variable><variable name=\"VariableValue\">" value \
    "</variable></defaultVarList></step>"
#define RULES(text) \
    "<step type=\"SMS_TaskSequence_SetDynamicVariablesAction\" name=\"rules\"><defaultVarList><variable " \
    "name=\"OSDSetDynamicVariablesRules\" property=\"Rules\"><![CDATA[<Rules><Rule>" text \
    "</Rule></Rules>]]></variable></defaultVarList></step>"
#define ASKS(condition) \
    "<step name=\"asks\"><action>x</action><condition>" condition "</condition></step>"

/* What the last step's condition depends on when all before it have been simulated: "variable<step ...". */
static void depends(const char *steps_xml, const char *wanted)
{
    OWN(ts_run_time_freep) struct ts_run_time *rt = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf xml = BUF_INIT(8192);
    OWN(buf_fini) struct buf said = BUF_INIT(1024);
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    const struct ts_dependency *found;
    const struct ts_step *steps;
    size_t n;

    buf_addf(&xml, SEQUENCE("%s"), steps_xml);
    doc = parse_ok(buf_str(&xml));
    steps = ts_document_steps(doc, &n);
    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "Base", "Out", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_run_time_new(&rt), 0);
    for (size_t i = 0; i + 1 < n; i++)
        assert_int_equal(ts_run_time_note(rt, &steps[i], steps[i].item.name, vars, NULL), 0);
    assert_int_equal(ts_run_time_ask(rt, steps[n - 1].item.condition, vars), 0);
    found = ts_run_time_gathered(rt, &n);
    for (size_t i = 0; i < n; i++)
        buf_addf(&said, "%s%s<%s", i > 0 ? " " : "", found[i].variable, found[i].step);
    assert_string_equal(buf_str(&said), wanted);
}

static void what_is_unknown_finds_a_place_among_many_that_are_known(void **state)
{
    (void)state;
    enum {
        N = 6000,
    };
    OWN(buf_fini) struct buf xml = BUF_INIT(TS_XML_MAX_BYTES);
    OWN(ts_run_time_freep) struct ts_run_time *rt = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    const struct ts_step *steps;
    size_t n;

    buf_adds(&xml, "<sequence version=\"3.10\">" OUTPUT("all", "A"));
    buf_adds(&xml, "<step type=\"SMS_TaskSequence_ConnectNetworkFolderAction\" name=\"c\"/>");
    for (int i = 0; i < N; i++)
        buf_addf(&xml, SET("SLWNetworkFolder%d", "x"), i);
    buf_adds(&xml, OUTPUT("run", "Out") ASKS(VARIABLE_IS("Out", "equals", "1")) "</sequence>");
    doc = parse_ok(buf_str(&xml));
    steps = ts_document_steps(doc, &n);
    assert_int_equal(n, N + 4);
    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_run_time_new(&rt), 0);
    for (size_t i = 0; i + 1 < n; i++)
        assert_int_equal(ts_run_time_note(rt, &steps[i], steps[i].item.name, vars, NULL), 0);
    assert_int_equal(ts_run_time_ask(rt, steps[n - 1].item.condition, vars), 0);
    (void)ts_run_time_gathered(rt, &n);
    assert_int_equal(n, 1);
}

static void the_output_of_a_command_is_not_known(void **state)
{
    (void)state;
    depends(OUTPUT("run", "Out") ASKS(VARIABLE_IS("out", "equals", "1")), "out<run");
    depends(OUTPUT("run", "%Base%") ASKS(VARIABLE_IS("Out", "exists", "")), "Out<run");
    depends(OUTPUT("run", "Out") ASKS(VARIABLE_IS("Other", "equals", "x%Out%")), "Out<run");
    depends("<step type=\"SMS_TaskSequence_ConnectNetworkFolderAction\" name=\"c\"/>" ASKS(
                VARIABLE_IS("Other", "equals", "%Base%%SLWNetworkFolder7%")),
            "SLWNetworkFolder7<c");
    depends(OUTPUT("run", "Out") OUTPUT("again", "Out") ASKS(VARIABLE_IS("Out", "exists", "")),
            "Out<again");
    depends(OUTPUT("run", "") ASKS(VARIABLE_IS("Out", "exists", "")), "");
}

static void what_is_made_of_it_is_not_known_either(void **state)
{
    (void)state;
    depends(OUTPUT("run", "Out") SET("A", "is %Out%") ASKS(VARIABLE_IS("A", "equals", "is 1")),
            "A<set");
    depends(OUTPUT("run", "Out") SET("Out", "1") ASKS(VARIABLE_IS("Out", "equals", "1")), "");
}

#define CAPTURE "<step type=\"SMS_TaskSequence_CaptureNetworkSettingsAction\" name=\"capture\"/>"
#define DOWNLOAD(variable) \
    "<step type=\"SMS_TaskSequence_DownloadPackageContentAction\" name=\"load\"><defaultVarList><variable " \
    "name=\"OSDDownloadDestinationVariable\">" variable "</variable></defaultVarList></step>"

static void what_is_set_behind_a_step_that_sets_all_that_begin_so_is_known(void **state)
{
    (void)state;
    static const char asks[] = ASKS(VARIABLE_IS("OSDAdapterCount", "equals", "0"));
    OWN(buf_fini) struct buf steps = BUF_INIT(4096);

    buf_addf(&steps, "%s%s%s", CAPTURE, SET("osdadaptercount", "0"), asks);
    depends(buf_str(&steps), "");
    buf_clear(&steps);
    buf_addf(&steps, "%s%s%s%s", CAPTURE, SET("OSDAdapterCount", "0"), CAPTURE, asks);
    depends(buf_str(&steps), "OSDAdapterCount<capture");
    buf_clear(&steps);
    buf_addf(&steps,
             "%s%s%s%s",
             CAPTURE,
             SET("OSDAdapterCount", "0"),
             OUTPUT("run", "OSDAdapterCount"),
             asks);
    depends(buf_str(&steps), "OSDAdapterCount<run");
    buf_clear(&steps);
    buf_addf(&steps,
             "%s%s%s",
             CAPTURE,
             SET("OSDAdapterCount", "0"),
             ASKS(VARIABLE_IS("OSDAdapter0Name", "exists", "")));
    depends(buf_str(&steps), "OSDAdapter0Name<capture");
}

/* More of them than there are places for. */
static void
what_is_known_again_needs_no_place_when_all_that_begin_so_are_unknown_again(void **state)
{
    OWN(ts_run_time_freep) struct ts_run_time *rt = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    const struct ts_step *steps;
    size_t n;

    (void)state;
    doc = parse_ok(SEQUENCE(CAPTURE SET("OSDAdapter%N%", "0") OUTPUT("run", "Out")
                                ASKS(VARIABLE_IS("Out", "exists", ""))));
    steps = ts_document_steps(doc, &n);
    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_run_time_new(&rt), 0);
    for (unsigned i = 0; i < 5000; i++) {
        char number[16];

        (void)snprintf(number, sizeof(number), "%u", i);
        assert_int_equal(ts_vars_set(vars, "N", number, TS_BY_SEQUENCE), 0);
        assert_int_equal(ts_run_time_note(rt, &steps[0], "capture", vars, NULL), 0);
        assert_int_equal(ts_run_time_note(rt, &steps[1], "set", vars, NULL), 0);
    }
    assert_int_equal(ts_run_time_note(rt, &steps[2], "run", vars, NULL), 0);
    assert_int_equal(ts_run_time_ask(rt, steps[3].item.condition, vars), 0);
    assert_non_null(ts_run_time_gathered(rt, &n));
    assert_int_equal(n, 1);
}

static void a_number_behind_a_name_covers_neither_the_name_nor_all_that_begin_so(void **state)
{
    (void)state;
    depends(OUTPUT("run", "Win") DOWNLOAD("Win") ASKS(VARIABLE_IS("Win", "exists", "")), "Win<run");
    depends(OUTPUT("run", "Win01") DOWNLOAD("Win") ASKS(VARIABLE_IS("Win01", "exists", "")),
            "Win01<load");
}

static void a_download_sets_its_variable_with_a_number(void **state)
{
    (void)state;
    depends(DOWNLOAD("Win") ASKS(VARIABLE_IS("Win01", "exists", "")), "Win01<load");
    depends(DOWNLOAD("Win") ASKS(VARIABLE_IS("WindowsVersion", "exists", "")), "");
    depends(DOWNLOAD("Win") ASKS(VARIABLE_IS("Win", "exists", "")), "");
}

static void how_the_last_step_ended_is_not_known_unless_it_is_done_here_as_well(void **state)
{
    (void)state;
    depends(OUTPUT("run", "") ASKS(VARIABLE_IS("_SMSTSLastActionSucceeded", "equals", "false")),
            "_SMSTSLastActionSucceeded<run");
    depends(OUTPUT("run", "") SET("A", "1")
                ASKS(VARIABLE_IS("_SMSTSLastActionRetCode", "equals", "0")),
            "");
}

static void what_checks_find_is_not_known(void **state)
{
    (void)state;
    depends("<step type=\"SMS_TaskSequence_PrestartCheckAction\" name=\"check\"/>" ASKS(
                VARIABLE_IS("_TS_CRMEMORY", "equals", "1")),
            "_TS_CRMEMORY<check");
    depends(
        "<step type=\"SMS_TaskSequence_PartitionDiskAction\" name=\"disk\"><defaultVarList><variable "
        "name=\"OSDPartitions0VolumeLetterVariable\">OSDisk</variable></defaultVarList></step>" ASKS(
            VARIABLE_IS("OSDisk", "exists", "")),
        "OSDisk<disk");
}

static void a_rule_that_cannot_be_answered_leaves_its_variables_unknown(void **state)
{
    (void)state;
    depends(RULES("<condition>" WMI
                  "</condition><Variables><Variable Name=\"A\">1</Variable></Variables>")
                ASKS(VARIABLE_IS("A", "exists", "")),
            "A<rules");
    depends(RULES("<Variables><Variable Name=\"A\">1</Variable></Variables>")
                ASKS(VARIABLE_IS("A", "exists", "")),
            "");
}

static void a_rule_goes_by_what_those_before_it_have_set(void **state)
{
    (void)state;
    depends(OUTPUT("run", "B") RULES(
                "<Variables><Variable Name=\"A\">1</Variable></Variables></Rule><Rule>"
                "<condition>" VARIABLE_IS(
                    "A",
                    "equals",
                    "1") "</condition><Variables><Variable Name=\"B\">2</Variable></Variables>")
                ASKS(VARIABLE_IS("B", "exists", "")),
            "");
    depends(OUTPUT("run", "B") RULES(
                "<Variables><Variable Name=\"A\">2</Variable></Variables></Rule><Rule>"
                "<condition>" VARIABLE_IS(
                    "A",
                    "equals",
                    "1") "</condition><Variables><Variable Name=\"B\">2</Variable></Variables>")
                ASKS(VARIABLE_IS("B", "exists", "")),
            "B<run");
}

static void a_secret_of_the_site_has_a_value_that_is_not_told(void **state)
{
    (void)state;
    OWN(ts_run_time_freep) struct ts_run_time *rt = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(
        SEQUENCE(ASKS(VARIABLE_IS("pass", "equals", "1") VARIABLE_IS("Open", "exists", ""))));
    const struct ts_dependency *found;
    size_t n;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "Open", "***", TS_BY_SITE), 0);
    assert_int_equal(ts_vars_set(vars, "Pass", "***", TS_BY_SITE), 0);
    assert_int_equal(ts_vars_set_secret(vars, "Pass"), 0);
    assert_int_equal(ts_run_time_new(&rt), 0);
    assert_int_equal(ts_run_time_withhold(rt, vars), 0);
    assert_int_equal(ts_run_time_ask(rt, ts_document_steps(doc, &n)[0].item.condition, vars), 0);
    found = ts_run_time_gathered(rt, &n);
    assert_int_equal(n, 1);
    assert_string_equal(found[0].variable, "pass");
    assert_string_equal(found[0].step, "");
}

static void what_is_typed_on_the_screen_is_not_known_until_a_step_sets_it(void **state)
{
    (void)state;
    OWN(ts_run_time_freep) struct ts_run_time *rt = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(SEQUENCE(SET("Made", "in %Room%") SET("Room", "1") ASKS(
        VARIABLE_IS("room", "exists", "") VARIABLE_IS("Made", "equals", "in 1"))));
    const struct ts_step *steps;
    const struct ts_dependency *found;
    size_t n;

    steps = ts_document_steps(doc, &n);
    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_run_time_new(&rt), 0);
    assert_int_equal(ts_run_time_expect_typed(rt, "Room"), 0);
    assert_int_equal(ts_run_time_ask(rt, steps[2].item.condition, vars), 0);
    found = ts_run_time_gathered(rt, &n);
    assert_int_equal(n, 1);
    assert_string_equal(found[0].variable, "room");
    assert_true(found[0].is_asked);
    assert_int_equal(ts_run_time_note(rt, &steps[0], "make", vars, NULL), 0);
    assert_int_equal(ts_run_time_note(rt, &steps[1], "set", vars, NULL), 0);
    assert_int_equal(ts_run_time_ask(rt, steps[2].item.condition, vars), 0);
    found = ts_run_time_gathered(rt, &n);
    assert_int_equal(n, 1);
    assert_string_equal(found[0].variable, "Made");
    assert_string_equal(found[0].step, "make");
    assert_false(found[0].is_asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_behind_a_step_that_sets_all_that_begin_so_is_known),
        cmocka_unit_test(
            what_is_known_again_needs_no_place_when_all_that_begin_so_are_unknown_again),
        cmocka_unit_test(a_number_behind_a_name_covers_neither_the_name_nor_all_that_begin_so),
        cmocka_unit_test(a_download_sets_its_variable_with_a_number),
        cmocka_unit_test(what_is_unknown_finds_a_place_among_many_that_are_known),
        cmocka_unit_test(the_output_of_a_command_is_not_known),
        cmocka_unit_test(what_is_made_of_it_is_not_known_either),
        cmocka_unit_test(how_the_last_step_ended_is_not_known_unless_it_is_done_here_as_well),
        cmocka_unit_test(what_checks_find_is_not_known),
        cmocka_unit_test(a_secret_of_the_site_has_a_value_that_is_not_told),
        cmocka_unit_test(a_rule_that_cannot_be_answered_leaves_its_variables_unknown),
        cmocka_unit_test(what_is_typed_on_the_screen_is_not_known_until_a_step_sets_it),
        cmocka_unit_test(a_rule_goes_by_what_those_before_it_have_set),
    };

    return cmocka_run_group_tests_name("ts/run_time", tests, NULL, NULL);
}
