/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/engine_vars.h"

#include "ts/test_ts.h"

/* The documentation of the variables names these. */
static const char *const documented[] = {
    "_OSDDetectedWinDir",
    "_OSDDetectedWinDrive",
    "_SMSTSAdvertID",
    "_SMSTSAppInstallNeedsRetry",
    "_SMSTSAssetTag",
    "_SMSTSSerialNumber",
    "_SMSTSUUID",
    "_SMSTSMake",
    "_SMSTSModel",
    "_SMSTSMacAddresses",
    "_SMSTSIPAddresses",
    "_SMSTSDefaultGateways",
    "_SMSTSBootImageID",
    "_SMSTSBootUEFI",
    "_SMSTSClientCache",
    "_SMSTSClientGUID",
    "_SMSTSCurrentActionName",
    "_SMSTSDownloadOnDemand",
    "_SMSTSInWinPE",
    "_SMSTSLastActionName",
    "_SMSTSLastActionRetCode",
    "_SMSTSLastActionSucceeded",
    "_SMSTSLastContentDownloadLocation",
    "_SMSTSLaunchMode",
    "_SMSTSLogPath",
    "_SMSTSMachineName",
    "_SMSTSMDataPath",
    "_SMSTSMediaType",
    "_SMSTSMP",
    "_SMSTSMPPort",
    "_SMSTSOrgName",
    "_SMSTSOSUpgradeActionReturnCode",
    "_SMSTSPackageID",
    "_SMSTSPackageName",
    "_SMSTSRunFromDP",
    "_SMSTSSetupRollback",
    "_SMSTSSiteCode",
    "_SMSTSTimezone",
    "_SMSTSType",
    "_SMSTSUseCRL",
    "_SMSTSUseSSL",
    "_SMSTSUserStarted",
    "_SMSTSWTG",
    "_TS_CRMEMORY",
    "_TS_CRSPEED",
    "_TS_CRDISK",
    "_TS_CROSTYPE",
    "_TS_CRARCH",
    "_TS_CRMINOSVER",
    "_TS_CRMAXOSVER",
    "_TS_CRCLIENTMINVER",
    "_TS_CROSLANGUAGE",
    "_TS_CRACPOWER",
    "_TS_CRNETWORK",
    "_TS_CRWIRED",
    "_TS_CRUEFI",
    "_TS_CRTPMENABLED",
    "_TS_CRTPMACTIVATED",
    "_TSAppInstallStatus",
    "_TSSecureBoot",
    "_SMSTSUserStatePath",
    "SMSTSAllowTokenAuthURLForACP",
    "SMSTSAssignmentsDownloadInterval",
    "SMSTSAssignmentsDownloadRetry",
    "SMSTSAssignUsersMode",
    "SMSTSUDAUsers",
    "SMSTSDisableStatusRetry",
    "SMSTSDisableWow64Redirection",
    "SMSTSDownloadProgram",
    "SMSTSDownloadAbortCode",
    "SMSTSDownloadRetryCount",
    "SMSTSDownloadRetryDelay",
    "SMSTSDriverRequestConnectTimeOut",
    "SMSTSDriverRequestSendTimeOut",
    "SMSTSDriverRequestResolveTimeOut",
    "SMSTSDriverRequestReceiveTimeOut",
    "SMSTSErrorDialogTimeout",
    "SMSTSLanguageFolder",
    "SMSTSLocalDataDrive",
    "SMSTSMP",
    "SMSTSMPListRequestTimeoutEnabled",
    "SMSTSMPListRequestTimeout",
    "SMSTSPeerDownload",
    "SMSTSPeerRequestPort",
    "SMSTSPersistContent",
    "SMSTSPreserveContent",
    "SMSTSPostAction",
    "SMSTSPreferredAdvertID",
    "SMSTSRebootDelay",
    "SMSTSRebootDelayNext",
    "SMSTSRebootMessage",
    "SMSTSRebootRequested",
    "SMSTSRetryRequested",
    "SMSTSRunCommandLineAsUser",
    "SMSTSRunCommandLineUserName",
    "SMSTSRunCommandLineUserPassword",
    "SMSTSRunPowerShellAsUser",
    "SMSTSRunPowerShellUserName",
    "SMSTSRunPowerShellUserPassword",
    "SMSTSSoftwareUpdateScanTimeout",
    "SMSTSUninstallCCMClient",
    "SMSTSWaitCcmexecOperationalTimeout",
    "SMSTSWaitForSecondReboot",
    "SetupCompletePause",
    "TSDebugMode",
    "TSDebugOnError",
    "TSDisableProgressUI",
    "TSProgressInfoLevel",
    "TSErrorOnWarning",
    "TSUEFIDrive",
    "OSDDoNotLogCommand",
    "OSDLogPowerShellParameters",
};

static void every_documented_variable_is_in_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++) {
        if (!ts_engine_var_find(documented[i]))
            print_error("%s is not in the table\n", documented[i]);
        assert_non_null(ts_engine_var_find(documented[i]));
    }
}

static void no_variable_is_there_twice_and_each_has_a_reason(void **state)
{
    const struct ts_engine_var *var;

    (void)state;
    for (size_t i = 0; (var = ts_engine_var_at(i)); i++) {
        assert_ptr_equal(ts_engine_var_find(var->name), var);
        assert_true(var->text[0] != '\0');
        assert_null(strchr(var->text, '|')); /* a row of a table */
    }
}

static void the_case_of_letters_does_not_matter(void **state)
{
    (void)state;
    assert_int_equal(ts_engine_var_find("smstsMP")->kind, TS_ENGINE_NO_EFFECT);
    assert_int_equal(ts_engine_var_find("tsdebugmode")->kind, TS_ENGINE_OBEYED);
    assert_null(ts_engine_var_find("Mine"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_documented_variable_is_in_the_table),
        cmocka_unit_test(no_variable_is_there_twice_and_each_has_a_reason),
        cmocka_unit_test(the_case_of_letters_does_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
