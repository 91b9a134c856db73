/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * For the rows of the tables of commands, which are in one chain: commands[], device_commands[], unknown_commands[], pxe_commands[], affinity_commands[],
 * content_commands[], * distribution_commands[], boundary_commands[], sequence_commands[], deployment_commands[], phased_commands[],
 * security_commands[], files_commands[]
 */

#include "cli/args.h"

#define OPTION(n, v, h) \
    { \
        .name = (n), .value = (v), .help = (h) \
    }
#define OPTION_NEEDED(n, v, h) \
    { \
        .name = (n), .value = (v), .help = (h), .is_required = true \
    }
#define OPTION_OF(n, v, c, h) \
    { \
        .name = (n), .value = (v), .choices = (c), .help = (h) \
    }
#define OPTION_MANY(n, v, h) \
    { \
        .name = (n), .value = (v), .help = (h), .may_repeat = true \
    }

/* Ends with .noun == NULL, and may go on in .more of that row. */
extern const struct args_command device_commands[];
extern const struct args_command unknown_commands[];
extern const struct args_command pxe_commands[];
extern const struct args_command affinity_commands[];
extern const struct args_command content_commands[];
extern const struct args_command distribution_commands[];
extern const struct args_command boundary_commands[];
extern const struct args_command sequence_commands[];
extern const struct args_command security_commands[];
extern const struct args_command deployment_commands[];
extern const struct args_command phased_commands[];
extern const struct args_command files_commands[];
