/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

const struct args_command boundary_commands[] = {
    {
        .noun = "boundary",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Create a boundary: addresses of clients.",
        .effect = ARGS_CHANGES,
        .run = boundary_create,
        .options =
            {
                OPTION("subnet", "SUBNET", "IPv4 subnet: 10.77.0.0/16."),
                OPTION("range", "FIRST-LAST", "IPv4 range: 10.77.0.10-10.77.0.99."),
                OPTION("ipv6-prefix", "PREFIX", "IPv6 prefix: fd00:77::/64."),
            },
    },
    {
        .noun = "boundary",
        .verb = "list",
        .summary = "List the boundaries and the groups they are in.",
        .topics = "boundaries",
        .run = boundary_list,
    },
    {
        .noun = "boundary",
        .verb = "delete",
        .operands = {"BOUNDARY"},
        .summary = "Delete a boundary (id or name).",
        .effect = ARGS_DESTROYS,
        .run = boundary_delete,
    },
    {
        .noun = "boundary-group",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Create an empty boundary group.",
        .effect = ARGS_CHANGES,
        .run = boundary_group_create,
        .options =
            {
                OPTION("comment", "TEXT", "Comment of at most 127 characters."),
            },
    },
    {
        .noun = "boundary-group",
        .verb = "list",
        .summary = "List the boundary groups.",
        .topics = "boundaries",
        .run = boundary_group_list,
    },
    {
        .noun = "boundary-group",
        .verb = "show",
        .operands = {"GROUP"},
        .summary =
            "Show a boundary group (id or name), its boundaries, distribution points and neighbours.",
        .topics = "boundaries",
        .run = boundary_group_show,
    },
    {
        .noun = "boundary-group",
        .verb = "set",
        .operands = {"GROUP"},
        .summary = "Change what a boundary group is called.",
        .effect = ARGS_CHANGES,
        .run = boundary_group_set,
        .options =
            {
                OPTION("name", "NAME", "Name of at most 50 characters."),
                OPTION("comment", "TEXT", "Comment of at most 127 characters."),
            },
    },
    {
        .noun = "boundary-group",
        .verb = "delete",
        .operands = {"GROUP"},
        .summary = "Delete a boundary group.",
        .effect = ARGS_DESTROYS,
        .run = boundary_group_delete,
    },
    {
        .noun = "boundary-group",
        .verb = "add-boundary",
        .operands = {"GROUP", "BOUNDARY"},
        .summary = "Add a boundary to a group.",
        .effect = ARGS_CHANGES,
        .run = boundary_group_add_boundary,
    },
    {
        .noun = "boundary-group",
        .verb = "remove-boundary",
        .operands = {"GROUP", "BOUNDARY"},
        .summary = "Take a boundary out of a group.",
        .effect = ARGS_DESTROYS,
        .run = boundary_group_remove_boundary,
    },
    {
        .noun = "boundary-group",
        .verb = "add-dp",
        .operands = {"GROUP", "DP"},
        .summary = "Have a distribution point serve the clients of a group.",
        .effect = ARGS_CHANGES,
        .run = boundary_group_add_dp,
    },
    {
        .noun = "boundary-group",
        .verb = "remove-dp",
        .operands = {"GROUP", "DP"},
        .summary = "Take a distribution point out of a group.",
        .effect = ARGS_DESTROYS,
        .run = boundary_group_remove_dp,
    },
    {
        .noun = "boundary-group",
        .verb = "add-neighbour",
        .operands = {"GROUP", "NEIGHBOUR"},
        .summary =
            "Let the clients of a group fall back to the distribution points of another one.",
        .effect = ARGS_CHANGES,
        .run = boundary_group_add_neighbour,
        .options =
            {
                OPTION(
                    "fallback",
                    "MINUTES",
                    "After how long, or never (default: 120); a task sequence takes the shortest first and waits for none."),
            },
    },
    {
        .noun = "boundary-group",
        .verb = "remove-neighbour",
        .operands = {"GROUP", "NEIGHBOUR"},
        .summary = "Take a neighbour from a group.",
        .effect = ARGS_DESTROYS,
        .run = boundary_group_remove_neighbour,
    },
    {
        .noun = "boundary-group",
        .verb = "explain",
        .operands = {"ADDRESS"},
        .summary =
            "Show which distribution points a client of this address uses, in which order, and why.",
        .run = boundary_group_explain,
    },
    {.noun = NULL, .more = sequence_commands},
};
