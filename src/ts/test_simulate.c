/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/simulate.h"

#include "ts/test_ts.h"

#define SET(name, value) \
    "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"set " name \
    "\"><action/><defaultVarList>" \
    "<variable name=\"VariableName\" hidden=\"true\">" name "</variable>" \
    "<variable name=\"VariableValue\" hidden=\"true\">" value \
    "</variable></defaultVarList></step>"
#define REBOOT(target) \
    "<step type=\"SMS_TaskSequence_RebootAction\" name=\"restart\"><action/><defaultVarList>" \
    "<variable name=\"SMSRebootTarget\" hidden=\"true\">" target \
    "</variable></defaultVarList></step>"

#define FORMAT \
    "<step type=\"SMS_TaskSequence_PartitionDiskAction\" name=\"format\"><action/></step>"

static int put(void *ctx, const struct ts_simulated *decision)
{
    static const char *const words[] = {
        [TS_NEXT_RUN] = "run", [TS_NEXT_SKIP] = "skip", [TS_NEXT_FAIL] = "fail"};

    buf_addf(ctx,
             "%s %s%s",
             words[decision->next->kind],
             decision->path,
             decision->environment == TS_RUN_IN_FULL_OS ? " (full OS)" : "");
    for (size_t i = 0; i < decision->n_values; i++)
        buf_addf(ctx, " %s=%s", decision->values[i].name, decision->values[i].text);
    for (size_t i = 0; i < decision->n_depends; i++)
        buf_addf(ctx, " <%s of %s", decision->depends[i].variable, decision->depends[i].step);
    if (decision->next->error_id)
        buf_addf(ctx, " %s: %s", decision->next->error_id, decision->next->why);
    buf_adds(ctx, "\n");
    return 0;
}

static struct ts_simulation_end simulate(const char *xml, struct ts_vars *vars, struct buf *told)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    struct ts_simulation_end end;

    assert_int_equal(ts_simulate(&(struct ts_simulation){.start = {.document = doc, .vars = vars},
                                                         .environment = TS_RUN_IN_BOOT_IMAGE,
                                                         .tell = put,
                                                         .ctx = told},
                                 &end),
                     0);
    return end;
}

static struct ts_vars *new_vars(void)
{
    struct ts_vars *vars = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    return vars;
}

static void variables_that_steps_set_decide_what_comes_later(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    struct ts_simulation_end end = simulate(
        SEQUENCE(SET("A", "1") "<group name=\"g\"><condition>" VARIABLE_IS(
            "A",
            "equals",
            "1") "</condition>" SET("B", "%A%2") "</group>"
                                                 "<group name=\"h\"><condition>" VARIABLE_IS(
                                                     "B", "equals", "x") "</condition>" STEP("c",
                                                                                             "")
                                                     STEP("d", "") "</group>"),
        vars,
        &told);

    assert_true(end.is_succeeded);
    assert_int_equal(end.n_run, 2);
    assert_int_equal(end.n_left_out, 2);
    assert_string_equal(buf_str(&told),
                        "run set A VariableName=A VariableValue=1\n"
                        "run g/set B VariableName=B VariableValue=12\n"
                        "skip h\n");
}

static void a_restart_leads_into_the_other_environment(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    struct ts_simulation_end end = simulate(
        SEQUENCE(
            FORMAT REBOOT("HD")
                STEP("a", "runIn=\"FullOS\"") "<group name=\"g\"><condition>" VARIABLE_IS(
                    "_SMSTSInWinPE",
                    "equals",
                    "false") "</condition>" REBOOT("WinPE") "</group>" STEP("b",
                                                                            "runIn=\"FullOS\"")),
        vars,
        &told);

    assert_false(end.is_succeeded);
    assert_string_equal(buf_str(&told),
                        "run format\n"
                        "run restart SMSRebootTarget=HD\n"
                        "run a (full OS) action=true\n"
                        "run g/restart (full OS) SMSRebootTarget=WinPE\n"
                        "fail b SLW-0405: it runs in the installed operating system only, and this "
                        "is the boot image\n");
}

