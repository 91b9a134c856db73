/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

const struct args_command phased_commands[] = {
    {
        .noun = "phased-deployment",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Deploy a task sequence to one collection after the other.",
        .effect = ARGS_CHANGES,
        .run = phased_deployment_create,
        .options =
            {
                OPTION_NEEDED("task-sequence", "SEQUENCE", "Task sequence (id or name) to deploy."),
                OPTION_MANY("phase",
                            "COLLECTION",
                            "Collection (id or name) of a phase; given for each phase, in order."),
                OPTION_OF("purpose",
                          "PURPOSE",
                          "required|available",
                          "Whether it must run or may be chosen (default: required)."),
                OPTION("success",
                       "PERCENT",
                       "The next phase begins when so many per cent have succeeded (default: 95)."),
                OPTION("success-devices", "NUMBER", "Or when so many devices have, instead."),
                OPTION("defer", "DAYS", "So long after that (default: 1)."),
                OPTION("by-hand", NULL, "The next phase begins by hand, not by itself."),
                OPTION("deadline",
                       "DAYS",
                       "A required one is due so long after its phase began (default: 0, as soon "
                       "as possible)."),
                OPTION("available-over",
                       "DAYS",
                       "The devices of a phase get it spread over so many days, at most 30 "
                       "(default: 0, all at once)."),
                OPTION_OF("content-option",
                          "OPTION",
                          "download-when-needed|download-all-first|stream",
                          "When content gets to the devices (default: stream)."),
                OPTION_OF("priority",
                          "PRIORITY",
                          "high|normal|low",
                          "Which goes first where several reach a device (default: normal)."),
                OPTION(
                    "confirm",
                    "NUMBER",
                    "How many devices the required phases reach together, to confirm that their disks "
                    "may be wiped."),
                OPTION("comment", "TEXT", "A comment of at most 255 characters."),
            },
    },
    {
        .noun = "phased-deployment",
        .verb = "list",
        .summary = "List the phased deployments and how they stand.",
        .run = phased_deployment_list,
        .topics = "deployments",
    },
    {
        .noun = "phased-deployment",
        .verb = "show",
        .operands = {"NAME"},
        .summary = "Show how each phase goes, and why one waits.",
        .topics = "deployments",
        .run = phased_deployment_show,
    },
    {
        .noun = "phased-deployment",
        .verb = "pause",
        .operands = {"NAME"},
        .summary = "Suspend it: no phase begins; those that have begun go on.",
        .effect = ARGS_CHANGES,
        .run = phased_deployment_pause,
    },
    {
        .noun = "phased-deployment",
        .verb = "resume",
        .operands = {"NAME"},
        .summary = "Let its phases begin again.",
        .effect = ARGS_CHANGES,
        .run = phased_deployment_resume,
    },
    {
        .noun = "phased-deployment",
        .verb = "next",
        .operands = {"NAME", "[PHASE]"},
        .summary =
            "Begin the next phase, PHASE if it is said, now, however the one before it goes.",
        .effect = ARGS_CHANGES,
        .run = phased_deployment_next,
        .options = {OPTION(
            "confirm",
            "NUMBER",
            "How many devices the phase reaches, to confirm that their disks may be wiped.")},
    },
    {
        .noun = "phased-deployment",
        .verb = "delete",
        .operands = {"NAME"},
        .summary = "Delete it: no further phase begins; the deployments that it has made stay.",
        .effect = ARGS_DESTROYS,
        .run = phased_deployment_delete,
    },
    {.noun = NULL, .more = security_commands},
};
