/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

const struct args_command affinity_commands[] = {
    {
        .noun = "affinity",
        .verb = "list",
        .operands = {"DEVICE"},
        .summary = "List the primary users of a device.",
        .run = affinity_list,
    },
    {
        .noun = "affinity",
        .verb = "add",
        .operands = {"DEVICE", "USER"},
        .summary = "Make somebody a primary user of a device.",
        .effect = ARGS_CHANGES,
        .run = affinity_add,
    },
    {
        .noun = "affinity",
        .verb = "remove",
        .operands = {"DEVICE", "USER"},
        .summary = "Make somebody no primary user of a device any more.",
        .effect = ARGS_DESTROYS,
        .run = affinity_remove,
    },
    {
        .noun = "affinity",
        .verb = "import",
        .operands = {"FILE"},
        .summary = "Import lines USER,DEVICE from a CSV file (- is standard input), all or none.",
        .effect = ARGS_CHANGES,
        .run = affinity_import,
    },
    {
        .noun = "affinity",
        .verb = "requests",
        .summary = "List the primary users that deployments want and nobody has decided about.",
        .run = affinity_requests,
    },
    {
        .noun = "affinity",
        .verb = "approve",
        .operands = {"DEVICE", "USER"},
        .summary = "Let a deployment make somebody a primary user.",
        .effect = ARGS_CHANGES,
        .run = affinity_approve,
    },
    {
        .noun = "affinity",
        .verb = "deny",
        .operands = {"DEVICE", "USER"},
        .summary = "Do not let a deployment make somebody a primary user.",
        .effect = ARGS_CHANGES,
        .run = affinity_deny,
    },
    {
        .noun = "affinity",
        .verb = "mode",
        .operands = {"[none|pending|automatic]"},
        .summary = "Show or set what deployments may assign.",
        .effect = ARGS_CHANGES,
        .run = affinity_mode,
    },
    {.noun = NULL, .more = content_commands},
};