static void preparing_for_capture_leads_into_the_boot_image(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    struct ts_simulation_end end =
        simulate(SEQUENCE(FORMAT REBOOT(
                     "HD") "<step type=\"SMS_TaskSequence_PrepareOSAction\" name=\"prepare\" "
                           "runIn=\"FullOS\"/>" STEP("capture", "runIn=\"WinPE\"")),
                 vars,
                 &told);

    assert_true(end.is_succeeded);
    assert_string_equal(buf_str(&told),
                        "run format\n"
                        "run restart SMSRebootTarget=HD\n"
                        "run prepare (full OS)\n"
                        "run capture action=true\n");
}

static void secret_values_are_not_shown(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);

    assert_int_equal(ts_vars_set(vars, "OSDJoinPassword", "hunter22", TS_BY_SEQUENCE), 0);
    (void)simulate(
        SEQUENCE(
            "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"a\"><action/><defaultVarList>"
            "<variable name=\"OSDJoinPassword\"/><variable name=\"C\">%OSDJoinPassword%"
            "</variable><variable name=\"D\">d</variable></defaultVarList></step>"),
        vars,
        &told);
    (void)simulate(
        SEQUENCE(
            "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"b\"><action/><defaultVarList>"
            "<variable name=\"VariableName\">E</variable><variable name=\"VariableValue\">hunter3"
            "</variable><variable name=\"DoNotShowVariableValue\">True</variable></defaultVarList></step>"
            "<step type=\"SMS_TaskSequence_ApplyWindowsSettingsAction\" name=\"c\"><action/><defaultVarList>"
            "<variable name=\"OSDLocalAdminPassword\">1234</variable></defaultVarList></step>"),
        vars,
        &told);
    assert_string_equal(buf_str(&told),
                        "run a OSDJoinPassword=*** C=*** D=d\n"
                        "run b VariableName=E VariableValue=*** DoNotShowVariableValue=True\n"
                        "run c OSDLocalAdminPassword=***\n");
}

static void a_command_that_stands_in_the_action_only_is_shown_as_it_would_run(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);

    assert_int_equal(ts_vars_set(vars, "Place", "lab", TS_BY_SEQUENCE), 0);
    (void)simulate(
        SEQUENCE(
            "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"a\"><action>echo %Place%"
            "</action><defaultVarList><variable name=\"LoadProfile\">false</variable>"
            "</defaultVarList></step>"
            "<step name=\"b\"><action>echo b</action></step>"
            "<step name=\"c\"><action>echo c /pw:x</action><defaultVarList>"
            "<variable name=\"UserPassword\">hunter2</variable></defaultVarList></step>"
            "<step name=\"e\"><action>echo e /pw:hunter2</action><defaultVarList>"
            "<variable name=\"UserPassword\">hunter2</variable></defaultVarList></step>"
            "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"d\"><action>smsswd.exe /run: "
            "echo d</action><defaultVarList><variable name=\"CommandLine\">echo d</variable>"
            "</defaultVarList></step>"),
        vars,
        &told);
    assert_string_equal(buf_str(&told),
                        "run a LoadProfile=false action=echo lab\n"
                        "run b action=echo b\n"
                        "run c UserPassword=*** action=echo c /pw:x\n"
                        "run e UserPassword=*** action=***\n"
                        "run d CommandLine=echo d\n");
}

#define HIDDEN(name, value) \
    "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"hide " name \
    "\"><action/><defaultVarList>" \
    "<variable name=\"VariableName\" hidden=\"true\">" name "</variable>" \
    "<variable name=\"DoNotShowVariableValue\" hidden=\"true\">true</variable>" \
    "<variable name=\"VariableValue\" hidden=\"true\">" value \
    "</variable></defaultVarList></step>"

