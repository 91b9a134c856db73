/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * slipway-agent: runs a task sequence on this computer, or captures it
 */

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/capture/command.h"
#include "agent/client/command.h"
#include "agent/facts/command.h"
#include "agent/run/machine.h"
#include "agent/run/run.h"
#include "agent/run/screen.h"
#include "base/own.h"
#include "rt/log.h"

enum {
    ARGUMENT_MAX = 2048,
    EXIT_USAGE = 2,
    EXIT_OFF = 76, /* init of the boot image switches the computer off */
};

DEFINE_FREEP(struct screen *, screen_free);

static const char usage[] =
    "usage: slipway-agent run            in the boot image: get an order and run it\n"
    "       slipway-agent run --full-os  in the installed system: finish what was begun\n"
    "       slipway-agent client         there, when that is over: ask the site what is due\n"
    "       slipway-agent deployments    what is deployed to this computer\n"
    "       slipway-agent run DEPLOYMENT begin one of them now\n"
    "       slipway-agent capture ...      make an image of a folder or a volume\n"
    "       slipway-agent show           what this computer is, as JSON\n"
    "       slipway-agent facts          what conditions may ask of it, for slipway ts simulate\n"
    "       slipway-agent --version | --help\n";

static int show(void)
{
    static struct machine machine;
    OWN(json_decrefp) json_t *json = NULL;

    if (machine_collect(&machine) < 0 || machine_to_json(&machine, &json) < 0)
        return EXIT_FAILURE;
    return json_dumpf(json, stdout, JSON_INDENT(2)) == 0 && puts("") >= 0 ? EXIT_SUCCESS
                                                                          : EXIT_FAILURE;
}

/* Where the site is, by the kernel's command line. */
static bool find_site(struct link_options *ret)
{
    char text[ARGUMENT_MAX];

    if (!machine_argument("slipway.site", text, sizeof(text)) ||
        !link_options_set_urls(ret, text)) {
        (void)fputs(
            "slipway-agent: SLW-0424: no slipway.site=https://... among the kernel's arguments\n",
            stderr);
        return false;
    }
    if (!machine_argument("slipway.pin", text, sizeof(text)) ||
        !hex_parse(bytes_of(text), SHA256_BYTES, ret->pin)) {
        (void)fputs("slipway-agent: SLW-0424: no slipway.pin=... among the kernel's arguments\n",
                    stderr);
        return false;
    }
    ret->has_pin = true;
    return true;
}

static int run_in_boot_image(void)
{
    char ticket[ARGUMENT_MAX];
    char boot_image[ARGUMENT_MAX];
    char from_disk[ARGUMENT_MAX];
    OWN(screen_freep) struct screen *screen = NULL;
    struct run_options options = {.version = SLIPWAY_VERSION, .platform = run_platform()};
    enum run_end end;

    (void)machine_argument("slipway.ticket", ticket, sizeof(ticket));
    (void)machine_argument("slipway.image", boot_image, sizeof(boot_image));
    options.is_from_disk = machine_argument("slipway.disk", from_disk, sizeof(from_disk));
    options.ticket = ticket;
    options.boot_image = boot_image;
    if (!find_site(&options.site) || screen_new_on_consoles(&screen) < 0)
        return EXIT_FAILURE;
    options.screen = screen;
    /* init restarts the computer when we end well */
    if (run_agent(&options, &end) < 0)
        return EXIT_FAILURE;
    return end == RUN_OFF ? EXIT_OFF : EXIT_SUCCESS;
}

/* What is for the installed system. */
static int in_full_os(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    bool is_run = argc == 3 && strcmp(command, "run") == 0;

    if (is_run && strcmp(argv[2], "--full-os") == 0)
        return client_resume_command(SLIPWAY_VERSION);
    if (is_run && argv[2][0] != '-')
        return client_run_command(SLIPWAY_VERSION, argv[2]);
    if (argc == 2 && strcmp(command, "client") == 0)
        return client_command(SLIPWAY_VERSION);
    if (argc == 2 && strcmp(command, "deployments") == 0)
        return client_deployments_command(SLIPWAY_VERSION);
    (void)fputs(usage, stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    /* A connection that the site closed is an error to be told, not the end of the agent. */
    (void)signal(SIGPIPE, SIG_IGN);
    /* In the boot image standard error is the serial line, where the screen tells the same */
    log_init("slipway-agent",
             argc == 2 && strcmp(command, "run") == 0 ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO);
    if (argc == 2 && strcmp(command, "--version") == 0)
        return puts("slipway-agent " SLIPWAY_VERSION) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (argc == 2 && strcmp(command, "--help") == 0)
        return fputs(usage, stdout) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (strcmp(command, "capture") == 0)
        return capture_command(argc - 2, argv + 2, "slipway-agent/" SLIPWAY_VERSION);
    if (argc == 2 && strcmp(command, "show") == 0)
        return show();
    if (argc == 2 && strcmp(command, "facts") == 0)
        return facts_command();
    if (argc == 2 && strcmp(command, "run") == 0)
        return run_in_boot_image();
    return in_full_os(argc, argv);
}
