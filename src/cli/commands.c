/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/cmdlets.h"
#include "cli/complete.h"
#include "cli/deployment_terms.h"
#include "cli/follow.h"
#include "cli/manual.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/terminal.h"

enum {
    HELP_MAX_BYTES = 64 * 1024,
    QUESTION_MAX_BYTES = 4096,
    ANSWER_MAX_BYTES = 64,
};

const struct args_command commands[] = {
    {
        .noun = "login",
        .operands = {"URL"},
        .summary = "Log in to a site with a one-time token, name and password, or at its OpenID "
                   "provider, and remember it.",
        .run = site_login,
        .options =
            {
                OPTION("pin",
                       "HEX",
                       "Pin of the site's key, as slipwayd prints it; asked for if missing."),
                OPTION("token-file", "FILE", "Where the one-time token is; - is standard input."),
                OPTION("user", "NAME", "Sign in by this name, with its password."),
                OPTION("password",
                       "@FILE",
                       "Where the password is; @- is standard input; asked for if missing."),
                OPTION("oidc",
                       NULL,
                       "Sign in at the site's OpenID provider, with a browser on this computer."),
                OPTION("device",
                       NULL,
                       "With --oidc: with a browser on any computer, where a code is typed."),
            },
    },
    {
        .noun = "logout",
        .summary = "Revoke the token at the site and forget it.",
        .run = site_logout,
    },
    {
        .noun = "token",
        .verb = "save",
        .operands = {"FILE"},
        .summary = "Write the token of this login to a file, for slipway-agent capture.",
        .run = token_save,
    },
    {
        .noun = "status",
        .summary = "Show what runs at the site and how much of everything there is.",
        .run = site_status,
        .topics = "",
    },
    {
        .noun = "deployment",
        .verb = "create",
        .summary = "Deploy a task sequence to a collection.",
        .effect = ARGS_CHANGES,
        .run = deployment_create,
        .options =
            {
                OPTION_NEEDED("task-sequence", "SEQUENCE", "Task sequence (id or name) to deploy."),
                OPTION_NEEDED(
                    "collection", "COLLECTION", "Collection (id or name) to deploy it to."),
                OPTION_OF("purpose",
                          "PURPOSE",
                          "required|available",
                          "Whether it must run or may be chosen (default: required)."),
                OPTION_OF("content-option",
                          "OPTION",
                          "download-when-needed|download-all-first|stream",
                          "When content gets to the devices (default: stream)."),
                OPTION(
                    "debug",
                    NULL,
                    "To be debugged: each device waits before its first step; at most 10 devices."),
                OPTION("confirm",
                       "NUMBER",
                       "How many devices it reaches, to confirm that their disks may be wiped."),
                DEPLOYMENT_TERMS_OPTIONS,
            },
    },
    {
        .noun = "deployment",
        .verb = "list",
        .summary = "List the deployments with their counts.",
        .run = deployment_list,
        .topics = "deployments",
    },
    {
        .noun = "deployment",
        .verb = "show",
        .operands = {"ID"},
        .summary = "Show how a deployment goes, device by device.",
        .run = deployment_show,
        .options = {OPTION("watch", NULL, "Go on showing it until every device is done.")},
    },
    {
        .noun = "deployment",
        .verb = "cancel",
        .operands = {"ID"},
        .summary = "Cancel a deployment: no device begins it, and those that run it stop.",
        .effect = ARGS_DESTROYS,
        .run = deployment_cancel,
        .options = {OPTION(
            "device", "DEVICE", "Only on this device (id, name, MAC address or SMBIOS UUID).")},
    },
    {
        .noun = "deployment",
        .verb = "pause",
        .operands = {"ID"},
        .summary = "Let a device wait: before its next step, or inside the one that runs.",
        .effect = ARGS_CHANGES,
        .run = deployment_pause,
        .options =
            {
                OPTION_NEEDED(
                    "device", "DEVICE", "The device (id, name, MAC address or SMBIOS UUID)."),
                OPTION("time", "SECONDS", "Go on by itself after so long (default: never)."),
            },
    },
    {
        .noun = "deployment",
        .verb = "resume",
        .operands = {"ID"},
        .summary = "Let a paused device go on.",
        .effect = ARGS_CHANGES,
        .run = deployment_resume,
        .options = {OPTION_NEEDED(
            "device", "DEVICE", "The device (id, name, MAC address or SMBIOS UUID).")},
    },
    {
        .noun = "deployment",
        .verb = "state",
        .operands = {"ID"},
        .summary = "Show where a task sequence is on a device, and its variables, as it told last.",
        .topics = "deployments",
        .run = deployment_state,
        .options =
            {
                OPTION_NEEDED(
                    "device", "DEVICE", "The device (id, name, MAC address or SMBIOS UUID)."),
            },
    },
    {
        .noun = "deployment",
        .verb = "log",
        .operands = {"ID"},
        .summary = "Have a device send its whole smsts.log, and print it.",
        .run = deployment_log,
        .options =
            {
                OPTION_NEEDED(
                    "device", "DEVICE", "The device (id, name, MAC address or SMBIOS UUID)."),
                OPTION("kept", NULL, "Print what it has sent before; ask for nothing."),
            },
    },
    {
        .noun = "deployment",
        .verb = "debug",
        .operands = {"ID"},
        .summary = "Debug the task sequence on a device: break points, steps, variables, a shell.",
        .run = deployment_debug,
        .options =
            {
                OPTION_NEEDED(
                    "device", "DEVICE", "The device (id, name, MAC address or SMBIOS UUID)."),
                OPTION_MANY(
                    "command", "LINE", "Do this instead of what is typed or on standard input."),
                OPTION("enable", NULL, "Also if the deployment was not made for debugging."),
            },
    },
    {
        .noun = "log",
        .summary = "Show what devices reported, oldest first.",
        .run = messages_log,
        .options =
            {
                OPTION("device",
                       "DEVICE",
                       "Only of this device (id, name, MAC address or SMBIOS UUID)."),
                OPTION("deployment", "ID", "Only of this deployment."),
                OPTION_OF("severity",
                          "SEVERITY",
                          "info|warning|error",
                          "Only messages as grave as this."),
                OPTION("smsts",
                       NULL,
                       "The device's task sequence log (smsts.log) instead; needs --device."),
                OPTION("follow", NULL, "Go on with what comes."),
            },
    },
    {
        .noun = "events",
        .summary = "Print what changes at the site as it does, until it is interrupted.",
        .run = events_print,
        .options =
            {
                OPTION("topics",
                       "TOPICS",
                       "Only of these, separated by commas, as in devices,deployments."),
                OPTION(
                    "since", "NUMBER", "Begin behind this event; 0: with the oldest that is kept."),
                OPTION("count", "NUMBER", "End after so many events."),
                OPTION("seconds", "NUMBER", "End after so long."),
            },
    },
    {
        .noun = "cmdlet",
        .operands = {"[CMDLET]"},
        .summary = "Show which command does what a cmdlet of Configuration Manager does.",
        .run = cmdlet_show,
    },
    {.noun = NULL, .more = device_commands},
};