static void a_hidden_value_that_is_not_in_the_document_is_set_and_unknown(void **state)
{
    (void)state;
    static const char *const values[] = {"", "***"};
    static const char asks[] = "<group name=\"a\"><condition>" VARIABLE_IS(
        "Pw", "notExists", "") "</condition></group>"
                               "<group name=\"b\"><condition>" VARIABLE_IS(
                                   "Made", "equals", "xS3cret") "</condition>" STEP("s",
                                                                                    "") "</group>";

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
        OWN(buf_fini) struct buf told = BUF_INIT(4096);
        OWN(buf_fini) struct buf xml = BUF_INIT(8192);

        buf_addf(&xml, SEQUENCE(HIDDEN("Pw", "%s") SET("Made", "x%%Pw%%") "%s"), values[i], asks);
        (void)simulate(buf_str(&xml), vars, &told);
        assert_string_equal(
            buf_str(&told),
            "run hide Pw VariableName=Pw DoNotShowVariableValue=true VariableValue=***\n"
            "run set Made VariableName=Made VariableValue=x***\n"
            "skip b <Made of set Made\n");
    }
}

static void secrets_of_rules_that_are_not_in_the_document_are_set_and_unknown(void **state)
{
    (void)state;
    static const char rules[] =
        "<step type=\"SMS_TaskSequence_SetDynamicVariablesAction\" name=\"rules\"><defaultVarList>"
        "<variable name=\"OSDSetDynamicVariablesRules\" property=\"Rules\"><![CDATA[<Rules><Rule><Variables>"
        "<Variable Name=\"A\" IsSecret=\"true\"/><Variable Name=\"B\"/></Variables></Rule><Rule><condition>" VARIABLE_IS(
            "A",
            "equals",
            "x") "</condition><Variables><Variable Name=\"C\">1</Variable></Variables></Rule>"
                 "</Rules>]]></variable></defaultVarList></step>";
    static const char asks[] =
        "<group name=\"g\"><condition>" VARIABLE_IS("A", "notExists", "") "</condition>" STEP("s", "") "</group><group name=\"h\"><condition>" VARIABLE_IS(
            "C",
            "exists",
            "") "</condition>" STEP("t", "") "</group>"
                                             "<group name=\"i\"><condition>" VARIABLE_IS(
                                                 "B",
                                                 "exists",
                                                 "") "</condition>" STEP("u", "") "</group>";
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    OWN(buf_fini) struct buf xml = BUF_INIT(8192);

    buf_addf(&xml, SEQUENCE("%s%s"), rules, asks);
    (void)simulate(buf_str(&xml), vars, &told);
    assert_non_null(strstr(buf_str(&told), "IsSecret=\"true\">***</Variable>"));
    assert_non_null(strstr(buf_str(&told), "\nskip g <A of \nskip h <C of rules\nskip i\n"));
}

static void a_secret_of_the_sequence_that_is_not_in_the_document_is_set_and_unknown(void **state)
{
    (void)state;
    static const char xml[] =
        SEQUENCE("<globalVarList><variable name=\"LabPassword\"/><variable name=\"Plain\"/>"
                 "<variable name=\"Url\">http://%LabPassword%@lab</variable></globalVarList>"
                 "<group name=\"g\"><condition>" VARIABLE_IS("LabPassword", "notExists", "")
                     VARIABLE_IS("Plain", "exists", "")
                         VARIABLE_IS("Url", "exists", "") "</condition>" STEP("s", "") "</group>");
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(ts_vars_freep) struct ts_vars *given = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);

    (void)simulate(xml, vars, &told);
    assert_string_equal(buf_str(&told), "skip g <LabPassword of  <Url of \n");
    buf_clear(&told);
    assert_int_equal(ts_vars_set(given, "LabPassword", "given", TS_BY_SITE), 0);
    (void)simulate(xml, given, &told);
    assert_string_equal(buf_str(&told), "skip g\n");
}

