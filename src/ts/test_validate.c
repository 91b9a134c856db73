/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate.h"

#include "ts/test_ts.h"

#define TYPED(type, variables) \
    "<step type=\"SMS_TaskSequence_" type \
    "Action\" name=\"s\"><action/><defaultVarList>" variables "</defaultVarList></step>"
#define VAR(name, text) "<variable name=\"" name "\" property=\"" name "\">" text "</variable>"
#define FORMAT          TYPED("PartitionDisk", "")
#define APPLY           TYPED("ApplyOperatingSystem", VAR("ImagePackageID", "SLP00002"))
#define SETUP           TYPED("SetupWindowsAndSMS", "")

static void validate_finds_what_will_not_work(void **state)
{
    (void)state;
    static const struct {
        const char *xml;
        size_t n_errors;
        size_t n_warnings;
    } cases[] = {
        {SEQUENCE(FORMAT APPLY SETUP), 0, 0},
        {SEQUENCE(""), 0, 1},
        {SEQUENCE("<step type=\"SMS_TaskSequence_PrestartCheckAction\" name=\"x\"/>"), 0, 0},
        {SEQUENCE("<step type=\"SMS_TaskSequence_NobodyKnowsAction\" name=\"x\"/>"), 1, 0},
        {SEQUENCE("<step type=\"unknown\" name=\"x\" disable=\"true\"/>" FORMAT APPLY SETUP), 0, 0},
        {SEQUENCE(FORMAT TYPED("ApplyOperatingSystem", "") SETUP), 1, 0},
        {SEQUENCE(FORMAT APPLY APPLY SETUP), 0, 1},
        {SEQUENCE(APPLY SETUP), 0, 1},
        {SEQUENCE(FORMAT APPLY), 0, 1},
        {SEQUENCE(SETUP), 1, 0},
        {SEQUENCE(TYPED("Reboot", VAR("SMSRebootTarget", "HD"))), 0, 1},
        {SEQUENCE(TYPED("Reboot", VAR("SMSRebootTarget", "Moon"))), 1, 1},
        {SEQUENCE(FORMAT APPLY SETUP TYPED("Reboot", VAR("SMSRebootTarget", "HD"))), 0, 0},
        {SEQUENCE(TYPED("SetVariable", "")), 1, 0},
        {SEQUENCE(TYPED("SetVariable", VAR("VariableName", "_X"))), 1, 0},
        {SEQUENCE(TYPED("RunCommandLine", "")), 1, 0},
        {SEQUENCE(TYPED("RunCommandLine",
                        VAR("CommandLine", "./check.sh") VAR("PackageID", "SLP00012"))),
         0,
         0},
        {SEQUENCE("<group name=\"g\"><condition>" WMI "</condition>" STEP("a", "") "</group>"),
         0,
         1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_document_freep) struct ts_document *doc = parse_ok(cases[i].xml);
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        size_t n_errors = 0;

        assert_int_equal(ts_validate(doc, &diags), 0);
        for (size_t k = 0; k < diags.n; k++)
            n_errors += diags.items[k].severity == TS_ERROR;
        if (n_errors != cases[i].n_errors || diags.n - n_errors != cases[i].n_warnings)
            fail_msg("%s: %zu errors, %zu in all", cases[i].xml, n_errors, diags.n);
    }
}

#define NAMED(type, name, attributes, variables) \
    "<step type=\"SMS_TaskSequence_" type "Action\" name=\"" name "\" " attributes \
    "><action/><defaultVarList>" variables "</defaultVarList></step>"
#define IF(name, operator_name, value) \
    "<condition>" VARIABLE_IS(name, operator_name, value) "</condition>"
#define IN_GROUP(condition, inside) "<group name=\"G\">" condition inside "</group>"
#define TO_BOOT_IMAGE \
    "<step type=\"SMS_TaskSequence_RebootAction\" name=\"R\"><condition>" VARIABLE_IS( \
        "_SMSTSInWinPE", \
        "equals", \
        "false") "</condition><action/><defaultVarList>" VAR("SMSRebootTarget", \
                                                             "WinPE") "</defaultVarList></step>"
#define NEST(id) \
    "<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"N\"><defaultVarList>" \
    "<variable name=\"OSDSubTasksequencePackageID\" property=\"TsPackageID\">" id \
    "</variable></defaultVarList>" \
    "</subtasksequence>"

