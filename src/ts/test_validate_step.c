/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate_parts.h"

#include "ts/test_validate.h"

static void each_value_is_held_against_the_kind_of_its_property(void **state)
{
    (void)state;
    found(
        SEQUENCE(
            "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s\"><defaultVarList><variable "
            "name=\"VariableName\">a b</variable><variable name=\"DoNotShowVariableValue\">x</variable>"
            "</defaultVarList></step>"),
        NULL,
        "SLW-0183 SLW-0172 SLW-0181");
    found(SEQUENCE(STEP("a", "successCodeList=\"0 x\"")), NULL, "SLW-0181");
}

#define RUN_AS(variables) \
    SEQUENCE("<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"s\"><defaultVarList>" \
             "<variable name=\"CommandLine\">id</variable>" variables "</defaultVarList></step>")
#define USER \
    "<variable name=\"SMSTSRunCommandLineUserName\">anna</variable>" \
    "<variable name=\"SMSTSRunCommandLineUserPassword\">x</variable>"
#define FLAG(value) \
    "<variable name=\"_SMSTSRunCommandLineAsUser\" property=\"RunAsUser\">" value "</variable>"

static void an_account_and_the_switch_that_it_is_used_belong_together(void **state)
{
    (void)state;
    found(RUN_AS(FLAG("true") USER), NULL, "");
    found(RUN_AS(FLAG("%AsUser%") USER), NULL, "");
    found(RUN_AS(FLAG("false")), NULL, "");
    found(RUN_AS(""), NULL, "");
    found(RUN_AS(FLAG("false") USER), NULL, "SLW-0193");
    found(RUN_AS(USER), NULL, "SLW-0193");
    found(RUN_AS(FLAG("true")), NULL, "SLW-0193");
}

