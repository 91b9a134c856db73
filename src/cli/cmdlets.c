/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/cmdlets.h"

#include <string.h>
#include <strings.h>

#define DONE_BY(cmdlet, noun, verb, more, text) \
    { \
        (cmdlet), (noun), (verb), (more), (text) \
    }
#define NOT_HERE(cmdlet, text) \
    { \
        (cmdlet), NULL, NULL, NULL, (text) \
    }

const struct cmdlet cmdlets[] = {
    /* Task sequences */
    DONE_BY("Get-CMTaskSequence", "ts", "list", NULL, NULL),
    DONE_BY("New-CMTaskSequence",
            "ts",
            "import",
            NULL,
            "A task sequence begins as a file; an empty one is <sequence version=\"3.10\"/>."),
    DONE_BY("Set-CMTaskSequence", "ts", "set", NULL, NULL),
    DONE_BY("Remove-CMTaskSequence", "ts", "delete", NULL, NULL),
    DONE_BY("Copy-CMTaskSequence", "ts", "copy", NULL, NULL),
    DONE_BY("Import-CMTaskSequence", "ts", "import", NULL, NULL),
    DONE_BY("Export-CMTaskSequence", "ts", "export", NULL, NULL),
    DONE_BY("Enable-CMTaskSequence", "ts", "enable", NULL, NULL),
    DONE_BY("Disable-CMTaskSequence", "ts", "disable", NULL, NULL),
    DONE_BY("Add-CMTaskSequenceStep",
            "ts",
            "step",
            "add SEQUENCE --type TYPE --name NAME",
            "slipway ts step types lists the types."),
    DONE_BY("New-CMTaskSequenceGroup",
            "ts",
            "step",
            "add SEQUENCE --type TYPE --name NAME",
            "slipway ts step types lists the types."),
    DONE_BY("Get-CMTaskSequenceStep*", "ts", "show", NULL, NULL),
    DONE_BY("Get-CMTaskSequenceGroup", "ts", "show", NULL, NULL),
    DONE_BY("Set-CMTaskSequenceStep*", "ts", "step", "set SEQUENCE STEP SETTING=VALUE...", NULL),
    DONE_BY("Set-CMTaskSequenceGroup", "ts", "step", "set SEQUENCE STEP SETTING=VALUE...", NULL),
    DONE_BY("Set-CMTSStep*", "ts", "step", "set SEQUENCE STEP SETTING=VALUE...", NULL),
    DONE_BY("Remove-CMTaskSequenceStep*", "ts", "step", "remove SEQUENCE STEP", NULL),
    DONE_BY("Remove-CMTaskSequenceGroup", "ts", "step", "remove SEQUENCE STEP", NULL),
    NOT_HERE("New-CMTSStepCondition*",
             "Conditions are edited in the file: slipway ts export, slipway ts import."),
    NOT_HERE("New-CMTaskSequenceStepCondition*",
             "Conditions are edited in the file: slipway ts export, slipway ts import."),
    DONE_BY("New-CMTSStep*",
            "ts",
            "step",
            "add SEQUENCE --type TYPE --name NAME",
            "slipway ts step types lists the types."),
    DONE_BY("New-CMTaskSequenceStep*",
            "ts",
            "step",
            "add SEQUENCE --type TYPE --name NAME",
            "slipway ts step types lists the types."),
    /* Deployments */
    DONE_BY("Get-CMTaskSequenceDeployment", "deployment", "list", NULL, NULL),
    DONE_BY("Get-CMDeployment", "deployment", "list", NULL, NULL),
    DONE_BY("New-CMTaskSequenceDeployment", "deployment", "create", NULL, NULL),
    DONE_BY("Start-CMTaskSequenceDeployment", "deployment", "create", NULL, NULL),
    DONE_BY("Set-CMTaskSequenceDeployment", "deployment", "set", NULL, NULL),
    DONE_BY("Remove-CMTaskSequenceDeployment", "deployment", "delete", NULL, NULL),
    DONE_BY("Remove-CMDeployment", "deployment", "delete", NULL, NULL),
    DONE_BY("Get-CMDeploymentStatus", "deployment", "status", NULL, NULL),
    DONE_BY("Get-CMDeploymentStatusDetails", "deployment", "status", NULL, NULL),
    DONE_BY("New-CMTaskSequenceAutoPhasedDeployment", "phased-deployment", "create", NULL, NULL),
    DONE_BY("New-CMTaskSequenceManualPhasedDeployment", "phased-deployment", "create", NULL, NULL),
    DONE_BY("New-CMTaskSequencePhasedDeployment", "phased-deployment", "create", NULL, NULL),
    DONE_BY("Get-CMTaskSequencePhasedDeployment", "phased-deployment", "list", NULL, NULL),
    DONE_BY("Get-CMPhasedDeployment", "phased-deployment", "list", NULL, NULL),
    DONE_BY("Suspend-CMPhasedDeployment", "phased-deployment", "pause", NULL, NULL),
    DONE_BY("Resume-CMPhasedDeployment", "phased-deployment", "resume", NULL, NULL),
    DONE_BY("Move-CMPhasedDeploymentToNext", "phased-deployment", "next", NULL, NULL),
    DONE_BY("Remove-CMTaskSequencePhasedDeployment", "phased-deployment", "delete", NULL, NULL),
    DONE_BY("Remove-CMPhasedDeployment", "phased-deployment", "delete", NULL, NULL),
    DONE_BY("Get-CMPhase", "phased-deployment", "show", NULL, NULL),
    /* Media */
    NOT_HERE("New-CMTaskSequenceMedia",
             "Slipway makes no media: devices start by PXE, see slipway pxe."),
    NOT_HERE("New-CMBootableMedia",
             "Slipway makes no media: devices start by PXE, see slipway pxe."),
    NOT_HERE("New-CMStandaloneMedia",
             "Slipway makes no media: devices start by PXE, see slipway pxe."),
    NOT_HERE("New-CMPrestageMedia",
             "Slipway makes no media: devices start by PXE, see slipway pxe."),
    NOT_HERE("New-CMPrestagedMedia",
             "Slipway makes no media: devices start by PXE, see slipway pxe."),
    NOT_HERE("New-CMCaptureMedia",
             "Slipway makes no media: devices start by PXE, see slipway pxe."),
    /* Images and packages */
    DONE_BY("Get-CMBootImage", "boot-image", "list", NULL, NULL),
    DONE_BY("New-CMBootImage", "boot-image", "build", NULL, NULL),
    DONE_BY("Set-CMBootImage", "boot-image", "set", NULL, NULL),
    DONE_BY("Remove-CMBootImage", "boot-image", "delete", NULL, NULL),
    NOT_HERE(
        "Set-CMDriverBootImage",
        "A boot image of Slipway is a Linux kernel with the drivers of its flavour: slipway boot-image build --flavour generic."),
    DONE_BY("Get-CMOperatingSystemImage", "os-image", "list", NULL, NULL),
    DONE_BY("New-CMOperatingSystemImage", "os-image", "add", NULL, NULL),
    DONE_BY("Set-CMOperatingSystemImage", "content", "set", NULL, NULL),
    DONE_BY("Remove-CMOperatingSystemImage", "os-image", "delete", NULL, NULL),
    DONE_BY("Get-CMOperatingSystemInstaller", "upgrade-package", "list", NULL, NULL),
    DONE_BY("Get-CMOperatingSystemUpgradePackage", "upgrade-package", "list", NULL, NULL),
    DONE_BY("New-CMOperatingSystemInstaller", "upgrade-package", "create", NULL, NULL),
    DONE_BY("New-CMOperatingSystemUpgradePackage", "upgrade-package", "create", NULL, NULL),
    DONE_BY("Set-CMOperatingSystemInstaller", "content", "set", NULL, NULL),
    DONE_BY("Set-CMOperatingSystemUpgradePackage", "content", "set", NULL, NULL),
    DONE_BY("Remove-CMOperatingSystemInstaller", "upgrade-package", "delete", NULL, NULL),
    DONE_BY("Remove-CMOperatingSystemUpgradePackage", "upgrade-package", "delete", NULL, NULL),
    NOT_HERE(
        "New-CMOperatingSystemImageUpdateSchedule",
        "Slipway puts no updates into images; bring an updated file: slipway os-image update."),
    NOT_HERE(
        "Set-CMOperatingSystemImageUpdateSchedule",
        "Slipway puts no updates into images; bring an updated file: slipway os-image update."),
    NOT_HERE(
        "Get-CMOperatingSystemImageUpdateSchedule",
        "Slipway puts no updates into images; bring an updated file: slipway os-image update."),
    NOT_HERE(
        "Remove-CMOperatingSystemImageUpdateSchedule",
        "Slipway puts no updates into images; bring an updated file: slipway os-image update."),
    NOT_HERE(
        "New-CMImageUpdateSchedule",
        "Slipway puts no updates into images; bring an updated file: slipway os-image update."),
    DONE_BY("Get-CMPackage", "package", "list", NULL, NULL),
    DONE_BY("New-CMPackage", "package", "create", NULL, NULL),
    DONE_BY("Set-CMPackage", "content", "set", NULL, NULL),
    DONE_BY("Remove-CMPackage", "package", "delete", NULL, NULL),
    /* Drivers */
    NOT_HERE("Import-CMDriver",
             "Drivers are in driver packages only: slipway driver-package create."),
    NOT_HERE("Get-CMDriver", "Drivers are in driver packages only: slipway driver-package create."),
    NOT_HERE("Set-CMDriver", "Drivers are in driver packages only: slipway driver-package create."),
    NOT_HERE("Remove-CMDriver",
             "Drivers are in driver packages only: slipway driver-package create."),
    DONE_BY("Get-CMDriverPackage", "driver-package", "list", NULL, NULL),
    DONE_BY("New-CMDriverPackage", "driver-package", "create", NULL, NULL),
    DONE_BY("Set-CMDriverPackage", "content", "set", NULL, NULL),
    DONE_BY("Remove-CMDriverPackage", "driver-package", "delete", NULL, NULL),
    DONE_BY("Add-CMDriverToDriverPackage",
            "driver-package",
            "update",
            NULL,
            "Put it into the folder of the package first, or take it away there."),
    DONE_BY("Remove-CMDriverFromDriverPackage",
            "driver-package",
            "update",
            NULL,
            "Put it into the folder of the package first, or take it away there."),
    NOT_HERE("Import-CMDriverPackage",
             "A driver package is a folder: slipway driver-package create --source PATH."),
    NOT_HERE("Export-CMDriverPackage",
             "A driver package is a folder: slipway driver-package create --source PATH."),
    /* Content */
    DONE_BY("Start-CMContentDistribution", "content", "distribute", NULL, NULL),
    DONE_BY(
        "Update-CMDistributionPoint",
        "package",
        "update",
        NULL,
        "Each kind of content has it: boot-image, driver-package, os-image, package, upgrade-package."),
    DONE_BY("Invoke-CMContentRedistribution", "content", "redistribute", NULL, NULL),
    DONE_BY("Invoke-CMContentValidation", "content", "validate", NULL, NULL),
    DONE_BY("Remove-CMContentDistribution", "content", "remove", NULL, NULL),
    DONE_BY("Get-CMDistributionStatus", "content", "status", NULL, NULL),
    DONE_BY("Publish-CMPrestageContent", "content", "prestage", NULL, NULL),
    NOT_HERE("Move-CMContentLibrary",
             "The content library is where the state folder is (slipway.conf(5))."),
    /* Site system roles */
    DONE_BY("Get-CMDistributionPoint", "dp", "list", NULL, NULL),
    DONE_BY("Get-CMDistributionPointInfo", "dp", "list", NULL, NULL),
    DONE_BY("Add-CMDistributionPoint",
            "dp",
            "create-token",
            NULL,
            "With the token slipwayd joins the site on the other machine."),
    DONE_BY("New-CMDistributionPoint",
            "dp",
            "create-token",
            NULL,
            "With the token slipwayd joins the site on the other machine."),
    DONE_BY("Set-CMDistributionPoint", "dp", "set", NULL, NULL),
    DONE_BY("Remove-CMDistributionPoint", "dp", "remove", NULL, NULL),
    DONE_BY("Get-CMDistributionPointGroup", "dp-group", "list", NULL, NULL),
    DONE_BY("New-CMDistributionPointGroup", "dp-group", "create", NULL, NULL),
    DONE_BY("Remove-CMDistributionPointGroup", "dp-group", "delete", NULL, NULL),
    DONE_BY("Add-CMDistributionPointToGroup", "dp-group", "add-member", NULL, NULL),
    DONE_BY("Remove-CMDistributionPointFromGroup", "dp-group", "remove-member", NULL, NULL),
    DONE_BY("Start-CMContentDistributionToGroup", "dp-group", "add-content", NULL, NULL),
    NOT_HERE("Add-CMManagementPoint",
             "Each site server answers clients itself (docs/several-site-servers.md)."),
    NOT_HERE("Add-CMStateMigrationPoint", "Slipway has no such role."),
    NOT_HERE("Add-CMMulticastServicePoint", "Slipway has no such role."),
    /* Collections */
    DONE_BY("Get-CMCollection", "collection", "list", NULL, NULL),
    DONE_BY("Get-CMDeviceCollection", "collection", "list", NULL, NULL),
    DONE_BY("New-CMCollection", "collection", "create", NULL, NULL),
    DONE_BY("New-CMDeviceCollection", "collection", "create", NULL, NULL),
    DONE_BY("Set-CMCollection", "collection", "set", NULL, NULL),
    DONE_BY("Set-CMDeviceCollection", "collection", "set", NULL, NULL),
    DONE_BY("Remove-CMCollection", "collection", "delete", NULL, NULL),
    DONE_BY("Remove-CMDeviceCollection", "collection", "delete", NULL, NULL),
    DONE_BY("Get-CMCollectionMember", "collection", "show", NULL, NULL),
    DONE_BY("Add-CMDeviceCollectionDirectMembershipRule",
            "collection",
            "rule",
            "add COLLECTION --direct DEVICE",
            NULL),
    DONE_BY("Remove-CMDeviceCollectionDirectMembershipRule",
            "collection",
            "rule",
            "remove COLLECTION --direct DEVICE",
            NULL),
    DONE_BY("Get-CMDeviceCollectionDirectMembershipRule",
            "collection",
            "rule",
            "list COLLECTION",
            NULL),
    DONE_BY("Add-CMDeviceCollectionQueryMembershipRule",
            "collection",
            "rule",
            "add COLLECTION --query NAME --filter FILTER",
            NULL),
    DONE_BY("Remove-CMDeviceCollectionQueryMembershipRule",
            "collection",
            "rule",
            "remove COLLECTION --query NAME",
            NULL),
    DONE_BY(
        "Get-CMDeviceCollectionQueryMembershipRule", "collection", "rule", "list COLLECTION", NULL),
    DONE_BY("Add-CMDeviceCollectionIncludeMembershipRule",
            "collection",
            "rule",
            "add COLLECTION --include COLLECTION",
            NULL),
    DONE_BY("Remove-CMDeviceCollectionIncludeMembershipRule",
            "collection",
            "rule",
            "remove COLLECTION --include COLLECTION",
            NULL),
    DONE_BY("Get-CMDeviceCollectionIncludeMembershipRule",
            "collection",
            "rule",
            "list COLLECTION",
            NULL),
    DONE_BY("Add-CMDeviceCollectionExcludeMembershipRule",
            "collection",
            "rule",
            "add COLLECTION --exclude COLLECTION",
            NULL),
    DONE_BY("Remove-CMDeviceCollectionExcludeMembershipRule",
            "collection",
            "rule",
            "remove COLLECTION --exclude COLLECTION",
            NULL),
    DONE_BY("Get-CMDeviceCollectionExcludeMembershipRule",
            "collection",
            "rule",
            "list COLLECTION",
            NULL),
    DONE_BY("Invoke-CMCollectionUpdate", "collection", "update", NULL, NULL),
    DONE_BY("Invoke-CMDeviceCollectionUpdate", "collection", "update", NULL, NULL),
    DONE_BY("New-CMDeviceCollectionVariable",
            "collection",
            "variable",
            "set COLLECTION NAME=VALUE",
            NULL),
    DONE_BY("Set-CMDeviceCollectionVariable",
            "collection",
            "variable",
            "set COLLECTION NAME=VALUE",
            NULL),
    DONE_BY("Get-CMDeviceCollectionVariable", "collection", "variable", "list COLLECTION", NULL),
    DONE_BY("Remove-CMDeviceCollectionVariable",
            "collection",
            "variable",
            "remove COLLECTION NAME",
            NULL),
    DONE_BY("New-CMMaintenanceWindow",
            "collection",
            "window",
            "add COLLECTION --name NAME --start WHEN --minutes NUMBER",
            NULL),
    DONE_BY("Set-CMMaintenanceWindow",
            "collection",
            "window",
            "add COLLECTION --name NAME --start WHEN --minutes NUMBER",
            NULL),
    DONE_BY("Get-CMMaintenanceWindow", "collection", "window", "list COLLECTION", NULL),
    DONE_BY("Remove-CMMaintenanceWindow",
            "collection",
            "window",
            "remove COLLECTION --name NAME",
            NULL),
    /* Devices */
    DONE_BY("Get-CMDevice", "device", "list", NULL, NULL),
    DONE_BY("Get-CMResource", "device", "list", NULL, NULL),
    DONE_BY("Import-CMComputerInformation",
            "device",
            "import",
            NULL,
            "A file of many: slipway device import-file."),
    DONE_BY("Remove-CMDevice", "device", "delete", NULL, NULL),
    DONE_BY("Remove-CMResource", "device", "delete", NULL, NULL),
    DONE_BY("Block-CMDevice", "device", "block", NULL, NULL),
    DONE_BY("Unblock-CMDevice", "device", "unblock", NULL, NULL),
    DONE_BY("Approve-CMDevice", "unknown", "approve", NULL, NULL),
    DONE_BY("New-CMDeviceVariable", "device", "variable", "set DEVICE NAME=VALUE", NULL),
    DONE_BY("Set-CMDeviceVariable", "device", "variable", "set DEVICE NAME=VALUE", NULL),
    DONE_BY("Get-CMDeviceVariable", "device", "variable", "list DEVICE", NULL),
    DONE_BY("Remove-CMDeviceVariable", "device", "variable", "remove DEVICE NAME", NULL),
    DONE_BY("Clear-CMPxeDeployment",
            "device",
            "clear-pxe",
            NULL,
            "Of all devices of a collection: slipway collection clear-pxe."),
    NOT_HERE("New-CMComputerAssociation",
             "Slipway moves no user state from one computer to another."),
    NOT_HERE("Get-CMComputerAssociation",
             "Slipway moves no user state from one computer to another."),
    NOT_HERE("Remove-CMComputerAssociation",
             "Slipway moves no user state from one computer to another."),
    NOT_HERE("Import-CMComputerAssociation",
             "Slipway moves no user state from one computer to another."),
    DONE_BY("Get-CMUserDeviceAffinity", "affinity", "list", NULL, NULL),
    DONE_BY("Add-CMUserAffinityToDevice", "affinity", "add", NULL, NULL),
    DONE_BY("Add-CMDeviceAffinityToUser", "affinity", "add", NULL, NULL),
    DONE_BY("Remove-CMUserAffinityFromDevice", "affinity", "remove", NULL, NULL),
    DONE_BY("Remove-CMDeviceAffinityFromUser", "affinity", "remove", NULL, NULL),
    DONE_BY("Import-CMUserDeviceAffinity", "affinity", "import", NULL, NULL),
    DONE_BY("Get-CMUserDeviceAffinityRequest", "affinity", "requests", NULL, NULL),
    DONE_BY("Approve-CMUserDeviceAffinityRequest", "affinity", "approve", NULL, NULL),
    DONE_BY("Deny-CMUserDeviceAffinityRequest", "affinity", "deny", NULL, NULL),
    /* Security */
    DONE_BY("Get-CMAdministrativeUser", "admin", "list", NULL, NULL),
    DONE_BY("New-CMAdministrativeUser", "admin", "create", NULL, NULL),
    DONE_BY("Remove-CMAdministrativeUser", "admin", "delete", NULL, NULL),
    DONE_BY("Add-CMSecurityRoleToAdministrativeUser", "admin", "grant", NULL, NULL),
    DONE_BY("Add-CMSecurityScopeToAdministrativeUser", "admin", "grant", NULL, NULL),
    DONE_BY("Add-CMCollectionToAdministrativeUser", "admin", "grant", NULL, NULL),
    DONE_BY("Remove-CMSecurityRoleFromAdministrativeUser", "admin", "revoke", NULL, NULL),
    DONE_BY("Remove-CMSecurityScopeFromAdministrativeUser", "admin", "revoke", NULL, NULL),
    DONE_BY("Remove-CMCollectionFromAdministrativeUser", "admin", "revoke", NULL, NULL),
    DONE_BY("Get-CMSecurityRole", "security-role", "list", NULL, NULL),
    DONE_BY("Copy-CMSecurityRole", "security-role", "copy", NULL, NULL),
    DONE_BY("Set-CMSecurityRole", "security-role", "set", NULL, NULL),
    DONE_BY("Set-CMSecurityRolePermission", "security-role", "set", NULL, NULL),
    DONE_BY("Remove-CMSecurityRole", "security-role", "delete", NULL, NULL),
    DONE_BY("Import-CMSecurityRole", "security-role", "import", NULL, NULL),
    DONE_BY("Export-CMSecurityRole", "security-role", "show", "ROLE --output json", NULL),
    DONE_BY("Get-CMSecurityScope", "security-scope", "list", NULL, NULL),
    DONE_BY("New-CMSecurityScope", "security-scope", "create", NULL, NULL),
    DONE_BY("Remove-CMSecurityScope", "security-scope", "delete", NULL, NULL),
    DONE_BY("Add-CMObjectSecurityScope", "security-scope", "add-object", NULL, NULL),
    DONE_BY("Remove-CMObjectSecurityScope", "security-scope", "remove-object", NULL, NULL),
    DONE_BY("Get-CMObjectSecurityScope", "security-scope", "show", NULL, NULL),
    /* Boundaries */
    DONE_BY("Get-CMBoundary", "boundary", "list", NULL, NULL),
    DONE_BY("New-CMBoundary", "boundary", "create", NULL, NULL),
    DONE_BY("Remove-CMBoundary", "boundary", "delete", NULL, NULL),
    DONE_BY("Get-CMBoundaryGroup", "boundary-group", "list", NULL, NULL),
    DONE_BY("New-CMBoundaryGroup", "boundary-group", "create", NULL, NULL),
    DONE_BY("Set-CMBoundaryGroup", "boundary-group", "set", NULL, NULL),
    DONE_BY("Remove-CMBoundaryGroup", "boundary-group", "delete", NULL, NULL),
    DONE_BY("Add-CMBoundaryToGroup", "boundary-group", "add-boundary", NULL, NULL),
    DONE_BY("Remove-CMBoundaryFromGroup", "boundary-group", "remove-boundary", NULL, NULL),
    DONE_BY("New-CMBoundaryGroupRelationship", "boundary-group", "add-neighbour", NULL, NULL),
    DONE_BY("Set-CMBoundaryGroupRelationship", "boundary-group", "add-neighbour", NULL, NULL),
    DONE_BY("Remove-CMBoundaryGroupRelationship", "boundary-group", "remove-neighbour", NULL, NULL),
    /* Monitoring */
    DONE_BY("Get-CMAlert", "alert", "list", NULL, NULL),
    NOT_HERE("New-CMAlertSubscription",
             "Alerts are sent by web hook and e-mail as slipway.conf(5) says under [alerts]."),
    DONE_BY("Get-CMSiteStatusMessage", "log", NULL, NULL, NULL),
    DONE_BY("Get-CMComponentStatusMessage", "log", NULL, NULL, NULL),
    DONE_BY("Get-CMDeploymentStatusMessage", "log", NULL, NULL, NULL),
    DONE_BY("Invoke-CMReport", "report", NULL, NULL, NULL),
    DONE_BY("Get-CMReport", "report", NULL, NULL, NULL),
    DONE_BY("Get-CMSite", "status", NULL, NULL, NULL),
    {0},
};