/* What cannot be taken back is asked about, of a person who is there to answer. */
static bool is_wanted(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf question = BUF_INIT(QUESTION_MAX_BYTES);
    OWN(buf_fini) struct buf answer = BUF_INIT(ANSWER_MAX_BYTES);
    const struct args_command *command = args->command;

    if (command->effect != ARGS_DESTROYS || args->is_sure || args->is_dry || !s->is_err_terminal ||
        isatty(STDIN_FILENO) != 1)
        return true;
    buf_addf(&question, "%s %s", command->noun, command->verb ? command->verb : "");
    for (size_t i = 0; i < args->n_operands; i++) {
        buf_adds(&question, " ");
        output_put_safe(&question, args->operands[i], strlen(args->operands[i]));
    }
    buf_adds(&question, ": is that to be done? (yes/no) ");
    if (terminal_ask(buf_str(&question), false, &answer) == 0 &&
        (strcmp(buf_str(&answer), "yes") == 0 || strcmp(buf_str(&answer), "y") == 0))
        return true;
    return session_fail(s, ARGS_EXIT_FAILURE, NULL, "nothing was done; --yes does it unasked");
}

enum args_exit commands_run(struct session *s, const struct args *args)
{
    bool is_good;

    s->request_id = args->request_id;
    s->is_dry = args->is_dry;
    if (!is_wanted(s, args))
        return s->exit_code;
    is_good = args->is_watched ? follow_command(s, args) : args->command->run(s, args);
    if (!is_good && !s->is_over && s->exit_code == ARGS_EXIT_OK)
        return ARGS_EXIT_FAILURE;
    return s->exit_code;
}

static enum args_exit run(const struct args *args)
{
    OWN(session_fini) struct session s;

    session_init(&s, args->format);
    return commands_run(&s, args);
}

static enum args_exit print(const struct buf *text)
{
    return fputs(buf_str(text), stdout) < 0 ? ARGS_EXIT_FAILURE : ARGS_EXIT_OK;
}

/*
 * What the completions and the manual pages are made of; neither is a command, and no help shows them:
 *
 *     slipway --complete WORD...     slipway --manual NOUN
 *
 * Return: false: it is neither.
 */
static bool print_table(int argc, char *const *argv, enum args_exit *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(HELP_MAX_BYTES);
    const char *const *words = (const char *const *)(argv + 2);

    if (argc < 3)
        return false;
    if (strcmp(argv[1], "--complete") == 0)
        complete_put(&text, commands, words, (size_t)argc - 2);
    else if (strcmp(argv[1], "--manual") != 0 || manual_put(&text, commands, argv[2]) != 0)
        return false;
    *ret = print(&text);
    return true;
}

static enum args_exit print_help(const struct args *args, FILE *where)
{
    OWN(buf_fini) struct buf text = BUF_INIT(HELP_MAX_BYTES);

    args_put_help(&text, args);
    return fputs(buf_str(&text), where) < 0 ? ARGS_EXIT_FAILURE : ARGS_EXIT_OK;
}

enum args_exit commands_main(int argc, char *const *argv)
{
    OWN(buf_fini) struct buf why = BUF_INIT(HELP_MAX_BYTES);
    enum args_exit printed;
    struct args args;
    int r;

    /* A connection that the site closed is an error to be told. */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return ARGS_EXIT_FAILURE;
    if (print_table(argc, argv, &printed))
        return printed;
    if (argc > 1 && cmdlet_is_one(argv[1]))
        return cmdlet_answer(argv[1]);
    r = args_parse(commands, argc, argv, &args, &why);
    if (r != 0) {
        const bool has_verb = args.command && args.command->verb;

        (void)fprintf(stderr,
                      "slipway: %s; see: slipway %s%s%s%s--help\n",
                      buf_str(&why),
                      args.noun ? args.noun : "",
                      args.noun ? " " : "",
                      has_verb ? args.command->verb : "",
                      has_verb ? " " : "");
        return ARGS_EXIT_USAGE;
    }
    switch (args.ask) {
    case ARGS_ASK_HELP:
        return print_help(&args, stdout);
    case ARGS_ASK_VERSION:
        return puts("slipway " CLI_VERSION) < 0 ? ARGS_EXIT_FAILURE : ARGS_EXIT_OK;
    case ARGS_ASK_RUN:
        break;
    }
    return run(&args);
}
