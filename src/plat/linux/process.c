/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    PIECE_BYTES = 16 * 1024,
    PIECES_MAX = 64, /* at a time; more than a pipe holds, so the rest of a child that ended fits */
    US_PER_MS = 1000,
    TICK_US = 1000 * 1000,
};

struct running {
    const struct process_options *options;
    pid_t pid;       /* 0: not started, or reaped */
    int pidfd;       /* owned */
    int output;      /* owned; our end, not blocking; -1: not wanted, or at its end */
    int child_input; /* owned; the child's ends, until it has started */
    int child_output;
    uint64_t deadline_us;  /* UINT64_MAX: none */
    uint64_t next_tick_us; /* UINT64_MAX: nobody wants to know */
    bool is_timed_out;
    bool is_stopped;
    bool is_killed; /* for one of the two */
};

static void running_fini(struct running *run)
{
    if (run->pid > 0) {
        (void)kill(-run->pid, SIGKILL);
        while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        run->pid = 0;
    }
    fd_closep(&run->pidfd);
    fd_closep(&run->output);
    fd_closep(&run->child_input);
    fd_closep(&run->child_output);
}

/* In memory, not a pipe: nothing to feed later, and no SIGPIPE when the child does not read it. */
static int open_input(struct bytes input, int *ret)
{
    OWN(fd_closep) int fd = -1;
    int r;

    if (input.len == 0)
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    else
        fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return ERR(-errno);
    r = fd_write_all(fd, input);
    if (r < 0)
        return TRACE(r);
    if (input.len > 0 && lseek(fd, 0, SEEK_SET) != 0)
        return ERR(-errno);
    *ret = fd;
    fd = -1;
    return 0;
}

static int open_output(struct running *run)
{
    int ends[2];

    if (!run->options->output && !run->options->on_output)
        return 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ERR(-errno);
    run->output = ends[0];
    run->child_output = ends[1];
    if (fcntl(run->output, F_SETFL, O_NONBLOCK) != 0)
        return ERR(-errno);
    return 0;
}

/* All of these return an errno value, 0 for success. */
static int add_actions(posix_spawn_file_actions_t *actions, const struct running *run)
{
    int e = posix_spawn_file_actions_adddup2(actions, run->child_input, STDIN_FILENO);

    if (e == 0 && run->child_output >= 0)
        e = posix_spawn_file_actions_adddup2(actions, run->child_output, STDOUT_FILENO);
    if (e == 0 && run->child_output >= 0)
        e = posix_spawn_file_actions_adddup2(actions, run->child_output, STDERR_FILENO);
    if (e == 0 && run->options->folder)
        e = posix_spawn_file_actions_addchdir_np(actions, run->options->folder);
    return e;
}

/* A group of its own, and the signals as a program expects to find them. */
static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none;
    sigset_t usual;
    int e = posix_spawnattr_setflags(
        attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    (void)sigaddset(&usual, SIGINT);
    (void)sigaddset(&usual, SIGTERM);
    (void)sigaddset(&usual, SIGCHLD);
    if (e == 0)
        e = posix_spawnattr_setpgroup(attr, 0);
    if (e == 0)
        e = posix_spawnattr_setsigmask(attr, &none);
    if (e == 0)
        e = posix_spawnattr_setsigdefault(attr, &usual);
    return e;
}

static int spawn_with(struct running *run,
                      const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *attr)
{
    char *const *argv;
    char *const *envp = environ;

    /* posix_spawnp() takes char *const[] for history's sake and changes nothing */
    memcpy(&argv, &run->options->argv, sizeof(argv));
    if (run->options->envp)
        memcpy(&envp, &run->options->envp, sizeof(envp));
    return posix_spawnp(&run->pid, argv[0], actions, attr, argv, envp);
}

