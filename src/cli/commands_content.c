/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

#define PRIORITIES "high|medium|low"

#define LABELS \
    OPTION("version", "VERSION", "Version, any text of at most 32 characters."), \
        OPTION("comment", "TEXT", "Comment of at most 127 characters."), \
        OPTION_OF("priority", "PRIORITY", PRIORITIES, "Which goes first to distribution points.")

/* What every kind of content has. @with: what is shown besides */
#define LIST_SHOW_DELETE(kind, operand, one, many, with, list) \
    { \
        .noun = (kind), \
        .verb = "list", \
        .summary = "List the " many ".", \
        .topics = "content", \
        .run = (list), \
    }, \
        { \
            .noun = (kind), \
            .verb = "show", \
            .operands = {operand}, \
            .summary = "Show " one " (id or name)" with ".", \
            .topics = "content", \
            .run = content_show, \
        }, \
    { \
        .noun = (kind), .verb = "delete", .operands = {operand}, \
        .summary = "Delete " one " that no task sequence uses.", .effect = ARGS_DESTROYS, \
        .run = content_delete, \
    }

/* What is made of a folder. */
#define FOLDER_CREATE_UPDATE(kind, one) \
    { \
        .noun = (kind), \
        .verb = "create", \
        .operands = {"NAME"}, \
        .summary = "Make " one " of a folder on the server.", \
        .effect = ARGS_CHANGES, \
        .run = content_create, \
        .options = \
            { \
                OPTION_NEEDED("source", "PATH", "The folder on the server, an absolute path."), \
                LABELS, \
            }, \
    }, \
    { \
        .noun = (kind), .verb = "update", .operands = {"PACKAGE"}, \
        .summary = "Read the folder of " one " again, as its next content version.", \
        .effect = ARGS_CHANGES, .run = content_update, \
        .options = {OPTION("source", "PATH", "The folder on the server from now on.")}, \
    }

