/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

#define MAP_OPTION \
    OPTION_MANY( \
        "map", \
        "OLD=NEW", \
        "A reference, by id or by the name that its file gives it, and the id or name of what takes its place; may be given more than once.")

#define MAP_BY_NAME_OPTION \
    OPTION( \
        "map-by-name", \
        NULL, \
        "What the site lacks is replaced by what has the same name here, and of several the version of the file.")

const struct args_command sequence_commands[] = {
    {
        .noun = "ts",
        .verb = "import",
        .operands = {"FILE"},
        .summary =
            "Import task sequences: XML, object.xml, the .zip of an export, or YAML; - is standard input.",
        .effect = ARGS_CHANGES,
        .run = sequence_import,
        .options =
            {
                OPTION("name",
                       "NAME",
                       "Name; the document's own if missing, or the file's if that has none."),
                OPTION(
                    "boot-image",
                    "IMAGE",
                    "Boot image (id or name) that devices start it from; the file's own if missing."),
                MAP_OPTION,
                MAP_BY_NAME_OPTION,
                OPTION("into", "SEQUENCE", "Make it the next version of this task sequence."),
            },
    },
    {
        .noun = "ts",
        .verb = "export",
        .operands = {"SEQUENCE"},
        .summary =
            "Write a task sequence (id, name or file) to standard output, without its passwords.",
        .run = sequence_export,
        .options =
            {
                OPTION("version", "NUMBER", "Which version (default: the newest)."),
                OPTION_OF(
                    "format",
                    "FORMAT",
                    "xml|yaml|zip",
                    "XML as Configuration Manager has it (default), YAML for version control, or the .zip of its console, with the task sequences that it runs."),
                OPTION("sequence",
                       "NAME|ID",
                       "Which one, if the file has several that no other one runs."),
            },
    },
    {
        .noun = "ts",
        .verb = "list",
        .summary = "List the task sequences.",
        .topics = "task-sequences",
        .run = sequence_list,
    },
    {
        .noun = "ts",
        .verb = "show",
        .operands = {"SEQUENCE"},
        .summary = "Show a task sequence (id, name or file), its steps and what is wrong with it.",
        .topics = "task-sequences",
        .run = sequence_show,
        .options =
            {
                OPTION("xml", NULL, "Print the document instead, without its passwords."),
                OPTION("sequence",
                       "NAME|ID",
                       "Which one, if the file has several that no other one runs."),
            },
    },
    {
        .noun = "ts",
        .verb = "validate",
        .operands = {"FILE"},
        .summary =
            "Check a file without importing it, or a task sequence (id or name) of the site; without a login, what a file refers to is not looked up.",
        .run = sequence_validate,
        .options = {OPTION("offline", NULL, "Look at the file alone, also after a login.")},
    },
    {
        .noun = "ts",
        .verb = "simulate",
        .operands = {"SEQUENCE"},
        .summary =
            "Say which steps of a task sequence (id, name or file) would run, and why the others not.",
        .run = sequence_simulate,
        .options =
            {
                OPTION("device", "DEVICE", "For this device, as the site knows it."),
                OPTION("facts", "FILE", "For the computer that slipway-agent facts has described."),
                OPTION_MANY("var", "NAME=VALUE", "Set a variable; may be given more than once."),
                OPTION_OF("environment",
                          "ENVIRONMENT",
                          "boot-image|full-os",
                          "Where it begins; the boot image if the facts do not say."),
                OPTION("sequence",
                       "NAME|ID",
                       "Which one, if the file has several that no other one runs."),
            },
    },
    {
        .noun = "ts",
        .verb = "diff",
        .operands = {"SEQUENCE", "[FILE]"},
        .summary =
            "Tell what changed between two versions, from the site's version to a file, or from one file to another.",
        .run = sequence_diff,
        .options =
            {
                OPTION("from",
                       "NUMBER",
                       "Version to begin with (default: the one before; with a file, the newest)."),
                OPTION("to", "NUMBER", "Version to compare it with (default: the newest)."),
                OPTION("sequence",
                       "NAME|ID",
                       "Which one, if the file has several that no other one runs."),
            },
    },
    {
        .noun = "ts",
        .verb = "history",
        .operands = {"SEQUENCE"},
        .summary = "List its versions: who changed what, and when.",
        .topics = "task-sequences",
        .run = sequence_history,
    },
    {
        .noun = "ts",
        .verb = "set",
        .operands = {"SEQUENCE"},
        .summary = "Change the properties of a task sequence, or what it refers to.",
        .effect = ARGS_CHANGES,
        .run = sequence_set,
        .options =
            {
                OPTION("name", "NAME", "A new name."),
                OPTION("description", "TEXT", "A new description."),
                OPTION(
                    "boot-image", "IMAGE", "Boot image (id or name) that devices start it from."),
                MAP_OPTION,
                MAP_BY_NAME_OPTION,
            },
    },
    {
        .noun = "ts",
        .verb = "step",
        .operands = {"add|move|set|remove|types", "[WORD]..."},
        .summary =
            "Change groups and steps: add SEQUENCE [NAME=VALUE]..., move SEQUENCE STEP, set SEQUENCE STEP NAME=VALUE..., remove SEQUENCE STEP; list their types: types [TYPE].",
        .effect = ARGS_CHANGES,
        .run = sequence_step,
        .options =
            {
                OPTION("type", "TYPE", "Of add: type of the step, or group."),
                OPTION("name", "NAME", "Of add: its name."),
                OPTION("before", "STEP", "Put it before this one."),
                OPTION("after", "STEP", "Put it after this one."),
                OPTION("in", "GROUP", "Put it at the end of this group."),
                OPTION("first", NULL, "Put it at the beginning of the group, or of everything."),
            },
    },
    {
        .noun = "ts",
        .verb = "copy",
        .operands = {"SEQUENCE", "[STEP]"},
        .summary = "Copy a task sequence, or a group or step within it.",
        .effect = ARGS_CHANGES,
        .run = sequence_copy,
        .options =
            {
                OPTION("name", "NAME", "Name of the copy."),
                OPTION("before", "STEP", "Put the step before this one."),
                OPTION("after", "STEP", "Put the step after this one (default: after itself)."),
                OPTION("in", "GROUP", "Put the step at the end of this group."),
                OPTION(
                    "first", NULL, "Put the step at the beginning of the group, or of everything."),
            },
    },
    {
        .noun = "ts",
        .verb = "enable",
        .operands = {"SEQUENCE", "[STEP]"},
        .summary = "Enable a group or step, or a whole task sequence.",
        .effect = ARGS_CHANGES,
        .run = sequence_enable,
    },
    {
        .noun = "ts",
        .verb = "disable",
        .operands = {"SEQUENCE", "[STEP]"},
        .summary =
            "Disable a group or step: it is skipped; or a whole task sequence: no deployment begins it.",
        .effect = ARGS_CHANGES,
        .run = sequence_disable,
    },
    {
        .noun = "ts",
        .verb = "delete",
        .operands = {"SEQUENCE"},
        .summary = "Delete a task sequence that nothing uses, with its versions.",
        .effect = ARGS_DESTROYS,
        .run = sequence_delete,
    },
    {.noun = NULL, .more = deployment_commands},
};