static int start(struct running *run)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int e = posix_spawn_file_actions_init(&actions);

    if (e != 0)
        return ERR(-e);
    e = posix_spawnattr_init(&attr);
    if (e != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ERR(-e);
    }
    e = add_actions(&actions, run);
    if (e == 0)
        e = set_attributes(&attr);
    if (e == 0)
        e = spawn_with(run, &actions, &attr);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (e != 0) {
        run->pid = 0;
        return ERR(-e);
    }
    fd_closep(&run->child_input);
    fd_closep(&run->child_output);
    run->pidfd = pidfd_open(run->pid, 0);
    if (run->pidfd < 0)
        return ERR(-errno);
    return 0;
}

/* Read what is there now, but come back to look at the clock. */
static int drain(struct running *run)
{
    uint8_t piece[PIECE_BYTES];

    for (unsigned i = 0; i < PIECES_MAX && run->output >= 0; i++) {
        ssize_t n = read(run->output, piece, sizeof(piece));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return 0;
        if (n < 0)
            return ERR(-errno);
        if (n == 0) {
            fd_closep(&run->output);
            return 0;
        }

        struct bytes got = {piece, (size_t)n};

        if (run->options->output)
            buf_add(run->options->output, got);
        if (run->options->on_output)
            run->options->on_output(run->options->ctx, got);
    }
    return 0;
}

static int wait_ms(const struct running *run)
{
    uint64_t now = clock_monotonic_us();
    uint64_t until = run->deadline_us < run->next_tick_us ? run->deadline_us : run->next_tick_us;

    if (until == UINT64_MAX || run->is_killed)
        return -1;
    if (until <= now)
        return 0;

    uint64_t ms = (until - now) / US_PER_MS + 1;

    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* It has had its time, or nobody wants it any more. */
static void look_at_clock(struct running *run)
{
    uint64_t now = clock_monotonic_us();

    if (run->is_killed)
        return;
    run->is_timed_out = now >= run->deadline_us;
    if (!run->is_timed_out && now >= run->next_tick_us) {
        run->is_stopped = !run->options->on_tick(run->options->ctx);
        run->next_tick_us = clock_monotonic_us() + TICK_US;
    }
    run->is_killed = run->is_timed_out || run->is_stopped;
    if (run->is_killed)
        (void)kill(-run->pid, SIGKILL);
}

/* Until the child itself has ended: whoever it left behind may keep the pipe open for ever. */
static int watch(struct running *run)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = run->pidfd, .events = POLLIN},
            {.fd = run->output, .events = POLLIN}, /* -1 is skipped */
        };
        int n = poll(fds, 2, wait_ms(run));

        if (n < 0 && errno != EINTR)
            return ERR(-errno);
        look_at_clock(run);
        if (n <= 0)
            continue;

        int r = drain(run);

        if (r < 0)
            return TRACE(r);
        if (fds[0].revents != 0)
            return 0;
    }
}

static int reap(struct running *run, struct process_result *ret)
{
    int status;

    while (waitpid(run->pid, &status, 0) < 0)
        if (errno != EINTR)
            return ERR(-errno);
    run->pid = 0;
    *ret = (struct process_result){
        .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .is_timed_out = run->is_timed_out,
        .is_stopped = run->is_stopped,
    };
    return 0;
}

int process_run(const struct process_options *options, struct process_result *ret)
{
    OWN(running_fini)
    struct running run = {
        .options = options,
        .pidfd = -1,
        .output = -1,
        .child_input = -1,
        .child_output = -1,
        .deadline_us = UINT64_MAX,
        .next_tick_us = options->on_tick ? 0 : UINT64_MAX,
    };
    int r = open_input(options->input, &run.child_input);

    if (r < 0)
        return TRACE(r);
    r = open_output(&run);
    if (r < 0)
        return TRACE(r);
    if (options->timeout_us > 0)
        run.deadline_us = clock_monotonic_us() + options->timeout_us;
    r = start(&run);
    if (r < 0)
        return TRACE(r);
    r = watch(&run);
    if (r < 0)
        return TRACE(r);
    return TRACE(reap(&run, ret));
}
