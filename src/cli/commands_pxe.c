/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

const struct args_command pxe_commands[] = {
    {
        .noun = "pxe",
        .verb = "rule",
        .operands = {"list|show|set|remove", "[ID]"},
        .summary =
            "What computers that start from the network are asked, by the site or a distribution point.",
        .effect = ARGS_CHANGES,
        .run = pxe_rule,
        .options =
            {
                OPTION_OF("ask-password",
                          "YES|NO",
                          "yes|no|inherit",
                          "Of set: whether the password is asked for, if there is one."),
                OPTION(
                    "menu-seconds",
                    "NUMBER",
                    "Of set: how long the firmware's menu waits for Slipway to be chosen; inherit."),
                OPTION("choice-seconds",
                       "NUMBER",
                       "Of set: how long the list of deployments waits until the first begins; 0: "
                       "without end; inherit."),
            },
    },
    {
        .noun = "pxe",
        .verb = "password",
        .operands = {"set|remove", "ID"},
        .summary =
            "The password that is typed on the screen of a computer that starts from the network.",
        .effect = ARGS_CHANGES,
        .run = pxe_password,
        .options =
            {
                OPTION("password", "@FILE", "Of set: from a file, or @-: from standard input."),
            },
    },
    {.noun = NULL, .more = affinity_commands},
};
