/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

const struct args_command unknown_commands[] = {
    {
        .noun = "unknown",
        .verb = "list",
        .summary = "List the unknown computers that wait for an approval or a name.",
        .topics = "unknown-computers",
        .run = unknown_list,
    },
    {
        .noun = "unknown",
        .verb = "approve",
        .operands = {"CODE"},
        .summary = "Approve the unknown computer whose screen shows this code.",
        .effect = ARGS_CHANGES,
        .run = unknown_approve,
        .options = {OPTION("name", "NAME", "What it is called from now on.")},
    },
    {
        .noun = "unknown",
        .verb = "deny",
        .operands = {"CODE"},
        .summary = "Deny the unknown computer whose screen shows this code.",
        .effect = ARGS_CHANGES,
        .run = unknown_deny,
        .options = {OPTION("reason", "TEXT", "Why; its screen shows it.")},
    },
    {
        .noun = "unknown",
        .verb = "forget",
        .operands = {"DEVICE"},
        .summary = "Forget the request of a device, so that it may ask again when it boots.",
        .effect = ARGS_DESTROYS,
        .run = unknown_forget,
    },
    {
        .noun = "unknown",
        .verb = "rule",
        .operands = {"list|show|set|remove", "[ID]"},
        .summary =
            "The rules for unknown computers of the site, a distribution point or a deployment.",
        .effect = ARGS_CHANGES,
        .run = unknown_rule,
        .options =
            {
                OPTION_OF("allow",
                          "YES|NO",
                          "yes|no|inherit",
                          "Of set: whether unknown computers are offered anything."),
                OPTION("name-pattern",
                       "PATTERN",
                       "Of set: how they are named: PC-%serial:6%, LAB-%counter:3%; inherit."),
                OPTION("name-max", "NUMBER", "Of set: the longest name, 1 to 63; inherit."),
                OPTION_OF("ask-name",
                          "YES|NO",
                          "yes|no|inherit",
                          "Of set: whether their screens ask for the name."),
                OPTION_OF("approval",
                          "YES|NO",
                          "yes|no|inherit",
                          "Of set: whether an administrator approves before anything is written."),
                OPTION("approval-hours",
                       "NUMBER",
                       "Of set: how long they wait, 1 to 720 hours; inherit."),
            },
    },
    {
        .noun = "unknown",
        .verb = "preview-name",
        .operands = {"[PATTERN]"},
        .summary = "Show what a pattern, or the site's, makes of a computer; nothing is changed.",
        .run = unknown_preview_name,
        .options =
            {
                OPTION("device", "DEVICE", "Of this device."),
                OPTION("serial", "TEXT", "Serial number."),
                OPTION("asset", "TEXT", "Asset tag."),
                OPTION("model", "TEXT", "Model."),
                OPTION("manufacturer", "TEXT", "Manufacturer."),
                OPTION("mac", "MAC", "MAC address."),
                OPTION_OF("arch", "ARCH", "x64|x86|arm64", "Architecture."),
                OPTION("name-max", "NUMBER", "The longest name."),
            },
    },
    {.noun = NULL, .more = pxe_commands},
};
