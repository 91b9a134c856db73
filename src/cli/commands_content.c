/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/table.h"

#define PRIORITIES "high|medium|low"

const struct args_command content_commands[] = {
    {
        .noun = "os-image",
        .verb = "add",
        .operands = {"[FILE]..."},
        .summary =
            "Import the images of a WIM file, or of all parts of a split one, sent from here or on the server.",
        .run = content_add_file,
        .options =
            {
                OPTION_NEEDED("name", "NAME", "Name of the operating system image."),
                OPTION("version", "VERSION", "Version, any text of at most 32 characters."),
                OPTION("comment", "TEXT", "Comment of at most 127 characters."),
                OPTION("source", "PATH", "Where the WIM file is on the server, instead of FILE."),
                OPTION("indexes", "LIST", "Only these of the file's images, by index: 1,3."),
                OPTION_OF(
                    "priority", "PRIORITY", PRIORITIES, "Which goes first to distribution points."),
            },
    },
    {
        .noun = "os-image",
        .verb = "update",
        .operands = {"IMAGE", "[FILE]..."},
        .summary =
            "Import it again, from a new file or from its source, as its next content version.",
        .run = content_update_file,
        .options =
            {
                OPTION("source", "PATH", "Where the WIM file is on the server from now on."),
                OPTION("indexes", "LIST", "Only these of the file's images, by index: 1,3."),
            },
    },
    {
        .noun = "os-image",
        .verb = "list",
        .summary = "List the operating system images.",
        .run = image_os_list,
    },
    {
        .noun = "os-image",
        .verb = "show",
        .operands = {"IMAGE"},
        .summary = "Show an operating system image (id or name) and its indexes.",
        .run = content_show,
    },
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
        .noun = "os-image",
        .verb = "delete",
        .operands = {"IMAGE"},
        .summary = "Delete an operating system image that no task sequence uses.",
        .run = content_delete,
    },
    {
        .noun = "boot-image",
        .verb = "build",
        .summary = "Build a boot image on the distribution point.",
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
            },
    },
    {
        .noun = "boot-image",
        .verb = "update",
        .operands = {"IMAGE"},
        .summary = "Build a boot image anew, as its next content version.",
        .run = content_rebuild,
    },
    {
        .noun = "boot-image",
        .verb = "list",
        .summary = "List the boot images.",
        .run = image_boot_list,
    },
    {
        .noun = "boot-image",
        .verb = "show",
        .operands = {"IMAGE"},
        .summary = "Show a boot image (id or name) and its files.",
        .run = content_show,
    },
    {
        .noun = "boot-image",
        .verb = "delete",
        .operands = {"IMAGE"},
        .summary = "Delete a boot image that no task sequence uses.",
        .run = content_delete,
    },
    {
        .noun = "package",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Make a package of a folder on the server.",
        .run = content_create,
        .options =
            {
                OPTION_NEEDED("source", "PATH", "The folder on the server, an absolute path."),
                OPTION("version", "VERSION", "Version, any text of at most 32 characters."),
                OPTION("comment", "TEXT", "Comment of at most 127 characters."),
                OPTION_OF(
                    "priority", "PRIORITY", PRIORITIES, "Which goes first to distribution points."),
            },
    },
    {
        .noun = "package",
        .verb = "update",
        .operands = {"PACKAGE"},
        .summary = "Read the folder of a package again, as its next content version.",
        .run = content_update,
        .options =
            {
                OPTION("source", "PATH", "The folder on the server from now on."),
            },
    },
    {
        .noun = "package",
        .verb = "list",
        .summary = "List the packages.",
        .run = content_list,
    },
    {
        .noun = "package",
        .verb = "show",
        .operands = {"PACKAGE"},
        .summary = "Show a package (id or name).",
        .run = content_show,
    },
    {
        .noun = "package",
        .verb = "delete",
        .operands = {"PACKAGE"},
        .summary = "Delete a package that no task sequence uses.",
        .run = content_delete,
    },
    {
        .noun = "driver-package",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Make a driver package of a folder on the server.",
        .run = content_create,
        .options =
            {
                OPTION_NEEDED("source", "PATH", "The folder on the server, an absolute path."),
                OPTION("version", "VERSION", "Version, any text of at most 32 characters."),
                OPTION("comment", "TEXT", "Comment of at most 127 characters."),
                OPTION_OF(
                    "priority", "PRIORITY", PRIORITIES, "Which goes first to distribution points."),
            },
    },
    {
        .noun = "driver-package",
        .verb = "update",
        .operands = {"PACKAGE"},
        .summary = "Read the folder of a driver package again, as its next content version.",
        .run = content_update,
        .options =
            {
                OPTION("source", "PATH", "The folder on the server from now on."),
            },
    },
    {
        .noun = "driver-package",
        .verb = "list",
        .summary = "List the driver packages.",
        .run = content_list,
    },
    {
        .noun = "driver-package",
        .verb = "show",
        .operands = {"PACKAGE"},
        .summary = "Show a driver package (id or name).",
        .run = content_show,
    },
    {
        .noun = "driver-package",
        .verb = "delete",
        .operands = {"PACKAGE"},
        .summary = "Delete a driver package that no task sequence uses.",
        .run = content_delete,
    },
    {
        .noun = "upgrade-package",
        .verb = "create",
        .operands = {"NAME"},
        .summary = "Make an operating system upgrade package of an ISO file or a folder.",
        .run = content_create_file,
        .options =
            {
                OPTION("file", "FILE", "An ISO file, sent from here."),
                OPTION(
                    "source", "PATH", "An ISO file or a folder on the server, instead of --file."),
                OPTION("version", "VERSION", "Version, any text of at most 32 characters."),
                OPTION("comment", "TEXT", "Comment of at most 127 characters."),
                OPTION_OF(
                    "priority", "PRIORITY", PRIORITIES, "Which goes first to distribution points."),
            },
    },
    {
        .noun = "upgrade-package",
        .verb = "update",
        .operands = {"PACKAGE", "[FILE]"},
        .summary =
            "Read it again, from a new file or from its source, as its next content version.",
        .run = content_update_file,
        .options =
            {
                OPTION("source", "PATH", "The ISO file or folder on the server from now on."),
            },
    },
    {
        .noun = "upgrade-package",
        .verb = "list",
        .summary = "List the operating system upgrade packages.",
        .run = content_list,
    },
    {
        .noun = "upgrade-package",
        .verb = "show",
        .operands = {"PACKAGE"},
        .summary = "Show an operating system upgrade package (id or name).",
        .run = content_show,
    },
    {
        .noun = "upgrade-package",
        .verb = "delete",
        .operands = {"PACKAGE"},
        .summary = "Delete an operating system upgrade package that no task sequence uses.",
        .run = content_delete,
    },
    {
        .noun = "content",
        .verb = "list",
        .summary = "List the content of every kind.",
        .run = content_list,
    },
    {
        .noun = "content",
        .verb = "versions",
        .operands = {"CONTENT"},
        .summary = "List the content versions of an image or a package.",
        .run = content_versions,
    },
    {
        .noun = "content",
        .verb = "rollback",
        .operands = {"CONTENT", "VERSION"},
        .summary = "Make an older content version the current one.",
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
    },
    {
        .noun = "operation",
        .verb = "show",
        .operands = {"ID"},
        .summary = "Show how far an operation has come or how it ended.",
        .run = operation_show,
    },
    {
        .noun = "operation",
        .verb = "cancel",
        .operands = {"ID"},
        .summary = "End an operation before it is done.",
        .run = operation_cancel,
    },
    {.noun = NULL, .more = distribution_commands},
};