const struct args_command content_commands[] = {
    {
        .noun = "os-image",
        .verb = "add",
        .operands = {"[FILE]..."},
        .summary =
            "Import the images of a WIM file, or of all parts of a split one, sent from here or on the server.",
        .effect = ARGS_CHANGES,
        .run = content_add_file,
        .options =
            {
                OPTION_NEEDED("name", "NAME", "Name of the operating system image."),
                LABELS,
                OPTION("source", "PATH", "Where the WIM file is on the server, instead of FILE."),
                OPTION("indexes", "LIST", "Only these of the file's images, by index: 1,3."),
            },
    },
    {
        .noun = "os-image",
        .verb = "update",
        .operands = {"IMAGE", "[FILE]..."},
        .summary =
            "Import it again, from a new file or from its source, as its next content version.",
        .effect = ARGS_CHANGES,
        .run = content_update_file,
        .options =
            {
                OPTION("source", "PATH", "Where the WIM file is on the server from now on."),
                OPTION("indexes", "LIST", "Only these of the file's images, by index: 1,3."),
            },
    },
    LIST_SHOW_DELETE("os-image",
                     "IMAGE",
                     "an operating system image",
                     "operating system images",
                     " and its indexes",
                     image_os_list),
    {
        .noun = "os-image",
        .verb = "export",
        .operands = {"IMAGE", "FILE"},
        .summary = "Write an operating system image to a WIM file.",
        .run = image_os_export,
        .options =
            {
                OPTION("index", "N", "Only this index."),
                OPTION_OF("compress",
                          "KIND",
                          "lzx|xpress|none|lzms",
                          "How to compress it (default: lzx)."),
                OPTION("solid", NULL, "Compress all files as one; smaller and slower."),
            },
    },
    {
        .noun = "boot-image",
        .verb = "build",
        .summary = "Build a boot image on the distribution point.",
        .effect = ARGS_CHANGES,
        .run = image_boot_build,
        .options =
            {
                {.name = "arch",
                 .value = "ARCH",
                 .choices = "x64|x86",
                 .help = "Architecture of the devices.",
                 .is_required = true},
                OPTION_OF("flavour",
                          "FLAVOUR",
                          "generic|virtual",
                          "Drivers for any hardware or for virtual machines only."),
                OPTION("name", "NAME", "Name of the boot image."),
                OPTION("custom",
                       NULL,
                       "Never build it anew by itself when the kernel or Slipway is upgraded."),
                OPTION("prestart-command",
                       "COMMAND",
                       "A line for its shell, which computers run when they have started it."),
            },
    },
    {
        .noun = "boot-image",
        .verb = "update",
        .operands = {"IMAGE"},
        .summary = "Build a boot image anew, as its next content version.",
        .effect = ARGS_CHANGES,
        .run = content_rebuild,
    },
    {
        .noun = "boot-image",
        .verb = "set",
        .operands = {"IMAGE"},
        .summary = "Change what a boot image is called, and what it runs before anything is asked.",
        .effect = ARGS_CHANGES,
        .run = content_set_boot_image,
        .options =
            {
                OPTION("name", "NAME", "Name of at most 50 characters."),
                LABELS,
                OPTION("keep", "N", "Content versions that are kept, the current one included."),
                OPTION(
                    "prestart-command",
                    "COMMAND",
                    "A line for its shell, which computers run when they have started it (docs/deployments.md); \"\": none."),
            },
        .topics = "content",
    },
    LIST_SHOW_DELETE(
        "boot-image", "IMAGE", "a boot image", "boot images", " and its files", image_boot_list),
    FOLDER_CREATE_UPDATE("package", "a package"),
    LIST_SHOW_DELETE("package", "PACKAGE", "a package", "packages", "", content_list),
    FOLDER_CREATE_UPDATE("driver-package", "a driver package"),
    LIST_SHOW_DELETE(
        "driver-package", "PACKAGE", "a driver package", "driver packages", "", content_list),
    {
        .noun = "upgrade-package",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Make an operating system upgrade package of an ISO file or a folder.",
        .effect = ARGS_CHANGES,
        .run = content_create_file,
        .options =
            {
                OPTION("file", "FILE", "An ISO file, sent from here."),
                OPTION(
                    "source", "PATH", "An ISO file or a folder on the server, instead of --file."),
                LABELS,
            },
    },
    {
        .noun = "upgrade-package",
        .verb = "update",
        .operands = {"PACKAGE", "[FILE]"},
        .summary =
            "Read it again, from a new file or from its source, as its next content version.",
        .effect = ARGS_CHANGES,
        .run = content_update_file,
        .options =
            {
                OPTION("source", "PATH", "The ISO file or folder on the server from now on."),
            },
    },
    LIST_SHOW_DELETE("upgrade-package",
                     "PACKAGE",
                     "an operating system upgrade package",
                     "operating system upgrade packages",
                     "",
                     content_list),
    {
        .noun = "content",
        .verb = "list",
        .summary = "List the content of every kind.",
        .topics = "content",
        .run = content_list,
    },
    {
        .noun = "content",
        .verb = "versions",
        .operands = {"CONTENT"},
        .summary = "List the content versions of an image or a package.",
        .topics = "content",
        .run = content_versions,
    },
    {
        .noun = "content",
        .verb = "rollback",
        .operands = {"CONTENT", "VERSION"},
        .summary = "Make an older content version the current one.",
        .effect = ARGS_CHANGES,
        .run = content_rollback,
    },
    {
        .noun = "content",
        .verb = "prestage",
        .operands = {"CONTENT,...", "FILE"},
        .summary = "Write contents to one file, to be carried to a distribution point.",
        .run = content_prestage,
    },
    {
        .noun = "content",
        .verb = "set",
        .operands = {"CONTENT"},
        .summary = "Change what an image or a package is called and how it is kept.",
        .effect = ARGS_CHANGES,
        .run = content_set,
        .options =
            {
                OPTION("name", "NAME", "Name of at most 50 characters."),
                OPTION("version", "VERSION", "Version, any text of at most 32 characters."),
                OPTION("comment", "TEXT", "Comment of at most 127 characters."),
                OPTION("source", "PATH", "Where an update reads from, on the server."),
                OPTION_OF(
                    "priority", "PRIORITY", PRIORITIES, "Which goes first to distribution points."),
                OPTION("keep", "N", "Content versions that are kept, the current one included."),
            },
    },
    {
        .noun = "operation",
        .verb = "list",
        .summary = "List the work of the distribution points that is queued or running.",
        .run = operation_list,
        .options =
            {
                OPTION("all", NULL, "Also what has ended, for 90 days."),
            },
        .topics = "operations",
    },
    {
        .noun = "operation",
        .verb = "show",
        .operands = {"ID"},
        .summary = "Show how far an operation has come or how it ended.",
        .is_by_id = true,
        .run = operation_show,
        .topics = "operations",
        .is_over = operation_is_over,
    },
    {
        .noun = "operation",
        .verb = "cancel",
        .operands = {"ID"},
        .summary = "End an operation before it is done.",
        .effect = ARGS_DESTROYS,
        .run = operation_cancel,
    },
    {.noun = NULL, .more = distribution_commands},
};