static const char *kind_of(void *ctx, const char *id, const char *wanted)
{
    (void)ctx;
    (void)wanted;
    if (strcmp(id, "SLP00002") == 0)
        return "os-image";
    return strcmp(id, "SLP00003") == 0 ? "package" : "";
}

static unsigned platform_of(void *ctx, const char *id)
{
    (void)id;
    return *(const unsigned *)ctx;
}

static struct ts_document *sequence(void *ctx, const char *id)
{
    (void)ctx;
    if (strcmp(id, "SLP0000A") == 0)
        return parse_ok(SEQUENCE(NEST("SLP0000B")));
    if (strcmp(id, "SLP0000B") == 0)
        return parse_ok(SEQUENCE(IN_GROUP("", NEST("SLP0000A"))));
    return strcmp(id, "SLP0000C") == 0 ? parse_ok(SEQUENCE(STEP("x", ""))) : NULL;
}

static unsigned platform = TS_PLATFORM_LINUX;
static const struct ts_site_facts site = {
    .kind_of = kind_of, .platform_of = platform_of, .sequence = sequence, .ctx = &platform};

/* How often @id is reported, with @path if there is one. */
static unsigned
count_at(const char *xml, const struct ts_site_facts *facts, const char *id, const char *path)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    unsigned n = 0;

    assert_int_equal(ts_validate_at(doc, facts, &diags), 0);
    for (size_t i = 0; i < diags.n; i++) {
        assert_true(diags.items[i].message[0] != '\0');
        n +=
            strcmp(diags.items[i].id, id) == 0 && (!path || strcmp(diags.items[i].path, path) == 0);
    }
    return n;
}

static unsigned count(const char *xml, const char *id)
{
    return count_at(xml, &site, id, NULL);
}

static void a_finding_has_the_path_of_its_step_its_line_and_column(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc =
        parse_ok(SEQUENCE("\n<group name=\"A\">\n" NAMED("SetVariable", "B", "", "") "</group>"));
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_validate(doc, &diags), 0);
    assert_int_equal(diags.n, 1);
    assert_string_equal(diags.items[0].id, "SLW-0180");
    assert_string_equal(diags.items[0].path, "A/B");
    assert_int_equal(diags.items[0].line, 3);
    assert_true(diags.items[0].column > 1);
}

static void a_step_for_the_boot_image_cannot_run_after_a_restart_into_the_full_os(void **state)
{
    (void)state;
    assert_int_equal(count(SEQUENCE(FORMAT APPLY SETUP), "SLW-0175"), 0);
    assert_int_equal(count_at(SEQUENCE(FORMAT APPLY SETUP NAMED("PartitionDisk", "again", "", "")),
                              &site,
                              "SLW-0175",
                              "again"),
                     1);
    assert_int_equal(
        count(SEQUENCE(FORMAT APPLY SETUP TO_BOOT_IMAGE NAMED("PartitionDisk", "again", "", "")),
              "SLW-0175"),
        0);
}

static void a_step_for_the_full_os_cannot_run_in_the_boot_image(void **state)
{
    (void)state;
    assert_int_equal(
        count(SEQUENCE(TO_BOOT_IMAGE NAMED("InstallSoftware", "x", "", "")), "SLW-0175"), 1);
    assert_int_equal(count(SEQUENCE(NAMED("InstallSoftware", "x", "", "")), "SLW-0175"), 0);
    assert_int_equal(count(SEQUENCE(TO_BOOT_IMAGE NAMED(
                               "RunCommandLine", "x", "runIn=\"FullOS\"", VAR("CommandLine", "x"))),
                           "SLW-0175"),
                     1);
}

static void a_group_for_one_environment_is_seen_to_be_so(void **state)
{
    (void)state;
    assert_int_equal(count(SEQUENCE(TO_BOOT_IMAGE IN_GROUP(IF("_SMSTSInWinPE", "equals", "false"),
                                                           NAMED("InstallSoftware", "x", "", ""))),
                           "SLW-0175"),
                     0); /* it is never reached */
    assert_int_equal(
        count(SEQUENCE(IN_GROUP(IF("_SMSTSInWinPE", "notEquals", "true"), FORMAT)), "SLW-0175"), 1);
    assert_int_equal(
        count(SEQUENCE(IN_GROUP("<condition><operator type=\"not\">" VARIABLE_IS(
                                    "_SMSTSInWinPE", "equals", "false") "</operator></condition>",
                                FORMAT)),
              "SLW-0175"),
        0);
}

