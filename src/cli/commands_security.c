/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

#define PASSWORD_OPTION \
    OPTION( \
        "password", "@FILE", "Where the password is; @- is standard input; asked for if missing.")

const struct args_command security_commands[] = {
    {
        .noun = "admin",
        .verb = "list",
        .summary = "List the administrators.",
        .topics = "administrators",
        .run = admin_list,
    },
    {
        .noun = "admin",
        .verb = "show",
        .operands = {"NAME"},
        .summary = "Show an administrator (id or name) and what he is granted.",
        .topics = "administrators",
        .run = admin_show,
    },
    {
        .noun = "admin",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Create an administrator, who is granted nothing yet.",
        .effect = ARGS_CHANGES,
        .run = admin_create,
        .options =
            {
                OPTION("comment", "TEXT", "Comment of at most 127 characters."),
                OPTION_OF("kind",
                          "KIND",
                          "local|directory-user|directory-group|oidc-user|oidc-group",
                          "Who keeps the password: the site, which is usual, or the directory or "
                          "OpenID provider of slipway.conf(5)."),
                OPTION("dn", "DN", "Of directory-group: the group's distinguished name."),
                OPTION("group", "TEXT", "Of oidc-group: what the OpenID provider calls the group."),
                OPTION(
                    "subject", "TEXT", "Of oidc-user: the subject that the provider has for him."),
                PASSWORD_OPTION,
                OPTION("no-password", NULL, "Give none: nobody can sign in by this name yet."),
            },
    },
    {
        .noun = "admin",
        .verb = "password",
        .operands = {"NAME"},
        .summary = "Set a password, which ends the administrator's tokens and sessions.",
        .effect = ARGS_CHANGES,
        .run = admin_password,
        .options = {PASSWORD_OPTION},
    },
    {
        .noun = "admin",
        .verb = "disable",
        .operands = {"NAME"},
        .summary = "Keep an administrator out, and end his tokens and sessions.",
        .effect = ARGS_CHANGES,
        .run = admin_disable,
    },
    {
        .noun = "admin",
        .verb = "enable",
        .operands = {"NAME"},
        .summary = "Let a disabled administrator sign in again.",
        .effect = ARGS_CHANGES,
        .run = admin_enable,
    },
    {
        .noun = "admin",
        .verb = "delete",
        .operands = {"NAME"},
        .summary = "Delete an administrator.",
        .effect = ARGS_DESTROYS,
        .run = admin_delete,
    },
    {
        .noun = "admin",
        .verb = "grant",
        .operands = {"NAME"},
        .summary = "Grant a security role for a security scope or a collection.",
        .effect = ARGS_CHANGES,
        .run = admin_grant,
        .options =
            {
                OPTION_NEEDED("role", "ROLE", "Security role (id or name)."),
                OPTION("scope", "SCOPE", "Security scope (id or name); All is everything."),
                OPTION("collection", "COLLECTION", "Collection (id or name)."),
            },
    },
    {
        .noun = "admin",
        .verb = "revoke",
        .operands = {"NAME"},
        .summary = "Revoke what was granted.",
        .effect = ARGS_DESTROYS,
        .run = admin_revoke,
        .options =
            {
                OPTION_NEEDED("role", "ROLE", "Security role (id or name)."),
                OPTION("scope", "SCOPE", "Security scope (id or name)."),
                OPTION("collection", "COLLECTION", "Collection (id or name)."),
            },
    },
    {
        .noun = "token",
        .verb = "list",
        .summary = "List your tokens and sessions.",
        .run = token_list,
    },
    {
        .noun = "token",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Create an API token and show it, this once.",
        .effect = ARGS_CHANGES,
        .run = token_create,
        .options =
            {
                OPTION("days", "NUMBER", "How long it is good, 1 to 366 (default: 90)."),
                OPTION_MANY(
                    "permission",
                    "CLASS.VERB",
                    "What it is good for, as in device.read or *.read; may be given more than once (default: all you may)."),
            },
    },
    {
        .noun = "token",
        .verb = "revoke",
        .operands = {"ID"},
        .summary = "Revoke a token or session of yours.",
        .effect = ARGS_DESTROYS,
        .run = token_revoke,
    },
    {
        .noun = "security-role",
        .verb = "list",
        .summary = "List the security roles.",
        .topics = "administrators",
        .run = security_role_list,
    },
    {
        .noun = "security-role",
        .verb = "show",
        .operands = {"ROLE"},
        .summary =
            "Show a security role (id or name); with --output json it can be imported elsewhere.",
        .topics = "administrators",
        .run = security_role_show,
    },
    {
        .noun = "security-role",
        .verb = "copy",
        .operands = {"ROLE", "NAME"},
        .summary = "Make a security role of your own from one that is there.",
        .effect = ARGS_CHANGES,
        .run = security_role_copy,
    },
    {
        .noun = "security-role",
        .verb = "import",
        .operands = {"FILE"},
        .summary = "Make a security role from JSON; - is standard input.",
        .effect = ARGS_CHANGES,
        .run = security_role_import,
        .options = {OPTION("name", "NAME", "Another name than in the file.")},
    },
    {
        .noun = "security-role",
        .verb = "set",
        .operands = {"ROLE"},
        .summary = "Change a security role that is not built in.",
        .effect = ARGS_CHANGES,
        .run = security_role_set,
        .options =
            {
                OPTION("name", "NAME", "New name."),
                OPTION("comment", "TEXT", "New comment."),
                OPTION_MANY("permission",
                            "CLASS.VERB",
                            "Instead of those it has; may be given more than once."),
            },
    },
    {
        .noun = "security-role",
        .verb = "delete",
        .operands = {"ROLE"},
        .summary = "Delete a security role that is not built in and granted to nobody.",
        .effect = ARGS_DESTROYS,
        .run = security_role_delete,
    },
    {
        .noun = "security-scope",
        .verb = "list",
        .summary = "List the security scopes.",
        .topics = "administrators",
        .run = security_scope_list,
    },
    {
        .noun = "security-scope",
        .verb = "show",
        .operands = {"SCOPE"},
        .summary = "Show a security scope (id or name) and its objects.",
        .topics = "administrators",
        .run = security_scope_show,
    },
    {
        .noun = "security-scope",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Create an empty security scope.",
        .effect = ARGS_CHANGES,
        .run = security_scope_create,
        .options = {OPTION("comment", "TEXT", "Comment of at most 127 characters.")},
    },
    {
        .noun = "security-scope",
        .verb = "delete",
        .operands = {"SCOPE"},
        .summary = "Delete a security scope that is granted to nobody.",
        .effect = ARGS_DESTROYS,
        .run = security_scope_delete,
    },
    {
        .noun = "security-scope",
        .verb = "add-object",
        .operands = {"SCOPE", "OBJECT"},
        .summary = "Put an object (id or name) into a security scope.",
        .effect = ARGS_CHANGES,
        .run = security_scope_add,
        .options = {OPTION_NEEDED("class", "CLASS", "What it is: task-sequence, os-image, ...")},
    },
    {
        .noun = "security-scope",
        .verb = "remove-object",
        .operands = {"SCOPE", "OBJECT"},
        .summary = "Take an object (id or name) out of a security scope.",
        .effect = ARGS_DESTROYS,
        .run = security_scope_remove,
        .options = {OPTION_NEEDED("class", "CLASS", "What it is: task-sequence, os-image, ...")},
    },
    {
        .noun = "audit",
        .verb = "list",
        .summary = "Show who did what, oldest first.",
        .run = audit_list,
        .options = {OPTION("object", "ID", "Only about the object with this id.")},
    },
    {
        .noun = "audit",
        .verb = "verify",
        .operands = {"[FILE]"},
        .summary =
            "Go through the chain of the audit log, or of an export of it, and fail if it was changed.",
        .run = audit_verify,
        .options = {OPTION(
            "head", "HASH", "Of a file: a head that was noted, which must be in its chain.")},
    },
    {
        .noun = "audit",
        .verb = "export",
        .summary = "Write the whole audit log to standard output, a record per line.",
        .run = audit_export,
        .options = {OPTION_OF(
            "format", "FORMAT", "jsonl|csv", "JSON lines or CSV (default: jsonl).")},
    },
    {.noun = NULL, .more = files_commands},
};