static void what_the_engine_sets_on_the_computer_is_not_known_without_it(void **state)
{
    (void)state;
    static const char xml[] = SEQUENCE(
        "<group name=\"uefi\"><condition>" VARIABLE_IS("_SMSTSBootUEFI", "equals", "true") "</condition>" STEP(
            "s",
            "") "</group><group name=\"order\"><condition>" VARIABLE_IS("_SMSTSAdvertID",
                                                                        "exists",
                                                                        "") "</condition>" STEP("t",
                                                                                                "") "</group>");
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(ts_vars_freep) struct ts_vars *given = new_vars();
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    struct ts_simulation_end end;

    (void)simulate(xml, vars, &told);
    assert_string_equal(buf_str(&told),
                        "skip uefi <_SMSTSBootUEFI of \nskip order <_SMSTSAdvertID of \n");
    buf_clear(&told);
    assert_int_equal(ts_vars_set(given, "_SMSTSBootUEFI", "false", TS_BY_ENGINE), 0);
    (void)simulate(xml, given, &told);
    assert_string_equal(buf_str(&told), "skip uefi\nskip order <_SMSTSAdvertID of \n");
    buf_clear(&told);
    assert_int_equal(ts_simulate(&(struct ts_simulation){.start = {.document = doc, .vars = vars},
                                                         .environment = TS_RUN_IN_BOOT_IMAGE,
                                                         .has_facts = true,
                                                         .tell = put,
                                                         .ctx = &told},
                                 &end),
                     0);
    assert_string_equal(buf_str(&told), "skip uefi\nskip order <_SMSTSAdvertID of \n");
}

static void in_the_boot_image_nothing_runs_as_an_account(void **state)
{
    (void)state;
    static const char xml[] =
        SEQUENCE("<step name=\"a\" type=\"%s\"><action>x</action><defaultVarList><variable "
                 "name=\"%s\" property=\"RunAsUser\">%s</variable><variable name=\"UserName\" "
                 "property=\"UserName\">anna</variable></defaultVarList></step>");
    static const struct {
        const char *type;
        const char *flag;
        const char *value;
        bool fails;
    } cases[] = {
        {"SMS_TaskSequence_RunCommandLineAction", "_SMSTSRunCommandLineAsUser", "true", true},
        {"SMS_TaskSequence_RunCommandLineAction", "_SMSTSRunCommandLineAsUser", "false", false},
        {"SMS_TaskSequence_RunPowerShellScriptAction", "_SMSTSRunPowerShellAsUser", "1", true},
        {"", "RunAsUser", "true", true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
        OWN(buf_fini) struct buf told = BUF_INIT(4096);
        OWN(buf_fini) struct buf text = BUF_INIT(4096);

        buf_addf(&text, xml, cases[i].type, cases[i].flag, cases[i].value);
        assert_int_equal(simulate(buf_str(&text), vars, &told).is_succeeded, !cases[i].fails);
        assert_int_equal(strstr(buf_str(&told), "\nfail a SLW-0425: ") != NULL, cases[i].fails);
    }
}

static void of_a_text_only_the_secret_is_hidden(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);

    assert_int_equal(ts_vars_set(vars, "OSDJoinPassword", "hunter22", TS_BY_SEQUENCE), 0);
    (void)simulate(SEQUENCE("<step name=\"a\"><action>net use /user:a %OSDJoinPassword% x:</action>"
                            "<defaultVarList><variable name=\"B\">pw=%OSDJoinPassword%</variable>"
                            "</defaultVarList></step>"),
                   vars,
                   &told);
    assert_string_equal(buf_str(&told), "run a B=pw=*** action=net use /user:a *** x:\n");
}

static void a_restart_goes_where_its_action_says(void **state)
{
    (void)state;
#define MDT_RESTART(target) \
    "<step type=\"SMS_TaskSequence_RebootAction\" name=\"r\"><action>smsboot.exe /target:" target \
    "</action><defaultVarList><variable name=\"Target\" property=\"Target\"/></defaultVarList></step>"
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);

    (void)simulate(SEQUENCE(FORMAT MDT_RESTART("HD") STEP("a", "") MDT_RESTART("WinPE")
                                STEP("b", "") MDT_RESTART("Moon")),
                   vars,
                   &told);
    assert_string_equal(
        buf_str(&told),
        "run format\n"
        "run r Target= action=smsboot.exe /target:HD\n"
        "run a (full OS) action=true\n"
        "run r (full OS) Target= action=smsboot.exe /target:WinPE\n"
        "run b action=true\n"
        "run r Target= action=smsboot.exe /target:Moon\n"
        "fail r SLW-0408: the target \"Moon\" is neither HD nor WinPE; correct the step\n");
}

