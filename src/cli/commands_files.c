/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

#define FILE_OPTION \
    OPTION_NEEDED( \
        "file", "FILE", "Documents: a file, - for standard input, or a folder of files; also -f.")

const struct args_command files_commands[] = {
    {
        .noun = "get",
        .operands = {"KIND", "[NAME]"},
        .summary = "Print things of the site as documents, which slipway apply takes.",
        .run = site_get,
    },
    {
        .noun = "apply",
        .summary = "Make the site what documents say: create what is missing, change what differs.",
        .effect = ARGS_CHANGES,
        .run = site_apply,
        .options =
            {
                FILE_OPTION,
                OPTION("confirm",
                       "NUMBER",
                       "How many devices a new deployment reaches, as deployment create wants it."),
            },
    },
    {
        .noun = "diff",
        .summary = "Show where the site differs from documents; the exit code is 1 if it does.",
        .run = site_diff,
        .options = {FILE_OPTION},
    },
    {
        .noun = "delete",
        .summary = "Delete the things that documents name.",
        .effect = ARGS_DESTROYS,
        .run = site_delete,
        .options = {FILE_OPTION},
    },
    {
        .noun = "export-site",
        .summary = "Print everything the site consists of as documents, without secrets.",
        .run = site_export,
        .options = {OPTION(
            "folder",
            "FOLDER",
            "Write a file per thing below this folder instead; remove those of a former export "
            "that are none of this one.")},
    },
    {.noun = NULL},
};