/* Settings of one step, and what is found. */
static const struct {
    const char *type;
    const char *values;
    const char *wanted;
} steps[] = {
    {"RunPowerShellScript", "", "SLW-0180!"},
    {"RunPowerShellScript", VALUE("OSDRunPowerShellScriptPackageID", "SLP00003"), "SLW-0180!"},
    {"RunPowerShellScript", VALUE("OSDRunPowerShellScriptScriptName", "a.sh"), "SLW-0180!"},
    {"RunPowerShellScript",
     VALUE("OSDRunPowerShellScriptPackageID", "SLP00003")
         VALUE("OSDRunPowerShellScriptScriptName", "a.sh"),
     ""},
    {"RunPowerShellScript", VALUE("OSDRunPowerShellScriptSourceScript", "//5FAGMAaABvAA=="), ""},
    {"RunPowerShellScript", VALUE("OSDRunPowerShellScriptSourceScript", "echo"), "SLW-0444!"},
    {"RunPowerShellScript", VALUE("OSDRunPowerShellScriptSourceScript", "iVBORw=="), "SLW-0444!"},
    {"RunPowerShellScript",
     VALUE("OSDRunPowerShellScriptSourceScript", "//5FAGMAaABvAA==")
         VALUE("OSDRunPowerShellScriptParameters", "-Name 'a"),
     "SLW-0444"},
    {"JoinDomainWorkgroup", "", "SLW-0180!"},
    {"JoinDomainWorkgroup", VALUE("OSDJoinType", "0"), "SLW-0180 SLW-0180"},
    {"JoinDomainWorkgroup",
     VALUE("OSDJoinType", "0") VALUE("OSDJoinDomainName", "lab example")
         VALUE("OSDJoinAccount", "a") VALUE("OSDJoinPassword", "p"),
     "SLW-0449!"},
    {"JoinDomainWorkgroup",
     VALUE("OSDJoinType", "0") VALUE("OSDJoinDomainName", "lab.example")
         VALUE("OSDJoinAccount", "a"),
     "SLW-0183"},
    {"JoinDomainWorkgroup", VALUE("OSDJoinType", "1"), "SLW-0180"},
    {"JoinDomainWorkgroup", VALUE("OSDJoinType", "1") VALUE("OSDJoinWorkgroupName", "LAB"), ""},
    {"JoinDomainWorkgroup",
     VALUE("OSDJoinType", "1") VALUE("OSDJoinWorkgroupName", "a b"),
     "SLW-0449!"},
    {"JoinDomainWorkgroup", VALUE("OSDJoinType", "2"), "SLW-0181!"},
    {"ConnectNetworkFolder", "", "SLW-0180!"},
    {"ConnectNetworkFolder", VALUE("SMSConnectNetworkFolderPath", "C:\\x"), "SLW-0448!"},
    {"ConnectNetworkFolder",
     VALUE("SMSConnectNetworkFolderPath", "\\\\s\\x")
         VALUE("SMSConnectNetworkFolderDriveLetter", "X:"),
     "SLW-0448!"},
    {"ConnectNetworkFolder",
     VALUE("SMSConnectNetworkFolderPath", "%Server%\\x")
         VALUE("SMSConnectNetworkFolderDriveLetter", "Z:"),
     ""},
    {"InstallSoftware", "", "SLW-0180! SLW-0180!"},
    {"InstallSoftware", VALUE("PackageID", "SLP00003"), "SLW-0180!"},
    {"InstallSoftware", VALUE("PackageID", "SLP00003") VALUE("_SMSSWDProgramName", "Install"), ""},
    {"InstallSoftware", VALUE("BaseVariableName", "Packages"), ""},
    {"InstallApplication", "", "SLW-0180!"},
    {"InstallApplication", VALUE("BaseVariableName", "Apps"), ""},
    {"InstallApplication", VALUE("OSDApp0Name", "SLP00003"), ""},
    {"InstallApplication", VALUE("ApplicationName", "SLP00003"), ""},
    {"DownloadPackageContent", "", "SLW-0180!"},
    {"DownloadPackageContent", VALUE("OSDPackage0PackageId", "SLP00003"), ""},
    {"DownloadPackageContent",
     VALUE("OSDDownloadDownloadPackages", "SLP00003")
         VALUE("OSDDownloadDestinationLocationType", "Custom"),
     "SLW-0180!"},
    {"DownloadPackageContent",
     VALUE("OSDDownloadDownloadPackages", "SLP00003")
         VALUE("OSDDownloadDestinationLocationType", "Custom")
             VALUE("OSDDownloadDestinationPath", "C:\\x"),
     "SLW-0442"},
    {"DownloadPackageContent",
     VALUE("OSDDownloadDownloadPackages", "SLP00003")
         VALUE("OSDDownloadDestinationVariable", "_Path"),
     "SLW-0186!"},
    {"PrestartCheck", VALUE("OSDCheckMinOSVersion", "true"), "SLW-0180!"},
    {"PrestartCheck",
     VALUE("OSDCheckMinOSVersion", "true") VALUE("OSDMinOSVersion", "new"),
     "SLW-0181!"},
    {"PrestartCheck", VALUE("OSDCheckMinOSVersion", "true") VALUE("OSDMinOSVersion", "12.5"), ""},
    {"PrestartCheck", VALUE("OSDCheckMinOSVersion", "false"), ""},
    {"PrestartCheck", VALUE("OSDCheckFreeDiskSpace", "true"), "SLW-0180!"},
    {"CaptureSystemImage", VALUE("OSDCaptureDestination", "\\\\s\\x\\a.txt"), "SLW-0482!"},
    {"CaptureSystemImage", VALUE("OSDCaptureDestination", "Debian 12"), ""},
    {"SetVariable", VALUE("VariableName", "_x"), "SLW-0186!"},
    {"InstallUpdate", VALUE("SMSInstallUpdateTarget", "Some"), "SLW-0181!"},
};

