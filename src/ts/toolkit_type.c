/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/toolkit_type.h"

#include <stddef.h>
#include <string.h>

#define PREFIX "BDD_"

const char *ts_toolkit_type_advice(const char *type)
{
    static const char command[] = "replace it by Run Command Line";
    static const char package[] = "disable it, or replace it by Install Package";
    static const struct {
        const char *name;
        const char *advice;
    } types[] = {
        {"ConfigureADDS", command},
        {"ConfigureDHCP", command},
        {"ConfigureDNS", command},
        {"ExecuteRunbook", command},
        {"Gather", "disable it: variables and conditions know the computer without it"},
        {"InjectDrivers", "disable it: the operating system brings its drivers"},
        {"InstallApplication", "replace it by Install Application or Install Package"},
        {"InstallLanguagePacksOffline", package},
        {"InstallLanguagePacksOnline", package},
        {"InstallOS", "replace it by Apply Operating System Image"},
        {"InstallRoles", command},
        {"InstallUpdatesOffline", "replace it by Install Software Updates"},
        {"RecoverDomainJoin", "replace it by Join Domain or Workgroup"},
        {"RunPowerShellAction", "replace it by Run PowerShell Script"},
        {"UninstallRoles", command},
        {"UsePackage", "replace it by Download Package Content"},
        {"Validate", "replace it by Check Readiness"},
    };

    if (strncmp(type, PREFIX, strlen(PREFIX)) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(type + strlen(PREFIX), types[i].name) == 0)
            return types[i].advice;
    return "disable it, or replace it by a step of a known type";
}
