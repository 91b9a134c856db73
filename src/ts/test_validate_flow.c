/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate_parts.h"

#include "ts/test_validate.h"

#define TYPED(type, more) "<step type=\"SMS_TaskSequence_" type "Action\" name=\"s\" " more "/>"

static void a_group_that_goes_on_after_an_error_may_leave_the_sequence_where_it_was(void **state)
{
    (void)state;
    static const char before[] =
        "<step type=\"SMS_TaskSequence_PartitionDiskAction\" name=\"f\"><condition>" VARIABLE_IS(
            "_SMSTSInWinPE", "equals", "true") "</condition></step>";
    OWN(buf_fini) struct buf xml = BUF_INIT(4096);

    buf_addf(&xml,
             SEQUENCE("%s<group name=\"g\" continueOnError=\"%s\"><step "
                      "type=\"SMS_TaskSequence_RebootAction\" name=\"r\"/></group>" TYPED(
                          "PartitionDisk", "")),
             before,
             "true");
    found(buf_str(&xml), NULL, "");
}

static void an_empty_condition_is_true_everywhere(void **state)
{
    (void)state;
    found(
        SEQUENCE("<group name=\"g\"><condition/>" TYPED("PartitionDisk", "") "</group>"), NULL, "");
}

#define NEST(id) \
    "<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"N\"><defaultVarList>" \
    "<variable name=\"OSDSubTasksequencePackageID\" property=\"TsPackageID\">" id \
    "</variable></defaultVarList></subtasksequence>"
#define DEPLOYS \
    TYPED("PartitionDisk", "") \
    "<step type=\"SMS_TaskSequence_ApplyOperatingSystemAction\" name=\"a\"><defaultVarList>" \
    "<variable name=\"ImagePackageID\">SLP00002</variable></defaultVarList></step>" TYPED( \
        "SetupWindowsAndSMS", "")

/* SLP0000A deploys, and SLP0000B runs it; SLP0000C formats the disk. */
static struct ts_document *nested(void *ctx, const char *id)
{
    (void)ctx;
    if (strcmp(id, "SLP0000A") == 0)
        return parse_ok(SEQUENCE(DEPLOYS));
    if (strcmp(id, "SLP0000B") == 0)
        return parse_ok(SEQUENCE(NEST("SLP0000A")));
    return strcmp(id, "SLP0000C") == 0 ? parse_ok(SEQUENCE(TYPED("PartitionDisk", ""))) : NULL;
}

static void steps_of_nested_sequences_stand_where_they_are_run(void **state)
{
    (void)state;
    static const struct ts_site_facts site = {.sequence = nested};

    found(SEQUENCE(NEST("SLP0000B") TYPED("Reboot", "")), &site, "");
    found(SEQUENCE(TYPED("SetupWindowsAndSMS", "")), &site, "SLW-0184");
    found(SEQUENCE(NEST("SLP0000B") TYPED("SetupWindowsAndSMS", "")), &site, "");
    found(SEQUENCE(NEST("SLP0000B") TYPED("PartitionDisk", "runIn=\"WinPE\"")),
          &site,
          "SLW-0175 SLW-0184");
    found(SEQUENCE(NEST("SLP0000B") NEST("SLP0000C")), &site, "SLW-0175");
    /* Without a site nobody knows what they do. */
    found(SEQUENCE(NEST("SLP0000B") TYPED("SetupWindowsAndSMS", "")), NULL, "");
}

#define IN_BOOT_IMAGE(inside) \
    "<group name=\"g\"><condition>" VARIABLE_IS( \
        "_SMSTSInWinPE", "equals", "true") "</condition>" inside "</group>"
#define TO_DISK   STEP_OF("Reboot", VALUE("SMSRebootTarget", "HD"))
#define TO_MEMORY STEP_OF("Reboot", VALUE("SMSRebootTarget", "WinPE"))

