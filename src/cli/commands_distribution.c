/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

const struct args_command distribution_commands[] = {
    {
        .noun = "content",
        .verb = "distribute",
        .operands = {"CONTENT"},
        .summary =
            "Have content, or all that a task sequence refers to, copied to distribution points.",
        .effect = ARGS_CHANGES,
        .run = distribution_distribute,
        .options =
            {
                OPTION("dp", "DP,...", "Distribution points, by id or name."),
                OPTION("group", "GROUP,...", "Distribution point groups, by id or name."),
            },
    },
    {
        .noun = "content",
        .verb = "status",
        .operands = {"CONTENT"},
        .summary = "Show how content stands on each of its distribution points.",
        .topics = "content",
        .run = distribution_status,
    },
    {
        .noun = "content",
        .verb = "redistribute",
        .operands = {"CONTENT"},
        .summary =
            "Have every byte sent to distribution points again, or what has failed tried at once.",
        .effect = ARGS_CHANGES,
        .run = distribution_redistribute,
        .options =
            {
                OPTION("dp",
                       "DP,...",
                       "Distribution points, by id or name; if missing all that have it."),
            },
    },
    {
        .noun = "content",
        .verb = "validate",
        .operands = {"CONTENT"},
        .summary = "Have distribution points read content and compare it with its hashes.",
        .effect = ARGS_CHANGES,
        .run = distribution_validate,
        .options =
            {
                OPTION("dp",
                       "DP,...",
                       "Distribution points, by id or name; if missing all that have it."),
            },
    },
    {
        .noun = "content",
        .verb = "cancel",
        .operands = {"CONTENT"},
        .summary = "End what is being done with content on distribution points.",
        .effect = ARGS_DESTROYS,
        .run = distribution_cancel,
        .options =
            {
                OPTION(
                    "dp",
                    "DP,...",
                    "Distribution points, by id or name; if missing all that are at work on it."),
            },
    },
    {
        .noun = "content",
        .verb = "remove",
        .operands = {"CONTENT"},
        .summary = "Take content off a distribution point, or off a group and its members.",
        .effect = ARGS_DESTROYS,
        .run = distribution_remove,
        .options =
            {
                OPTION("dp", "DP", "Distribution point, by id or name."),
                OPTION("group", "GROUP", "Distribution point group, by id or name."),
            },
    },
    {
        .noun = "content",
        .verb = "history",
        .operands = {"CONTENT"},
        .summary = "Show what happened to content on distribution points, oldest first.",
        .topics = "content",
        .run = distribution_history,
        .options =
            {
                OPTION("dp",
                       "DP,...",
                       "Distribution points, by id or name; if missing all that have it."),
            },
    },
    {
        .noun = "dp",
        .verb = "create-token",
        .operands = {"NAME"},
        .summary =
            "Make a token with which a host becomes a distribution point, once and within 24 hours.",
        .effect = ARGS_CHANGES,
        .run = dp_create_token,
    },
    {
        .noun = "dp",
        .verb = "list",
        .summary = "List the distribution points.",
        .topics = "distribution-points",
        .run = dp_list,
    },
    {
        .noun = "dp",
        .verb = "show",
        .operands = {"DP"},
        .summary = "Show a distribution point (id or name), its rules and its content.",
        .topics = "distribution-points",
        .run = dp_show,
    },
    {
        .noun = "dp",
        .verb = "set",
        .operands = {"DP"},
        .summary = "Change the properties of a distribution point.",
        .effect = ARGS_CHANGES,
        .run = dp_set,
        .options =
            {
                OPTION("name", "NAME", "Name of at most 50 characters."),
                OPTION("comment", "TEXT", "Comment of at most 127 characters."),
                OPTION_OF("disabled",
                          "ANSWER",
                          "yes|no",
                          "Whether clients and other distribution points leave it alone."),
                OPTION("reserve", "SIZE", "Space that copying leaves free on its disk: 500M, 20G."),
                OPTION(
                    "sources",
                    "DP,...",
                    "Where it copies from before it asks the site, the first one first; or none."),
                OPTION(
                    "schedule",
                    "RULES",
                    "When what may be copied to it: \"mon-fri 8-18 high-only; sat,sun 0-24 open\", or none."),
                OPTION("rate-limit",
                       "RULES",
                       "How fast, in bytes per second: \"mon-fri 8-18 10M\", or none."),
                OPTION("validation",
                       "RULES",
                       "When all its content is validated: \"sun 2-5\", or none."),
            },
    },
    {
        .noun = "dp",
        .verb = "remove",
        .operands = {"DP"},
        .summary = "Forget a distribution point that has no content.",
        .effect = ARGS_DESTROYS,
        .run = dp_remove,
        .options =
            {
                OPTION("force", NULL, "Also if it has content; the files stay on its host."),
            },
    },
    {
        .noun = "dp-group",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Create an empty distribution point group.",
        .effect = ARGS_CHANGES,
        .run = dp_group_create,
        .options =
            {
                OPTION("comment", "TEXT", "Comment of at most 127 characters."),
            },
    },
    {
        .noun = "dp-group",
        .verb = "list",
        .summary = "List the distribution point groups.",
        .topics = "distribution-points",
        .run = dp_group_list,
    },
    {
        .noun = "dp-group",
        .verb = "show",
        .operands = {"GROUP"},
        .summary = "Show a group (id or name), its members and its content.",
        .topics = "distribution-points",
        .run = dp_group_show,
    },
    {
        .noun = "dp-group",
        .verb = "delete",
        .operands = {"GROUP"},
        .summary = "Delete a group; its members keep their content.",
        .effect = ARGS_DESTROYS,
        .run = dp_group_delete,
    },
    {
        .noun = "dp-group",
        .verb = "add-member",
        .operands = {"GROUP", "DP"},
        .summary = "Add a distribution point to a group, whose content it gets.",
        .effect = ARGS_CHANGES,
        .run = dp_group_add_member,
    },
    {
        .noun = "dp-group",
        .verb = "remove-member",
        .operands = {"GROUP", "DP"},
        .summary = "Take a distribution point out of a group; it keeps its content.",
        .effect = ARGS_DESTROYS,
        .run = dp_group_remove_member,
    },
    {
        .noun = "dp-group",
        .verb = "add-content",
        .operands = {"GROUP", "CONTENT"},
        .summary =
            "Have content, or all that a task sequence refers to, copied to each member, also to later ones.",
        .effect = ARGS_CHANGES,
        .run = dp_group_add_content,
    },
    {.noun = NULL, .more = boundary_commands},
};
