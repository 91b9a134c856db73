/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_types_parts.h"

#include "ts/test_step_types.h"

static const struct type_fact types[] = {
    {"Run Command Line", TS_RUN_IN_BOTH, false, "0 3010", 0},
    {"Run PowerShell Script", TS_RUN_IN_BOTH, false, "0 3010", 0},
    {"Set Dynamic Variables", TS_RUN_IN_BOTH, false, "0", 0},
    {"Join Domain or Workgroup", TS_RUN_IN_FULL_OS, false, "0", 0},
    {"Connect To Network Folder", TS_RUN_IN_BOTH, false, "0", 0},
    {"Restart Computer", TS_RUN_IN_BOTH, false, "0", 0},
    {"Set Task Sequence Variable", TS_RUN_IN_BOTH, false, "0", 0},
    {"Check Readiness", TS_RUN_IN_BOTH, false, "0", 0},
    {"Run Task Sequence", TS_RUN_IN_BOTH, false, "0", 0},
};

static const struct property_fact properties[] = {
    {"Run Command Line", "CommandLine", "CommandLine", NULL, 1, 32000, false},
    {"Run Command Line",
     "SMSTSRunCommandLineOutputVariableName",
     "OutputVariableName",
     NULL,
     0,
     0,
     false},
    {"Run Command Line", "_SMSTSRunCommandLineAsUser", "RunAsUser", NULL, 0, 0, false},
    {"Run Command Line", "SMSTSRunCommandLineUserName", "UserName", NULL, 0, 0, false},
    {"Run Command Line", "SMSTSRunCommandLineUserPassword", "UserPassword", NULL, 0, 0, false},
    {"Run Command Line", "WorkingDirectory", "WorkingDirectory", NULL, 0, 255, false},
    {"Run PowerShell Script",
     "OSDRunPowerShellScriptSourceScript",
     "SourceScript",
     NULL,
     0,
     0,
     false},
    {"Run PowerShell Script",
     "OSDRunPowerShellScriptExecutionPolicy",
     "ExecutionPolicy",
     NULL,
     0,
     0,
     false},
    {"Run PowerShell Script", "_SMSTSRunPowerShellAsUser", "RunAsUser", NULL, 0, 0, false},
    {"Run PowerShell Script",
     "SMSTSRunPowerShellWorkingDirectory",
     "WorkingDirectory",
     NULL,
     0,
     0,
     false},
    {"Set Dynamic Variables", "OSDSetDynamicVariablesRules", "Rules", NULL, 0, 0, false},
    {"Join Domain or Workgroup", "OSDJoinType", "Type", NULL, 0, 0, false},
    {"Join Domain or Workgroup", "OSDJoinDomainName", "DomainName", NULL, 1, 255, false},
    {"Join Domain or Workgroup", "OSDJoinDomainOUName", "DomainOUName", NULL, 0, 32767, false},
    {"Join Domain or Workgroup", "OSDJoinWorkgroupName", "WorkgroupName", NULL, 1, 32, false},
    {"Join Domain or Workgroup", "OSDJoinAccount", "DomainUsername", NULL, 0, 0, false},
    {"Connect To Network Folder", "SMSConnectNetworkFolderPath", "Path", NULL, 0, 0, false},
    {"Connect To Network Folder", "SMSConnectNetworkFolderAccount", "Username", NULL, 0, 0, false},
    {"Restart Computer", "SMSRebootMessage", "Message", NULL, 0, 512, false},
    {"Restart Computer", "SMSRebootTimeout", "MessageTimeout", "60", 0, 0, false},
    {"Restart Computer", "SMSRebootTarget", "Target", NULL, 0, 0, false},
    {"Set Task Sequence Variable", "VariableName", "VariableName", NULL, 1, 256, false},
    {"Set Task Sequence Variable", "VariableValue", "VariableValue", NULL, 0, 4000, false},
    {"Check Readiness", "OSDCheckMemory", "CheckMemory", "true", 0, 0, false},
    {"Check Readiness", "OSDCheckProcessorSpeed", "CheckProcessorSpeed", "true", 0, 0, false},
    {"Check Readiness", "OSDCheckFreeDiskSpace", "CheckFreeDiskSpace", "false", 0, 0, false},
    {"Check Readiness", "OSDOSType", "OSType", "CLIENT", 0, 0, false},
};

static void general_steps_run_where_they_are_documented_to(void **state)
{
    (void)state;
    ASSERT_TYPES(types);
    ASSERT_NONE_LEFT_OUT(types, ts_step_types_general, n_ts_step_types_general);
}

static void general_settings_have_the_documented_names_defaults_and_limits(void **state)
{
    (void)state;
    ASSERT_PROPERTIES(properties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(general_steps_run_where_they_are_documented_to),
        cmocka_unit_test(general_settings_have_the_documented_names_defaults_and_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