static void a_step_that_cannot_set_its_variable_says_why(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    struct ts_simulation_end end =
        simulate(SEQUENCE(SET("a.b", "1") STEP("later", "")), vars, &told);

    assert_false(end.is_succeeded);
    assert_int_equal(end.n_run, 1);
    assert_string_equal(ts_vars_get(vars, "_SMSTSLastActionRetCode"), "-2147024809");
    assert_non_null(strstr(buf_str(&told), "run set a.b VariableName=a.b VariableValue=1\n"));
    assert_non_null(strstr(buf_str(&told), "\nfail set a.b SLW-0407: "));
    assert_null(strstr(buf_str(&told), "SLW-0407: \n"));
    assert_non_null(strstr(buf_str(&told), "\nskip later\n"));
}

static void what_the_agent_cannot_run_fails_as_it_would_there(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    struct ts_simulation_end end = simulate(
        SEQUENCE(
            "<group name=\"g\" continueOnError=\"true\">"
            "<step type=\"SMS_TaskSequence_FooAction\" name=\"foo\"><action/></step>" STEP(
                "not reached",
                "") "</group>" STEP("reached",
                                    "") "<step type=\"SMS_TaskSequence_AutoApplyAction\" name=\"drivers\"><action/></step>"
                                        "<step type=\"SMS_TaskSequence_FooAction\" name=\"off\" disable=\"true\"><action/></step>"),
        vars,
        &told);

    assert_false(end.is_succeeded);
    assert_int_equal(end.n_run, 1);
    assert_string_equal(ts_vars_get(vars, "_SMSTSLastActionRetCode"), "-2147024846");
    assert_string_equal(
        buf_str(&told),
        "fail g/foo SLW-0401: the agent cannot run steps of type \"SMS_TaskSequence_FooAction\"; "
        "disable or replace the step\n"
        "skip g/not reached\n"
        "run reached action=true\n"
        "fail drivers SLW-0409: \"Auto Apply Drivers\" does something that only Windows has; disable "
        "it, or give it a condition that does not hold on Linux\n"
        "skip off\n");
}

static void a_decision_says_what_it_depends_on_at_run_time(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);

    (void)simulate(
        SEQUENCE(
            "<step name=\"plain\"><action>echo hi</action></step><group name=\"catch\"><condition>" VARIABLE_IS(
                "_SMSTSLastActionSucceeded",
                "equals",
                "false") "</condition>" STEP("never",
                                             "") "</group>"
                                                 "<group name=\"then\"><condition>" VARIABLE_IS(
                                                     "_SMSTSLastActionSucceeded",
                                                     "equals",
                                                     "true") "</condition>" SET("A", "1")
                                                     STEP("last", "") "</group>"),
        vars,
        &told);
    assert_non_null(strstr(
        buf_str(&told),
        "run plain action=echo hi\nskip catch <_SMSTSLastActionSucceeded of plain\nrun then/set A "));
    assert_non_null(
        strstr(buf_str(&told), "VariableValue=1 <_SMSTSLastActionSucceeded of plain\n"));
}

static void a_step_without_a_type_is_a_command(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);

    (void)simulate(
        SEQUENCE("<step name=\"plain\"><action>echo hi</action></step><step name=\"empty\"/>"),
        vars,
        &told);
    assert_string_equal(
        buf_str(&told),
        "run plain action=echo hi\n"
        "fail empty SLW-0401: the step has neither a type nor a command; replace it by a Run Command Line\n");
}

static void a_script_for_windows_script_host_fails_as_it_does_there(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    struct ts_simulation_end end = simulate(
        SEQUENCE(
            "<step name=\"gather\"><action>cscript.exe \"%SCRIPTROOT%\\ZTIGather.wsf\"</action></step>"),
        vars,
        &told);

    assert_false(end.is_succeeded);
    assert_string_equal(ts_vars_get(vars, "_SMSTSLastActionRetCode"), "-2147024846");
    assert_non_null(strstr(buf_str(&told), "\nfail gather SLW-0718: "));
}