static void what_a_step_cannot_do_without_is_missed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(8192);

        buf_addf(&xml,
                 SEQUENCE("<step type=\"SMS_TaskSequence_%sAction\" name=\"s\"><defaultVarList>%s"
                          "</defaultVarList></step>"),
                 steps[i].type,
                 steps[i].values);
        finds(buf_str(&xml), steps[i].wanted);
    }
}

static void a_destination_has_a_disk_and_a_partition(void **state)
{
    (void)state;
#define APPLY_DATA(...) \
    SEQUENCE(STEP_OF("PartitionDisk", "") STEP_OF( \
        "ApplyDataImage", \
        VALUE("ImagePackageID", "SLP00002") VALUE("OSDDataImageIndex", "1") __VA_ARGS__))

    finds(APPLY_DATA(""), "");
    finds(APPLY_DATA(VALUE("DestinationDisk", "0") VALUE("DestinationPartition", "2")), "");
    finds(APPLY_DATA(VALUE("DestinationDisk", "0")), "SLW-0180!");
    finds(APPLY_DATA(VALUE("DestinationPartition", "2")), "SLW-0180!");
    finds(APPLY_DATA(VALUE("DestinationPartition", "2") VALUE("DestinationLogicalDrive", "D:")),
          "");
    finds(APPLY_DATA(VALUE("DestinationLogicalDrive", "data")), "SLW-0459!");
}

static void what_the_sequence_itself_sets_is_not_missed(void **state)
{
    (void)state;
    finds(SEQUENCE(
              STEP_OF("SetVariable",
                      VALUE("VariableName", "OSDJoinWorkgroupName") VALUE("VariableValue", "LAB"))
                  STEP_OF("JoinDomainWorkgroup", VALUE("OSDJoinType", "1"))),
          "");
}

/* As MDT writes it, with variables that say nothing. */
static void a_command_may_be_in_the_action_only(void **state)
{
    (void)state;
#define MDT(action) \
    "<sequence version=\"3.00\"><step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"s\"><action>" action \
    "</action><defaultVarList>" VALUE("PackageID", "") \
        VALUE("RunAsUser", "false") "</defaultVarList></step></sequence>"

    finds(MDT("./copy.sh \"%SCRIPTROOT%\""), "");
    finds(MDT("smsswd.exe /run: id"), "");
    finds(MDT("smsswd.exe /run: "), "SLW-0180!");
}

static void a_value_has_4000_characters(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(16384);

        buf_adds(
            &xml,
            "<sequence version=\"3.10\"><step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s\">"
            "<defaultVarList><variable name=\"VariableName\">a</variable><variable "
            "name=\"VariableValue\">");
        for (size_t i = 0; i < 4000 + over; i++)
            buf_adds(&xml, "\xc3\xa4");
        buf_adds(&xml, "</variable></defaultVarList></step></sequence>");
        finds(buf_str(&xml), over ? "SLW-0171!" : "");
    }
}

static void success_codes_that_are_written_twice_are_told_once(void **state)
{
    (void)state;
    finds(
        SEQUENCE(
            "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"s\" successCodeList=\"0 x\">"
            "<defaultVarList>" VALUE("CommandLine", "id")
                VALUE("SuccessCodes", "0 x") "</defaultVarList>"
                                             "</step>"),
        "SLW-0181!");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_and_the_switch_that_it_is_used_belong_together),
        cmocka_unit_test(each_value_is_held_against_the_kind_of_its_property),
        cmocka_unit_test(what_a_step_cannot_do_without_is_missed),
        cmocka_unit_test(a_destination_has_a_disk_and_a_partition),
        cmocka_unit_test(what_the_sequence_itself_sets_is_not_missed),
        cmocka_unit_test(a_command_may_be_in_the_action_only),
        cmocka_unit_test(a_value_has_4000_characters),
        cmocka_unit_test(success_codes_that_are_written_twice_are_told_once),
    };

    return cmocka_run_group_tests_name("ts/validate_step", tests, NULL, NULL);
}