/* Whether @word is @name, or begins as one with a '*' at its end does. */
static bool fits(const char *name, const char *word)
{
    size_t len = strlen(name);

    if (name[len - 1] == '*')
        return strncasecmp(name, word, len - 1) == 0;
    return strcasecmp(name, word) == 0;
}

bool cmdlet_is_one(const char *word)
{
    const char *dash = strchr(word, '-');

    return dash && dash > word && strncasecmp(dash, "-CM", 3) == 0 && dash[3] != '\0';
}

const struct cmdlet *cmdlet_find(const char *word)
{
    for (const struct cmdlet *c = cmdlets; c->name; c++)
        if (fits(c->name, word))
            return c;
    return NULL;
}

static const struct args_command *row_of(const struct cmdlet *cmdlet,
                                         const struct args_command *table)
{
    for (; table->noun; table = args_next(table)) {
        if (strcmp(table->noun, cmdlet->noun) != 0)
            continue;
        if (table->verb ? cmdlet->verb && strcmp(table->verb, cmdlet->verb) == 0 : !cmdlet->verb)
            return table;
    }
    return NULL;
}

void cmdlet_put_native(struct buf *dst,
                       const struct cmdlet *cmdlet,
                       const struct args_command *table)
{
    const struct args_command *row = cmdlet->noun ? row_of(cmdlet, table) : NULL;

    if (!row)
        return;
    buf_addf(dst, "slipway %s", row->noun);
    if (row->verb)
        buf_addf(dst, " %s", row->verb);
    if (cmdlet->more) {
        buf_addf(dst, " %s", cmdlet->more);
        return;
    }
    for (size_t i = 0; i < ARGS_OPERANDS_MAX && row->operands[i]; i++)
        buf_addf(dst, " %s", row->operands[i]);
    for (const struct args_option *o = row->options; o->name; o++)
        if (o->is_required)
            buf_addf(dst, " --%s %s", o->name, o->value ? o->value : "");
}
