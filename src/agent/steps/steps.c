/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/step.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/steps/return_code.h"
#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/step_value.h"
#include "ts/vars.h"

enum {
    VALUE_MAX_BYTES = 64 * 1024,
    MASKED_MAX_BYTES = 3 * STEP_MESSAGE_RAW_MAX, /* a secret of one byte becomes three */
};

#define ANYWHERE   (STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS)
#define TYPE(name) "SMS_TaskSequence_" name "Action"

/* ts/validate.c knows the same types. */
static const struct step_type types[] = {
    {TYPE("PartitionDisk"), STEP_IN_BOOT_IMAGE, true, step_format_disk_run},
    {TYPE("ApplyOperatingSystem"), STEP_IN_BOOT_IMAGE, true, step_apply_os_run},
    {TYPE("ApplyDataImage"), STEP_IN_BOOT_IMAGE, true, step_apply_data_run},
    {TYPE("ApplyNetworkSettings"), STEP_IN_BOOT_IMAGE, true, step_apply_network_run},
    {TYPE("ApplyWindowsSettings"), STEP_IN_BOOT_IMAGE, true, step_apply_settings_run},
    {TYPE("SetupWindowsAndSMS"), STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS, true, step_setup_run},
    {TYPE("RunCommandLine"), STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS, false, step_run_command_run},
    {TYPE("SetVariable"), STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS, true, step_set_variable_run},
    {TYPE("SetDynamicVariables"),
     STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS,
     true,
     step_set_dynamic_variables_run},
    {TYPE("CaptureWindowsSettings"),
     STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS,
     true,
     step_capture_settings_run},
    {TYPE("CaptureNetworkSettings"), STEP_IN_FULL_OS, true, step_capture_network_run},
    {TYPE("PrepareSMSClient"), STEP_IN_FULL_OS, true, step_prepare_client_run},
    {TYPE("PrepareOS"), STEP_IN_FULL_OS, true, step_prepare_os_run},
    {TYPE("CaptureSystemImage"), STEP_IN_BOOT_IMAGE, true, step_capture_system_image_run},
    {TYPE("Reboot"), STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS, true, step_restart_run},
    {TYPE("RunPowerShellScript"),
     STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS,
     false,
     step_run_power_shell_run},
    {TYPE("InstallSoftware"), STEP_IN_FULL_OS, false, step_install_package_run},
    {TYPE("InstallApplication"), STEP_IN_FULL_OS, true, step_install_application_run},
    {TYPE("InstallUpdate"), STEP_IN_FULL_OS, true, step_install_updates_run},
    {TYPE("ConnectNetworkFolder"), ANYWHERE, true, step_connect_folder_run},
    {TYPE("JoinDomainWorkgroup"), STEP_IN_FULL_OS, false, step_join_run},
    {TYPE("PrestartCheck"), STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS, true, step_check_readiness_run},
    {TYPE("DownloadPackageContent"),
     STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS,
     true,
     step_download_content_run},
    /* what needs Windows */
    {TYPE("ConvertDisk"), ANYWHERE, true, step_windows_only_run},
    {TYPE("EnableBitLocker"), ANYWHERE, true, step_windows_only_run},
    {TYPE("DisableBitLocker"), ANYWHERE, true, step_windows_only_run},
    {TYPE("OfflineEnableBitLocker"), ANYWHERE, true, step_windows_only_run},
    {TYPE("RequestStateStore"), ANYWHERE, true, step_windows_only_run},
    {TYPE("CaptureUserState"), ANYWHERE, true, step_windows_only_run},
    {TYPE("RestoreUserState"), ANYWHERE, true, step_windows_only_run},
    {TYPE("ReleaseStateStore"), ANYWHERE, true, step_windows_only_run},
    {TYPE("AutoApply"), ANYWHERE, true, step_windows_only_run},
    {TYPE("ApplyDriverPackage"), ANYWHERE, true, step_windows_only_run},
    {TYPE("UpgradeOperatingSystem"), ANYWHERE, true, step_windows_only_run},
    {TYPE("InstallDeployTools"), ANYWHERE, true, step_windows_only_run},
};

const struct step_type *step_type_find(const char *type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].type, type) == 0)
            return &types[i];
    return NULL;
}

/* What step_value() returned, one behind the other. */
struct step_strings {
    struct step_strings *next;
    char *text; /* owned */
};

void step_context_fini(struct step_context *c)
{
    while (c->strings) {
        struct step_strings *first = c->strings;

        c->strings = first->next;
        if (first->text)
            explicit_bzero(first->text, strlen(first->text)); /* it may be a password */
        free(first->text);
        free(first);
    }
}

const char *step_value(struct step_context *c, const char *name)
{
    struct buf expanded = BUF_INIT(VALUE_MAX_BYTES);
    struct step_strings *entry = calloc(1, sizeof(*entry));

    if (!entry)
        return "";
    (void)ts_vars_expand(c->vars, ts_step_value(c->step, c->vars, name), &expanded);
    entry->text = buf_take(&expanded);
    entry->next = c->strings;
    c->strings = entry;
    return entry->text ? entry->text : "";
}

__attribute__((format(printf, 4, 0))) static void
fail(struct step_result *ret, int code, const char *error_id, const char *format, va_list args)
{
    int n;

    *ret = (struct step_result){.exit_code = code, .error_id = error_id};
    n = vsnprintf(ret->message, sizeof(ret->message), format, args);
    if (n < 0)
        ret->message[0] = '\0';
    ret->is_message_cut = n >= (int)sizeof(ret->message);
    text_make_utf8(ret->message);
}

void step_result_mask(struct step_result *result, const struct ts_vars *vars)
{
    OWN(buf_fini) struct buf masked = BUF_INIT(MASKED_MAX_BYTES);

    if (result->is_message_cut)
        (void)ts_vars_mask_part(vars, result->message, &masked);
    else
        ts_vars_mask(vars, result->message, &masked);
    (void)snprintf(result->message, STEP_MESSAGE_MAX, "%s", buf_str(&masked));
    result->is_message_cut = false;
    text_make_utf8(result->message);
}

int step_fail(struct step_result *ret, const char *error_id, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail(ret, return_code_of(error_id), error_id, format, args);
    va_end(args);
    return 0;
}

int step_fail_with(struct step_result *ret, int code, const char *error_id, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail(ret, code, error_id, format, args);
    va_end(args);
    return 0;
}
