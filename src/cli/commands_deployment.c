/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/deployment_terms.h"
#include "cli/table.h"

const struct args_command deployment_commands[] = {
    {
        .noun = "alert",
        .verb = "list",
        .summary = "Show what somebody should look at.",
        .run = alert_list,
        .options = {OPTION_OF(
            "state", "STATE", "active|acknowledged|closed", "Only alerts in this state.")},
        .topics = "alerts",
    },
    {
        .noun = "alert",
        .verb = "acknowledge",
        .operands = {"NUMBER"},
        .summary = "Say that an alert was seen.",
        .effect = ARGS_CHANGES,
        .run = alert_acknowledge,
    },
    {
        .noun = "alert",
        .verb = "close",
        .operands = {"NUMBER"},
        .summary = "Close an alert.",
        .effect = ARGS_CHANGES,
        .run = alert_close,
    },
    {
        .noun = "report",
        .operands = {"[NAME]"},
        .summary = "Show a report, or which reports there are.",
        .run = report_show,
        .options =
            {
                OPTION("csv", NULL, "As comma-separated values."),
                OPTION("deployment", "ID", "Only of this deployment."),
                OPTION("device",
                       "DEVICE",
                       "Only of this device (id, name, MAC address or SMBIOS UUID)."),
                OPTION("days", "NUMBER", "Only what began in the last so many days."),
            },
    },
    {
        .noun = "deployment",
        .verb = "status",
        .operands = {"ID"},
        .summary = "Show how many devices are in which category, and why.",
        .is_by_id = true,
        .run = deployment_status,
        .options = {OPTION_OF("category",
                              "CATEGORY",
                              "success|in-progress|error|requirements-not-met|unknown",
                              "Only devices of this category.")},
        .topics = "deployments",
        .is_over = deployment_is_over,
    },
    {
        .noun = "deployment",
        .verb = "steps",
        .operands = {"ID"},
        .summary = "Show the steps that ran on a device: exit codes, durations, output.",
        .topics = "deployments",
        .run = deployment_steps,
        .options = {OPTION_NEEDED(
            "device", "DEVICE", "The device (id, name, MAC address or SMBIOS UUID).")},
    },
    {
        .noun = "deployment",
        .verb = "set",
        .operands = {"ID"},
        .summary = "Change when and for whom a deployment is.",
        .effect = ARGS_CHANGES,
        .run = deployment_set,
        .options = {DEPLOYMENT_TERMS_OPTIONS},
    },
    {
        .noun = "deployment",
        .verb = "enable",
        .operands = {"ID"},
        .summary = "Let devices begin a deployment again.",
        .options = {OPTION(
            "confirm",
            "NUMBER",
            "How many devices it reaches, to confirm that their disks may be wiped.")},
        .effect = ARGS_CHANGES,
        .run = deployment_enable,
    },
    {
        .noun = "deployment",
        .verb = "disable",
        .operands = {"ID"},
        .summary = "Let no device begin a deployment; those that run it go on.",
        .effect = ARGS_CHANGES,
        .run = deployment_disable,
    },
    {
        .noun = "deployment",
        .verb = "delete",
        .operands = {"ID"},
        .summary = "Delete a deployment that no device runs.",
        .effect = ARGS_DESTROYS,
        .run = deployment_delete,
    },
    {
        .noun = "device",
        .verb = "clear-pxe",
        .operands = {"DEVICE"},
        .summary = "Forget what required deployments did on a device: they may begin anew.",
        .effect = ARGS_DESTROYS,
        .run = device_clear_pxe,
    },
    {
        .noun = "collection",
        .verb = "clear-pxe",
        .operands = {"COLLECTION"},
        .summary = "The same for all members of a collection.",
        .effect = ARGS_DESTROYS,
        .run = collection_clear_pxe,
    },
    {.noun = NULL, .more = phased_commands},
};