static void a_restart_into_a_system_needs_one(void **state)
{
    (void)state;
    static const char format_if[] =
        "<step type=\"SMS_TaskSequence_PartitionDiskAction\" name=\"f\"><condition>" VARIABLE_IS(
            "_SMSTSBootUEFI", "equals", "true") "</condition></step>";
    OWN(buf_fini) struct buf xml = BUF_INIT(8192);

    finds(SEQUENCE(TYPED("PartitionDisk", "") TO_DISK), "SLW-0184!");
    finds(SEQUENCE(IN_BOOT_IMAGE(TO_DISK)), "SLW-0177! SLW-0184!");
    finds(SEQUENCE(IN_BOOT_IMAGE(TYPED("PartitionDisk", "") TO_MEMORY TO_DISK)), "SLW-0184!");
    finds(SEQUENCE(TYPED("PartitionDisk", "")
                       STEP_OF("ApplyOperatingSystem", VALUE("ImagePackageID", "SLP00002"))
                           TYPED("SetupWindowsAndSMS", "") TO_DISK),
          "");
    finds(SEQUENCE(TO_MEMORY "<group name=\"g\"><condition>" VARIABLE_IS(
              "_SMSTSInWinPE", "equals", "false") "</condition>" TO_DISK "</group>"),
          "SLW-0177"); /* it is never reached */
    /* back into the system that it was started in, unless the disk was formatted */
    buf_addf(&xml, SEQUENCE(TO_MEMORY "%s" TO_DISK), format_if);
    finds(buf_str(&xml), "SLW-0177");
}

#define MDT_RESTART(target) \
    "<step type=\"SMS_TaskSequence_RebootAction\" name=\"r\"><action>smsboot.exe /target:" target \
    "</action><defaultVarList><variable name=\"Target\" property=\"Target\"/></defaultVarList></step>"

static void a_target_in_the_action_leads_there(void **state)
{
    (void)state;
    finds(SEQUENCE(TYPED("PartitionDisk", "") MDT_RESTART("HD")), "SLW-0184!");
    finds(SEQUENCE(TYPED("PartitionDisk", "") MDT_RESTART("Moon")), "SLW-0181!");
    finds(SEQUENCE(MDT_RESTART("WinPE") TYPED("PartitionDisk", "")), "SLW-0177");
    finds(SEQUENCE(MDT_RESTART("HD") TYPED("PartitionDisk", "")), "SLW-0177 SLW-0175!");
}

static void a_target_that_only_a_run_knows_may_lead_anywhere(void **state)
{
    (void)state;
    finds(SEQUENCE(MDT_RESTART("%Where%") TYPED("PartitionDisk", "") MDT_RESTART("%Where%")
                       STEP("s", "runIn=\"FullOS\"")),
          "SLW-0177");
}

static void an_account_is_of_the_installed_system(void **state)
{
    (void)state;
#define AS_USER \
    STEP_OF("RunCommandLine", \
            VALUE("CommandLine", "id") VALUE("_SMSTSRunCommandLineAsUser", "true") \
                VALUE("SMSTSRunCommandLineUserName", "eva") \
                    VALUE("SMSTSRunCommandLineUserPassword", "p"))

    finds(SEQUENCE(AS_USER), "");
    finds(SEQUENCE(IN_BOOT_IMAGE(TYPED("PartitionDisk", "") AS_USER)), "SLW-0425!");
    finds(SEQUENCE(TYPED("PartitionDisk", "") AS_USER), "SLW-0425!");
    finds(
        SEQUENCE(
            TYPED("PartitionDisk", "") "<step name=\"p\"><action>id</action><defaultVarList>" VALUE(
                "RunAsUser", "true") VALUE("UserName", "eva") "</defaultVarList></step>"),
        "SLW-0425!");
    finds(SEQUENCE(IN_BOOT_IMAGE(STEP_OF("DownloadPackageContent",
                                         VALUE("OSDDownloadDownloadPackages", "SLP00003") VALUE(
                                             "OSDDownloadDestinationLocationType", "CCMCache")))),
          "SLW-0442!");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_that_goes_on_after_an_error_may_leave_the_sequence_where_it_was),
        cmocka_unit_test(an_empty_condition_is_true_everywhere),
        cmocka_unit_test(steps_of_nested_sequences_stand_where_they_are_run),
        cmocka_unit_test(a_restart_into_a_system_needs_one),
        cmocka_unit_test(a_target_in_the_action_leads_there),
        cmocka_unit_test(a_target_that_only_a_run_knows_may_lead_anywhere),
        cmocka_unit_test(an_account_is_of_the_installed_system),
    };

    return cmocka_run_group_tests_name("ts/validate_flow", tests, NULL, NULL);
}
