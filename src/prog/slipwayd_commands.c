/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "prog/slipwayd_commands.h"

#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "server/config.h"
#include "server/parent/failure.h"
#include "server/parent/join.h"

struct options {
    const char *state;
    const char *config;
    const char *name;
    const char *address;
};

static int usage(void)
{
    return parent_fail(PARENT_EXIT_USAGE, "wrong arguments; slipwayd --help says which there are");
}

/* Return: whether they are right; the arguments that are no options are at argv[optind]. */
static bool parse(int argc, char **argv, struct options *ret)
{
    static const struct option options[] = {
        {"state", required_argument, NULL, 's'},
        {"config", required_argument, NULL, 'c'},
        {"name", required_argument, NULL, 'n'},
        {"address", required_argument, NULL, 'a'},
        {NULL, 0, NULL, 0},
    };

    ret->state = SERVER_STATE_FOLDER;
    for (;;) {
        switch (getopt_long(argc, argv, "", options, NULL)) { /* NOLINT(concurrency-mt-unsafe) */
        case -1:
            return true;
        case 's':
            ret->state = optarg;
            break;
        case 'c':
            ret->config = optarg;
            break;
        case 'n':
            ret->name = optarg;
            break;
        case 'a':
            ret->address = optarg;
            break;
        default:
            return false;
        }
    }
}

static int run_join(int argc, char **argv)
{
    struct options options = {.state = NULL};

    if (!parse(argc, argv, &options) || argc - optind != 2)
        return usage();

    const struct join_options what = {
        .url = argv[optind],
        .token = argv[optind + 1],
        .name = options.name,
        .address = options.address,
        .state_folder = options.state,
        .config_file = options.config,
    };

    return join(&what);
}

bool slipwayd_command(int argc, char **argv, int *ret)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"join", run_join},
    };

    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        *ret = commands[i].run(argc - 1, argv + 1);
        return true;
    }
    return false;
}
