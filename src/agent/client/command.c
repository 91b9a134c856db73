/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/client/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/client/client.h"
#include "agent/client/policy.h"
#include "agent/run/screen.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "plat/process.h"
#include "rt/log.h"

#define LOCK_PATH "/run/slipway/agent.lock"

enum {
    EXIT_UNREPORTED = 75, /* systemd tries again at the next start */
};

DEFINE_FREEP(struct screen *, screen_free);

/* @how: "reboot" or "poweroff" */
static int end_computer(const char *how)
{
    const char *const argv[] = {how, NULL};
    struct process_result result;

    return process_run(&(struct process_options){.argv = argv}, &result) < 0 ||
                   result.exit_code != 0
               ? EXIT_FAILURE
               : EXIT_SUCCESS;
}

static struct client_options make_options(const char *version, struct screen *screen)
{
    return (struct client_options){
        .version = version, .platform = run_platform(), .screen = screen, .lock_path = LOCK_PATH};
}

static int fail(const char *why)
{
    (void)fprintf(stderr, "slipway-agent: %s\n", why);
    return EXIT_FAILURE;
}

static int fail_with(int r)
{
    return r == -EACCES || r == -EPERM
               ? fail("this is for root")
               : fail(strerrordesc_np(-r) ? strerrordesc_np(-r) : "unknown error");
}

int client_command(const char *version)
{
    OWN(screen_freep) struct screen *screen = NULL;
    struct client client = {0};
    struct client_options options;
    enum client_next next = CLIENT_WAIT;

    if (screen_new(NULL, 0, &screen) < 0)
        return EXIT_FAILURE;
    options = make_options(version, screen);
    while (next == CLIENT_WAIT) {
        int r = client_turn(&options, &client, &next);

        if (r < 0)
            return fail_with(r);
        if (next == CLIENT_WAIT)
            clock_sleep_us(CLIENT_LOOK_US);
    }
    if (next == CLIENT_RESTART)
        return end_computer("reboot");
    if (next == CLIENT_OFF)
        return end_computer("poweroff");
    log_info("this computer is no client of a site", "file=/" CLIENT_FILE);
    return EXIT_SUCCESS;
}

static int end_of(enum run_end end)
{
    switch (end) {
    case RUN_RESTART:
        return end_computer("reboot");
    case RUN_OFF:
        return end_computer("poweroff");
    case RUN_UNREPORTED:
        return EXIT_UNREPORTED;
    case RUN_FINISHED:
    case RUN_FAILED: /* which the site knows */
    case RUN_NOT_OURS:
        break;
    }
    return EXIT_SUCCESS;
}

int client_resume_command(const char *version)
{
    OWN(screen_freep) struct screen *screen = NULL;
    OWN(fd_closep) int lock = -1;
    struct run_options options = {.is_full_os = true,
                                  .ticket = "",
                                  .boot_image = "",
                                  .version = version,
                                  .platform = run_platform()};
    enum run_end end;

    if (screen_new(NULL, 0, &screen) < 0 || client_lock(LOCK_PATH, true, &lock) != 0)
        return EXIT_FAILURE;
    options.screen = screen;
    return run_agent(&options, &end) < 0 ? EXIT_FAILURE : end_of(end);
}

static const char *text_of(const json_t *item, const char *name)
{
    const char *text = json_string_value(json_object_get(item, name));

    return text ? text : "";
}

static int print_deployments(const json_t *list)
{
    const json_t *item;
    size_t i;

    (void)printf("%-10s %-10s %-23s %s\n", "ID", "PURPOSE", "STATE", "NAME");
    json_array_foreach(list, i, item)
    {
        char name[1024];

        (void)log_escape(name,
                         sizeof(name),
                         text_of(item, "task_sequence_name"),
                         strlen(text_of(item, "task_sequence_name")));
        (void)printf("%-10s %-10s %-23s %s\n",
                     text_of(item, "deployment_id"),
                     text_of(item, "purpose"),
                     text_of(item, "verdict"),
                     name);
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int client_deployments_command(const char *version)
{
    const struct client_options options = make_options(version, NULL);
    OWN(buf_fini) struct buf why = BUF_INIT(POLICY_WHY_MAX_BYTES);
    OWN(json_decrefp) json_t *list = NULL;
    int r = client_list(&options, &list, &why);

    if (r != 0)
        return r > 0 ? fail(buf_str(&why)) : fail_with(r);
    return print_deployments(list);
}

int client_run_command(const char *version, const char *deployment_id)
{
    OWN(screen_freep) struct screen *screen = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(POLICY_WHY_MAX_BYTES);
    const struct screen_output output = {.fd = STDOUT_FILENO};
    struct client_options options;
    enum run_end end = RUN_FINISHED;
    int r;

    if (screen_new(&output, 1, &screen) < 0)
        return EXIT_FAILURE;
    options = make_options(version, screen);
    r = client_begin(&options, deployment_id, &end, &why);
    if (r == CLIENT_E_BUSY)
        return fail("SLW-0474: a task sequence runs on this computer already");
    if (r != 0)
        return r > 0 ? fail(buf_str(&why)) : fail_with(r);
    return end == RUN_FAILED ? fail("the task sequence has failed") : end_of(end);
}
