/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/parent.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "rt/log.h"
#include "rt/notify.h"
#include "server/parent/backoff.h"
#include "server/parent/dp_key.h"
#include "server/parent/failure.h"
#include "server/parent/first_start.h"
#include "server/parent/launch.h"
#include "server/parent/prepare.h"
#include "server/role.h"

enum {
    END_PATIENCE_US = 4 * 1000 * 1000, /* from SIGTERM to SIGKILL; 5 s are promised for all */
    LOOK_US = 200 * 1000,              /* how often it is looked whether the server is up */
    IDLE_US = 10 * 1000 * 1000,
    US_PER_MS = 1000,
};

struct process {
    pid_t pid; /* 0: not running */
    uint64_t started_us;
    uint64_t next_us; /* when it is started again */
    uint64_t delay_us;
    bool is_wanted;
};

struct parent {
    const struct parent_options *options;
    struct prepared prepared;
    struct first_start first_start;
    struct dp_key_pipe tokens;
    struct process processes[N_CHILDREN];
    int signal_fd; /* owned */
    bool is_ready;
    bool is_ending;
    bool is_killed; /* SIGKILL has been sent */
    uint64_t end_deadline_us;
    uint64_t watchdog_us; /* how often it must be told; 0: never */
    uint64_t next_alive_us;
    int status; /* exit status to come */
};

static void parent_fini(struct parent *parent)
{
    prepared_fini(&parent->prepared);
    first_start_fini(&parent->first_start);
    dp_key_pipe_fini(&parent->tokens);
    fd_closep(&parent->signal_fd);
}

static void begin_end(struct parent *parent, int status)
{
    if (parent->is_ending)
        return;
    parent->is_ending = true;
    parent->status = status;
    parent->end_deadline_us = clock_monotonic_us() + END_PATIENCE_US;
    notify_stopping();
    for (unsigned i = 0; i < N_CHILDREN; i++)
        if (parent->processes[i].pid > 0)
            (void)kill(-parent->processes[i].pid, SIGTERM);
}

static void put_off(struct process *process, uint64_t now, uint64_t lived_us)
{
    process->pid = 0;
    process->delay_us = backoff_next(process->delay_us, lived_us);
    process->next_us = now + process->delay_us;
}

static void start_one(struct parent *parent, enum parent_child child)
{
    struct process *process = &parent->processes[child];
    int pipe_fd = -1;
    int r = 0;

    process->started_us = clock_monotonic_us();
    if (child == CHILD_SITE)
        r = first_start_open(&parent->first_start, &pipe_fd);
    if (child == CHILD_TOKEN)
        r = dp_key_pipe_open(&parent->tokens, &pipe_fd);
    if (r == 0)
        r = launch(parent->options, &parent->prepared, child, pipe_fd, &process->pid);
    fd_closep(&pipe_fd);
    if (r == 0)
        return;
    put_off(process, process->started_us, 0);
    log_error("a process cannot be started",
              "name=%s errno=%d text=\"%s\" again_in_ms=%" PRIu64,
              launch_names[child],
              -r,
              strerrordesc_np(-r),
              process->delay_us / US_PER_MS);
}

static void start_due(struct parent *parent)
{
    uint64_t now = clock_monotonic_us();

    for (unsigned i = 0; i < N_CHILDREN && !parent->is_ending; i++) {
        const struct process *process = &parent->processes[i];

        if (process->is_wanted && process->pid == 0 && process->next_us <= now)
            start_one(parent, i);
    }
}

/* The ends after which starting again would only repeat them. Return: whether it is one. */
static bool is_final(struct parent *parent, int status)
{
    const char *folder = parent->options->state_folder;

    if (!WIFEXITED(status))
        return false;
    if (WEXITSTATUS(status) == ROLE_EXIT_SCHEMA) {
        begin_end(
            parent,
            parent_fail(PARENT_EXIT_NEWER_SCHEMA,
                        "the database in %s/site was made by a newer version of Slipway; this one "
                        "leaves it alone",
                        folder));
        return true;
    }
    if (WEXITSTATUS(status) == ROLE_EXIT_STORE) {
        begin_end(
            parent,
            parent_fail(PARENT_EXIT_STORE_FORMAT,
                        "the content store in %s/dp/content is of another format; this version "
                        "of Slipway leaves it alone",
                        folder));
        return true;
    }
    if (WEXITSTATUS(status) == ROLE_EXIT_DISK_FULL && !parent->is_ready) {
        begin_end(parent,
                  parent_fail(PARENT_EXIT_DISK_FULL, "there is no space left in %s", folder));
        return true;
    }
    return false;
}

static void note_end(struct parent *parent, enum parent_child child, int status)
{
    struct process *process = &parent->processes[child];
    uint64_t now = clock_monotonic_us();

    (void)kill(-process->pid, SIGKILL); /* whatever it left behind in its group */
    process->pid = 0;
    if (parent->is_ending || is_final(parent, status))
        return;
    put_off(process, now, now - process->started_us);
    log_warning("a process ended and will be started again",
                "name=%s %s=%d lived_ms=%" PRIu64 " again_in_ms=%" PRIu64,
                launch_names[child],
                WIFSIGNALED(status) ? "signal" : "status",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                (now - process->started_us) / US_PER_MS,
                process->delay_us / US_PER_MS);
}

static void reap(struct parent *parent)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);

        if (pid <= 0)
            return;
        for (unsigned i = 0; i < N_CHILDREN; i++)
            if (parent->processes[i].pid == pid)
                note_end(parent, i, status);
    }
}