static void a_windows_only_step_is_an_error_if_the_image_is_of_linux(void **state)
{
    (void)state;
    static const char xml[] = SEQUENCE(FORMAT APPLY SETUP NAMED("EnableBitLocker", "b", "", ""));
    static unsigned windows = TS_PLATFORM_WINDOWS;
    struct ts_site_facts other = site;

    assert_int_equal(count_at(xml, &site, "SLW-0176", "b"), 1);
    other.ctx = &windows;
    assert_int_equal(count_at(xml, &other, "SLW-0176", "b"), 0);
}

static void a_restart_before_there_is_a_partition_has_no_place_for_the_state(void **state)
{
    (void)state;
    assert_int_equal(
        count(SEQUENCE(IN_GROUP(IF("_SMSTSInWinPE", "equals", "true"),
                                NAMED("Reboot", "r", "", VAR("SMSRebootTarget", "WinPE")))),
              "SLW-0177"),
        1);
    assert_int_equal(
        count(SEQUENCE(TO_BOOT_IMAGE NAMED("RunCommandLine", "c", "", VAR("CommandLine", "x"))),
              "SLW-0177"),
        0);
    assert_int_equal(
        count(SEQUENCE(FORMAT NAMED("Reboot", "r", "", VAR("SMSRebootTarget", "WinPE"))),
              "SLW-0177"),
        0);
}

static void without_a_boot_image_nothing_runs_in_it(void **state)
{
    (void)state;
    struct ts_site_facts none = site;

    none.boot_image_id = "";
    assert_int_equal(count_at(SEQUENCE(FORMAT), &none, "SLW-0178", "s"), 1);
    assert_int_equal(count_at(SEQUENCE(TO_BOOT_IMAGE), &none, "SLW-0178", "R"), 1);
    none.boot_image_id = "SLP00001";
    assert_int_equal(count_at(SEQUENCE(TO_BOOT_IMAGE FORMAT), &none, "SLW-0178", NULL), 0);
}

static void what_the_site_lacks_is_missing_only_if_the_step_is_enabled(void **state)
{
    (void)state;
    static const char list[] =
        SEQUENCE("<referenceList><reference package=\"SLP00009\"/></referenceList>" NAMED(
            "InstallSoftware", "x", "disable=\"true\"", VAR("PackageID", "SLP00009")));

    static const char many[] =
        SEQUENCE("<referenceList><reference package=\"SLP00008\"/><reference package=\"SLP00009\"/>"
                 "<reference package=\"SLP0000\"/></referenceList>" NAMED(
                     "DownloadPackageContent",
                     "x",
                     "disable=\"true\"",
                     VAR("OSDDownloadDownloadPackages", "SLP00009,SLP00008")));

    assert_int_equal(
        count(SEQUENCE(NAMED("InstallSoftware", "x", "", VAR("PackageID", "SLP00009"))),
              "SLW-0173"),
        1);
    assert_int_equal(count(list, "SLW-0173"), 0);
    assert_int_equal(
        count(SEQUENCE("<referenceList><reference package=\"SLP00009\"/></referenceList>"),
              "SLW-0173"),
        1);
    assert_int_equal(count(many, "SLW-0173"), 1);
    assert_int_equal(
        count(SEQUENCE(NAMED("InstallSoftware", "x", "", VAR("PackageID", "%P%"))), "SLW-0173"), 0);
}

static void content_of_another_kind_is_refused(void **state)
{
    (void)state;
    assert_int_equal(
        count(SEQUENCE(NAMED("InstallSoftware", "x", "", VAR("PackageID", "SLP00002"))),
              "SLW-0174"),
        1);
    assert_int_equal(
        count(SEQUENCE(NAMED("InstallSoftware", "x", "", VAR("PackageID", "SLP00003"))),
              "SLW-0174"),
        0);
}