static void a_type_that_is_in_the_wrong_place_fails(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    struct ts_simulation_end end =
        simulate(SEQUENCE(FORMAT REBOOT(
                     "HD") "<step type=\"SMS_TaskSequence_PartitionDiskAction\" name=\"disk\">"
                           "<action/></step>"),
                 vars,
                 &told);

    assert_false(end.is_succeeded);
    assert_non_null(strstr(buf_str(&told), "\nfail disk (full OS) SLW-0405: "));
}

static void a_restart_without_a_place_to_go_on_from_fails_as_it_would_there(void **state)
{
    (void)state;
    static const struct {
        const char *xml;
        const char *target; /* of the variable Where */
        bool is_succeeded;
        const char *told;
    } cases[] = {
        {SEQUENCE(REBOOT("HD")), "", false, "\nfail restart SLW-0415: "},
        {SEQUENCE(REBOOT("WinPE")), "", false, "\nfail restart SLW-0415: "},
        {SEQUENCE(FORMAT REBOOT("WinPE")), "", true, "\nrun restart "},
        {SEQUENCE(FORMAT REBOOT("Foo")), "", false, "\nfail restart SLW-0408: the target \"Foo\""},
        {SEQUENCE(FORMAT REBOOT("%Where%")), "HD", true, "SMSRebootTarget=HD\n"},
        {SEQUENCE(FORMAT REBOOT("%Where%")), "Moon", false, "SLW-0408: the target \"Moon\""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
        OWN(buf_fini) struct buf told = BUF_INIT(4096);

        assert_int_equal(ts_vars_set(vars, "Where", cases[i].target, TS_BY_SITE), 0);
        assert_int_equal(simulate(cases[i].xml, vars, &told).is_succeeded, cases[i].is_succeeded);
        assert_non_null(strstr(buf_str(&told), cases[i].told));
    }
}

static void a_restart_goes_on_from_a_volume_that_is_there_already(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(SEQUENCE(REBOOT("WinPE")));
    struct ts_simulation_end end;

    assert_int_equal(ts_simulate(&(struct ts_simulation){.start = {.document = doc, .vars = vars},
                                                         .environment = TS_RUN_IN_BOOT_IMAGE,
                                                         .has_volume = true,
                                                         .tell = put,
                                                         .ctx = &told},
                                 &end),
                     0);
    assert_true(end.is_succeeded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_that_steps_set_decide_what_comes_later),
        cmocka_unit_test(a_restart_leads_into_the_other_environment),
        cmocka_unit_test(preparing_for_capture_leads_into_the_boot_image),
        cmocka_unit_test(secret_values_are_not_shown),
        cmocka_unit_test(a_command_that_stands_in_the_action_only_is_shown_as_it_would_run),
        cmocka_unit_test(a_hidden_value_that_is_not_in_the_document_is_set_and_unknown),
        cmocka_unit_test(secrets_of_rules_that_are_not_in_the_document_are_set_and_unknown),
        cmocka_unit_test(a_secret_of_the_sequence_that_is_not_in_the_document_is_set_and_unknown),
        cmocka_unit_test(what_the_engine_sets_on_the_computer_is_not_known_without_it),
        cmocka_unit_test(in_the_boot_image_nothing_runs_as_an_account),
        cmocka_unit_test(of_a_text_only_the_secret_is_hidden),
        cmocka_unit_test(a_restart_goes_where_its_action_says),
        cmocka_unit_test(a_step_that_cannot_set_its_variable_says_why),
        cmocka_unit_test(what_the_agent_cannot_run_fails_as_it_would_there),
        cmocka_unit_test(a_type_that_is_in_the_wrong_place_fails),
        cmocka_unit_test(a_decision_says_what_it_depends_on_at_run_time),
        cmocka_unit_test(a_step_without_a_type_is_a_command),
        cmocka_unit_test(a_script_for_windows_script_host_fails_as_it_does_there),
        cmocka_unit_test(a_restart_without_a_place_to_go_on_from_fails_as_it_would_there),
        cmocka_unit_test(a_restart_goes_on_from_a_volume_that_is_there_already),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