static void take_signals(struct parent *parent)
{
    struct signalfd_siginfo got;

    while (read(parent->signal_fd, &got, sizeof(got)) == (ssize_t)sizeof(got)) {
        if (got.ssi_signo != SIGTERM && got.ssi_signo != SIGINT)
            continue;
        log_info("ending", "signal=%u from_pid=%u", got.ssi_signo, got.ssi_pid);
        begin_end(parent, PARENT_EXIT_OK);
    }
    reap(parent);
}

static bool is_running(const struct parent *parent)
{
    for (unsigned i = 0; i < N_CHILDREN; i++)
        if (parent->processes[i].pid > 0)
            return true;
    return false;
}

/* The API can be called: the site has made its socket, nginx has said that it runs. */
static bool is_up(const struct parent *parent)
{
    bool is_remote = parent->options->remote.is_on;
    const char *const signs[] = {is_remote ? "run/roles/roles.sock" : "run/api/api.sock",
                                 "http/nginx.pid"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        int n = snprintf(path, sizeof(path), "%s/%s", parent->options->state_folder, signs[i]);

        if (n < 0 || (size_t)n >= sizeof(path) || !file_exists(path))
            return false;
    }
    return true;
}

static void look_whether_up(struct parent *parent)
{
    char url[300];

    if (parent->is_ready || parent->is_ending || !is_up(parent))
        return;
    parent->is_ready = true;
    notify_ready("serving");
    if (parent->options->remote.is_on) {
        log_info("ready as a distribution point", "site=%s", parent->options->remote.url);
        return;
    }
    first_start_put_url(parent->options->config, url, sizeof(url));
    log_info("ready", "site=%s pin=%s", url, parent->prepared.pin);
}

static void say_alive(struct parent *parent)
{
    uint64_t now = clock_monotonic_us();

    if (parent->watchdog_us == 0 || now < parent->next_alive_us)
        return;
    parent->next_alive_us = now + parent->watchdog_us;
    notify_alive();
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int wait_ms(const struct parent *parent)
{
    uint64_t now = clock_monotonic_us();
    uint64_t next = now + (parent->is_ready && !parent->is_ending ? IDLE_US : LOOK_US);

    for (unsigned i = 0; i < N_CHILDREN && !parent->is_ending; i++)
        if (parent->processes[i].is_wanted && parent->processes[i].pid == 0)
            next = earlier(next, parent->processes[i].next_us);
    if (parent->watchdog_us > 0)
        next = earlier(next, parent->next_alive_us);
    return next > now ? (int)((next - now) / US_PER_MS) + 1 : 0;
}

static void kill_late(struct parent *parent)
{
    if (!parent->is_ending || parent->is_killed || clock_monotonic_us() < parent->end_deadline_us)
        return;
    parent->is_killed = true;
    for (unsigned i = 0; i < N_CHILDREN; i++) {
        if (parent->processes[i].pid <= 0)
            continue;
        log_warning("a process did not end and is killed", "name=%s", launch_names[i]);
        (void)kill(-parent->processes[i].pid, SIGKILL);
    }
}

static int watch(struct parent *parent)
{
    while (!parent->is_ending || is_running(parent)) {
        start_due(parent);

        struct pollfd fds[] = {
            {.fd = parent->signal_fd, .events = POLLIN},
            {.fd = parent->first_start.fd, .events = POLLIN},
            {.fd = parent->tokens.fd, .events = POLLIN},
        };

        if (poll(fds, sizeof(fds) / sizeof(fds[0]), wait_ms(parent)) < 0 && errno != EINTR)
            return parent_fail_errno(-errno, "cannot wait for", "the roles");
        if (fds[1].revents != 0)
            first_start_read(&parent->first_start, parent->options, parent->prepared.pin);
        if (fds[2].revents != 0)
            dp_key_pipe_read(
                &parent->tokens, parent->options->state_folder, parent->prepared.users.roles_gid);
        take_signals(parent);
        look_whether_up(parent);
        say_alive(parent);
        kill_late(parent);
    }
    return parent->status;
}

static int catch_signals(struct parent *parent)
{
    sigset_t ours;

    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGTERM);
    (void)sigaddset(&ours, SIGINT);
    (void)sigaddset(&ours, SIGHUP);
    (void)sigaddset(&ours, SIGCHLD);
    if (pthread_sigmask(SIG_BLOCK, &ours, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return ERR(-errno);
    parent->signal_fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    if (parent->signal_fd < 0)
        return ERR(-errno);
    return 0;
}

int parent_run(const struct parent_options *options)
{
    OWN(parent_fini)
    struct parent parent = {
        .options = options,
        .prepared = PREPARED_INIT,
        .first_start = FIRST_START_INIT,
        .tokens = DP_KEY_PIPE_INIT,
        .signal_fd = -1,
        .watchdog_us = notify_watchdog_us() / 2,
    };
    int status = prepare(options, &parent.prepared);
    int r;

    if (status != PARENT_EXIT_OK)
        return status;
    r = catch_signals(&parent);
    if (r < 0)
        return parent_fail_errno(r, "cannot catch", "signals");
    parent.processes[CHILD_SITE].is_wanted = !options->remote.is_on;
    parent.processes[CHILD_DP].is_wanted = options->config->is_dp_on;
    parent.processes[CHILD_PXE].is_wanted = options->config->is_pxe_on;
    parent.processes[CHILD_HTTP].is_wanted = true;
    parent.processes[CHILD_TOKEN].is_wanted = options->remote.is_on;
    return watch(&parent);
}
