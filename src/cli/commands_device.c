/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

const struct args_command device_commands[] = {
    {
        .noun = "collection",
        .verb = "list",
        .summary = "List the collections.",
        .run = collection_list,
        .topics = "collections",
    },
    {
        .noun = "collection",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Create a collection without rules.",
        .effect = ARGS_CHANGES,
        .run = collection_create,
        .options =
            {
                OPTION("comment", "TEXT", "Comment, any text."),
                OPTION("limiting",
                       "COLLECTION",
                       "Collection (id or name) its members must be in (default: All Systems)."),
            },
    },
    {
        .noun = "collection",
        .verb = "show",
        .operands = {"COLLECTION"},
        .summary = "Show a collection (id or name) and its members.",
        .topics = "collections",
        .run = collection_show,
    },
    {
        .noun = "collection",
        .verb = "add-member",
        .operands = {"COLLECTION", "DEVICE"},
        .summary = "Add a device (id, name, MAC address or SMBIOS UUID) to a collection.",
        .effect = ARGS_CHANGES,
        .run = collection_add_member,
    },
    {
        .noun = "collection",
        .verb = "set",
        .operands = {"COLLECTION"},
        .summary = "Change a collection.",
        .effect = ARGS_CHANGES,
        .run = collection_set,
        .options =
            {
                OPTION("name", "NAME", "Another name."),
                OPTION("comment", "TEXT", "Comment, any text."),
                OPTION("limiting", "COLLECTION", "Collection its members must be in."),
                OPTION(
                    "variable-priority",
                    "NUMBER",
                    "1 to 9: of two collections with the same variable, that of the higher one counts."),
            },
    },
    {
        .noun = "collection",
        .verb = "delete",
        .operands = {"COLLECTION"},
        .summary = "Delete a collection that nothing uses.",
        .effect = ARGS_DESTROYS,
        .run = collection_delete,
    },
    {
        .noun = "collection",
        .verb = "rule",
        .operands = {"add|list|remove", "[WORD]..."},
        .summary = "The rules of a collection: add COLLECTION, list COLLECTION, remove COLLECTION.",
        .effect = ARGS_CHANGES,
        .run = collection_rule_run,
        .options =
            {
                OPTION("direct", "DEVICE", "The device (id, name, MAC address or SMBIOS UUID)."),
                OPTION("query", "NAME", "The query rule of this name."),
                OPTION("filter", "FILTER", "What a query rule selects: \"model eq 'X1'\"."),
                OPTION("include", "COLLECTION", "The members of another collection."),
                OPTION("exclude", "COLLECTION", "All but the members of another collection."),
            },
    },
    {
        .noun = "collection",
        .verb = "window",
        .operands = {"add|list|remove", "COLLECTION"},
        .summary =
            "The maintenance windows of a collection, in which required deployments may begin.",
        .effect = ARGS_CHANGES,
        .run = collection_window,
        .options =
            {
                OPTION("name", "NAME", "Of add and remove: what it is called."),
                OPTION(
                    "start",
                    "WHEN",
                    "Of add: \"2026-11-22T22:00\", or that and \"every week on sun\"; a Z: UTC."),
                OPTION("minutes", "NUMBER", "Of add: how long it is, 1 to 1439."),
                OPTION_OF("for",
                          "WHAT",
                          "all|task-sequences|updates",
                          "Of add: to what it applies (default: all)."),
            },
    },
    {
        .noun = "collection",
        .verb = "update",
        .operands = {"COLLECTION"},
        .summary = "Evaluate the rules of a collection for all devices.",
        .effect = ARGS_CHANGES,
        .run = collection_update,
    },
    {
        .noun = "collection",
        .verb = "variable",
        .operands = {"set|list|remove", "[WORD]..."},
        .summary =
            "Variables for task sequences: set COLLECTION NAME=VALUE..., list COLLECTION, remove COLLECTION NAME...",
        .effect = ARGS_CHANGES,
        .run = variable_run,
        .options =
            {
                OPTION(
                    "secret", NULL, "Of set: never show the value again; give it as NAME=@FILE."),
                OPTION("open", NULL, "Of set: a secret one is to be shown from now on."),
            },
    },
    {
        .noun = "device",
        .verb = "list",
        .summary = "List the devices.",
        .run = device_list,
        .options = {OPTION("filter", "FILTER", "Only those that fit: \"model eq 'X1'\".")},
        .topics = "devices",
    },
    {
        .noun = "device",
        .verb = "show",
        .operands = {"DEVICE"},
        .summary =
            "Show a device (id, name, MAC address, SMBIOS UUID or TPM key) and its inventory.",
        .topics = "devices",
        .run = device_show,
    },
    {
        .noun = "device",
        .verb = "facts",
        .operands = {"DEVICE"},
        .summary =
            "Show what a device said of itself to conditions; as JSON, a file for ts simulate --facts.",
        .topics = "devices",
        .run = device_facts,
    },
    {
        .noun = "device",
        .verb = "import",
        .operands = {"NAME"},
        .summary = "Make a device known before it is seen.",
        .effect = ARGS_CHANGES,
        .run = device_import,
        .options =
            {
                OPTION("mac", "MAC", "MAC address it boots with."),
                OPTION("uuid", "UUID", "SMBIOS UUID; without --mac it alone identifies it."),
                OPTION(
                    "collection", "COLLECTION", "Collection (id or name) it becomes a member of."),
            },
    },
    {
        .noun = "device",
        .verb = "import-file",
        .operands = {"FILE"},
        .summary = "Import devices from a CSV file (- is standard input), all of them or none.",
        .effect = ARGS_CHANGES,
        .run = device_import_file,
        .options =
            {
                OPTION("collection", "COLLECTION", "Collection of the lines that name none."),
            },
    },
    {
        .noun = "device",
        .verb = "rename",
        .operands = {"DEVICE", "NAME"},
        .summary = "Give a device another name.",
        .effect = ARGS_CHANGES,
        .run = device_rename,
    },
    {
        .noun = "device",
        .verb = "set",
        .operands = {"DEVICE"},
        .summary = "Say by what a device is known, as after a change of its adapter or mainboard.",
        .effect = ARGS_CHANGES,
        .run = device_set,
        .options =
            {
                OPTION("mac", "MAC[,MAC]...", "All of its MAC addresses from now on."),
                OPTION("uuid", "UUID", "Its SMBIOS UUID; none: it has none."),
            },
    },
    {
        .noun = "device",
        .verb = "block",
        .operands = {"DEVICE"},
        .summary = "Block a device: it is offered nothing, and what it runs is over.",
        .effect = ARGS_CHANGES,
        .run = device_block,
        .options = {OPTION("reason", "TEXT", "Why.")},
    },
    {
        .noun = "device",
        .verb = "unblock",
        .operands = {"DEVICE"},
        .summary = "End the block of a device.",
        .effect = ARGS_CHANGES,
        .run = device_unblock,
    },
    {
        .noun = "device",
        .verb = "protect",
        .operands = {"DEVICE"},
        .summary = "Protect a device: no required deployment begins on it.",
        .effect = ARGS_CHANGES,
        .run = device_protect,
    },
    {
        .noun = "device",
        .verb = "unprotect",
        .operands = {"DEVICE"},
        .summary = "End the protection of a device.",
        .effect = ARGS_CHANGES,
        .run = device_unprotect,
    },
    {
        .noun = "device",
        .verb = "forget-tpm-key",
        .operands = {"DEVICE"},
        .summary = "Its mainboard was replaced: the TPM that it has now is taken for its own.",
        .run = device_forget_tpm_key,
    },
    {
        .noun = "device",
        .verb = "wake",
        .operands = {"DEVICE"},
        .summary = "Send a device magic packets, which switch it on if its firmware allows that.",
        .effect = ARGS_CHANGES,
        .run = device_wake,
    },
    {
        .noun = "device",
        .verb = "delete",
        .operands = {"DEVICE"},
        .summary =
            "Delete a device with its orders, variables and log; not while it runs a task sequence.",
        .effect = ARGS_DESTROYS,
        .run = device_delete,
    },
    {
        .noun = "device",
        .verb = "history",
        .operands = {"DEVICE"},
        .summary = "Show what was done to a device, oldest first.",
        .topics = "devices",
        .run = device_history,
    },
    {
        .noun = "device",
        .verb = "duplicate-id",
        .operands = {"add|list|remove", "[ID]"},
        .summary =
            "MAC addresses and UUIDs that many machines have (docks), and that identify none.",
        .effect = ARGS_CHANGES,
        .run = device_duplicate_id,
        .options = {OPTION("comment", "TEXT", "Of add: what it is.")},
    },
    {
        .noun = "device",
        .verb = "explain-boot",
        .operands = {"MAC|UUID"},
        .summary =
            "Show what a device would be offered by network boot, why, and what happened before.",
        .run = device_explain_boot,
    },
    {
        .noun = "device",
        .verb = "explain-client",
        .operands = {"DEVICE"},
        .summary = "Show what the agent in a device's installed system would be offered, and why.",
        .run = device_explain_client,
    },
    {
        .noun = "device",
        .verb = "variable",
        .operands = {"set|list|remove", "[WORD]..."},
        .summary =
            "Variables for task sequences: set DEVICE NAME=VALUE..., list DEVICE, remove DEVICE NAME...",
        .effect = ARGS_CHANGES,
        .run = variable_run,
        .options =
            {
                OPTION(
                    "secret", NULL, "Of set: never show the value again; give it as NAME=@FILE."),
                OPTION("open", NULL, "Of set: a secret one is to be shown from now on."),
            },
    },
    {.noun = NULL, .more = unknown_commands},
};