static void nested_sequences_that_run_themselves_are_found(void **state)
{
    (void)state;
    struct ts_site_facts own = site;

    assert_int_equal(count(SEQUENCE(NEST("SLP0000A")), "SLW-0179"), 1);
    assert_int_equal(count(SEQUENCE(NEST("SLP0000C")), "SLW-0179"), 0);
    assert_int_equal(count(SEQUENCE(NEST("SLP0000D")), "SLW-0173"), 1);
    own.own_id = "SLP0000C";
    assert_int_equal(count_at(SEQUENCE(NEST("SLP0000C")), &own, "SLW-0179", "N"), 1);
    assert_int_equal(
        count(SEQUENCE("<group name=\"g\" disable=\"true\">" NEST("SLP0000A") "</group>"),
              "SLW-0179"),
        0);
}

static void a_reference_to_a_variable_has_the_name_of_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned n;
    } cases[] = {
        {"echo %OSDComputerName%", 0},
        {"echo %Computer Name%", 1},
        {"for %i in (*) do echo %i", 0},
        {"echo %~dp0 50% of 100%", 0},
        {"%ProgramFiles(x86)%\\x", 0},
        {"100% %A B% %C%", 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(4096);

        buf_addf(&xml,
                 SEQUENCE(NAMED("RunCommandLine", "x", "", VAR("CommandLine", "%s"))),
                 cases[i].text);
        if (count(buf_str(&xml), "SLW-0172") != cases[i].n)
            fail_msg("%s", cases[i].text);
    }
    assert_int_equal(
        count(SEQUENCE(NAMED("SetVariable", "x", "", VAR("VariableName", "a b"))), "SLW-0172"), 1);
    assert_int_equal(
        count(SEQUENCE(NAMED("SetVariable", "x", "", VAR("VariableName", "a.b"))), "SLW-0172"), 1);
    assert_int_equal(
        count(SEQUENCE(IN_GROUP(IF("_a.b", "equals", "1"), STEP("x", ""))), "SLW-0172"), 0);
    assert_int_equal(count(SEQUENCE(IN_GROUP(IF("1st", "equals", "1"), STEP("x", ""))), "SLW-0172"),
                     1);
}

static void values_are_held_against_their_limits(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *name;
        const char *text;
        const char *id;
    } cases[] = {
        {"PartitionDisk", "OSDDiskIndex", "10001", "SLW-0181"},
        {"PartitionDisk", "OSDDiskIndex", "-1", "SLW-0181"},
        {"PartitionDisk", "OSDDiskIndex", "first", "SLW-0181"},
        {"PartitionDisk", "OSDDiskIndex", "%N%", NULL},
        {"PartitionDisk", "OSDDiskIndex", "10000", NULL},
        {"PartitionDisk", "OSDPartitionStyle", "gpt", NULL},
        {"PartitionDisk", "OSDPartitionStyle", "APM", "SLW-0181"},
        {"PartitionDisk", "OSDPartitions3QuickFormat", "maybe", "SLW-0181"},
        {"CaptureSystemImage", "OSDImageVersion", "123456789012345678901234567890123", "SLW-0171"},
        {"RunCommandLine", "SuccessCodes", "0 no", "SLW-0181"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(4096);

        buf_addf(
            &xml,
            SEQUENCE(
                "<step type=\"SMS_TaskSequence_%sAction\" name=\"x\"><action/><defaultVarList>" VAR(
                    "CommandLine", "x")
                    VAR("OSDCaptureDestination", "x") "<variable name=\"%s\">%s</variable>"
                                                      "</defaultVarList></step>"),
            cases[i].type,
            cases[i].name,
            cases[i].text);
        if (count(buf_str(&xml), "SLW-0181") + count(buf_str(&xml), "SLW-0171") !=
                (cases[i].id ? 1U : 0U) ||
            (cases[i].id && count(buf_str(&xml), cases[i].id) != 1))
            fail_msg("%s %s", cases[i].name, cases[i].text);
    }
}

static void an_account_without_its_password_is_pointed_out(void **state)
{
    (void)state;
    assert_int_equal(count(SEQUENCE(NAMED("ConnectNetworkFolder",
                                          "x",
                                          "",
                                          VAR("SMSConnectNetworkFolderPath", "\\\\a\\b")
                                              VAR("SMSConnectNetworkFolderAccount", "u"))),
                           "SLW-0183"),
                     1);
    assert_int_equal(count(SEQUENCE(NAMED("ConnectNetworkFolder",
                                          "x",
                                          "",
                                          VAR("SMSConnectNetworkFolderAccount", "u")
                                              VAR("SMSConnectNetworkFolderPassword", "p"))),
                           "SLW-0183"),
                     0);
}

static void a_condition_has_a_known_operator_and_a_query(void **state)
{
    (void)state;
    assert_int_equal(
        count(SEQUENCE(IN_GROUP(IF("A", "resembles", "1"), STEP("x", ""))), "SLW-0185"), 1);
    assert_int_equal(count(SEQUENCE(IN_GROUP(IF("A", "like", "1*"), STEP("x", ""))), "SLW-0185"),
                     0);
}

#define EXPRESSION(kind, name, value) \
    "<condition><expression type=\"SMS_TaskSequence_" kind \
    "ConditionExpression\"><variable name=\"" name "\">" value \
    "</variable></expression></condition>"

static void a_condition_that_no_linux_answers_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *xml;
        unsigned n;
    } cases[] = {
        {SEQUENCE(IN_GROUP(EXPRESSION("WMI", "Query", "select * from Win32_QuickFixEngineering"),
                           STEP("x", ""))),
         1},
        {SEQUENCE(IN_GROUP(EXPRESSION("WMI", "Query", "select * from CIM_Chassis"), STEP("x", ""))),
         0},
        {SEQUENCE(IN_GROUP(EXPRESSION("Folder", "Path", "%ProgramFiles%"), STEP("x", ""))), 1},
        {SEQUENCE(IN_GROUP(EXPRESSION("Folder", "Path", "%OSDisk%/etc"), STEP("x", ""))), 0},
        {SEQUENCE(IN_GROUP(EXPRESSION("Software", "ProductName", "bash"), STEP("x", ""))), 0},
        {SEQUENCE(IN_GROUP(
             EXPRESSION("Registry", "Operator\">exists</variable><variable name=\"KeyPath", "HKLM"),
             STEP("x", ""))),
         1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (count(cases[i].xml, "SLW-0185") != cases[i].n)
            fail_msg("%s: %u", cases[i].xml, (unsigned)count(cases[i].xml, "SLW-0185"));
}

static void disabled_steps_are_not_looked_at(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc =
        parse_ok(SEQUENCE(STEP("x", "") "<group name=\"g\" disable=\"true\">" NAMED(
            "SetVariable", "x", "", "") "</group>" NAMED("SetVariable",
                                                         "y",
                                                         "disable=\"true\"",
                                                         "")));
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_validate_at(doc, &site, &diags), 0);
    assert_int_equal(diags.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validate_finds_what_will_not_work),
        cmocka_unit_test(a_finding_has_the_path_of_its_step_its_line_and_column),
        cmocka_unit_test(a_step_for_the_boot_image_cannot_run_after_a_restart_into_the_full_os),
        cmocka_unit_test(a_step_for_the_full_os_cannot_run_in_the_boot_image),
        cmocka_unit_test(a_group_for_one_environment_is_seen_to_be_so),
        cmocka_unit_test(a_windows_only_step_is_an_error_if_the_image_is_of_linux),
        cmocka_unit_test(a_restart_before_there_is_a_partition_has_no_place_for_the_state),
        cmocka_unit_test(without_a_boot_image_nothing_runs_in_it),
        cmocka_unit_test(what_the_site_lacks_is_missing_only_if_the_step_is_enabled),
        cmocka_unit_test(content_of_another_kind_is_refused),
        cmocka_unit_test(nested_sequences_that_run_themselves_are_found),
        cmocka_unit_test(a_reference_to_a_variable_has_the_name_of_one),
        cmocka_unit_test(values_are_held_against_their_limits),
        cmocka_unit_test(an_account_without_its_password_is_pointed_out),
        cmocka_unit_test(a_condition_has_a_known_operator_and_a_query),
        cmocka_unit_test(a_condition_that_no_linux_answers_is_told),
        cmocka_unit_test(disabled_steps_are_not_looked_at),
    };

    return cmocka_run_group_tests_name("ts/validate", tests, NULL, NULL);
}
