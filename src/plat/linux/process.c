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
#include "plat/linux/process_tree.h"

enum {
    PIECE_BYTES = 16 * 1024,
    PIECES_MAX = 64, /* at a time; more than a pipe holds, so the rest of a child that ended fits */
    US_PER_MS = 1000,
    US_PER_S = 1000 * 1000,
    TICK_US = US_PER_S,
    KILL_AGAIN_MS = 20,    /* as long as somebody of the tree is there, */
    KILL_ROUNDS_MAX = 500, /* but who hangs in the kernel is left */
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
    bool is_paused;
    uint64_t paused_us; /* since when */
    bool has_tree;
    struct process_tree tree; /* instead of pid and pidfd */
    unsigned n_kill_rounds;
};

static void running_fini(struct running *run)
{
    if (run->pid > 0) {
        (void)kill(-run->pid, SIGKILL);
        while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        run->pid = 0;
    }
    process_tree_fini(&run->tree);
    fd_closep(&run->pidfd);
    fd_closep(&run->output);
    fd_closep(&run->child_input);
    fd_closep(&run->child_output);
}

/* In memory, not a pipe: nothing to feed later, and no SIGPIPE when the child does not read it. */
static int open_input(struct bytes input, int terminal, int *ret)
{
    OWN(fd_closep) int fd = -1;
    int r;

    if (terminal > 0)
        fd = fcntl(terminal, F_DUPFD_CLOEXEC, 0);
    else if (input.len == 0)
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    else
        fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return ERR(-errno);
    r = terminal > 0 ? 0 : fd_write_all(fd, input);
    if (r < 0)
        return TRACE(r);
    if (terminal <= 0 && input.len > 0 && lseek(fd, 0, SEEK_SET) != 0)
        return ERR(-errno);
    *ret = fd;
    fd = -1;
    return 0;
}

static int open_output(struct running *run)
{
    int ends[2];

    if (run->options->terminal > 0) {
        run->child_output = fcntl(run->options->terminal, F_DUPFD_CLOEXEC, 0);
        return run->child_output < 0 ? ERR(-errno) : 0;
    }
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

static int start_tree(struct running *run)
{
    int r = process_tree_start(run->options, run->child_input, run->child_output, &run->tree);

    fd_closep(&run->child_input);
    fd_closep(&run->child_output);
    return r < 0 ? TRACE(r) : 0;
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
    uint64_t until = run->deadline_us < run->next_tick_us && !run->is_paused ? run->deadline_us
                                                                             : run->next_tick_us;

    if (run->is_killed && run->has_tree)
        return KILL_AGAIN_MS;
    if (until == UINT64_MAX || run->is_killed)
        return -1;
    if (until <= now)
        return 0;

    uint64_t ms = (until - now) / US_PER_MS + 1;

    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void kill_now(struct running *run)
{
    run->is_killed = true;
    if (!run->has_tree)
        (void)kill(-run->pid, SIGKILL);
}

/* Nobody wants it any more: a tree is asked first, and what was its deadline becomes that of its grace. */
static void stop(struct running *run, uint64_t now)
{
    run->is_stopped = true;
    run->next_tick_us = UINT64_MAX;
    if (!run->has_tree) {
        kill_now(run);
        return;
    }
    (void)process_tree_signal(&run->tree, SIGTERM);
    (void)process_tree_signal(&run->tree, SIGCONT);
    run->deadline_us = now + (uint64_t)PROCESS_GRACE_S * US_PER_S;
}

static void pause_or_go_on(struct running *run, bool is_pause, uint64_t now)
{
    if (!run->has_tree)
        return;
    if (is_pause)
        (void)process_tree_signal(&run->tree, SIGSTOP); /* again each time: somebody may be new */
    else if (run->is_paused)
        (void)process_tree_signal(&run->tree, SIGCONT);
    if (run->is_paused && run->deadline_us != UINT64_MAX)
        run->deadline_us += now - run->paused_us;
    run->is_paused = is_pause;
    run->paused_us = now;
}

static void tick(struct running *run)
{
    enum process_tick wish = run->options->on_tick(run->options->ctx);
    uint64_t now = clock_monotonic_us();

    run->next_tick_us = now + (run->options->tick_us > 0 ? run->options->tick_us : TICK_US);
    pause_or_go_on(run, wish == PROCESS_PAUSE, now);
    if (wish == PROCESS_END)
        stop(run, now);
}

/* It has had its time, or nobody wants it any more. */
static void look_at_clock(struct running *run)
{
    uint64_t now = clock_monotonic_us();

    if (run->is_killed)
        return;
    if (now >= run->deadline_us && !run->is_paused) {
        run->is_timed_out = !run->is_stopped;
        kill_now(run);
    } else if (now >= run->next_tick_us) {
        tick(run);
    }
}

/* Whoever is forked while others are killed is found in the next round. Return: whether nobody is left. */
static bool is_tree_dead(struct running *run)
{
    return !process_tree_signal(&run->tree, SIGKILL) || ++run->n_kill_rounds >= KILL_ROUNDS_MAX;
}

/* Until the child itself has ended: whoever it left behind may keep the pipe open for ever. Of a tree that is killed,
   until everybody has. */
static int watch(struct running *run)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = run->has_tree ? run->tree.end : run->pidfd, .events = POLLIN},
            {.fd = run->output, .events = POLLIN}, /* -1 is skipped */
        };
        int n = poll(fds, 2, wait_ms(run));

        if (n < 0 && errno != EINTR)
            return ERR(-errno);
        look_at_clock(run);

        int r = n > 0 ? drain(run) : 0;

        if (r < 0)
            return TRACE(r);
        if (n > 0 && fds[0].revents != 0 && run->is_stopped)
            run->is_killed = true; /* the program has heeded; whoever is left below it goes too */
        if (run->is_killed && run->has_tree) {
            if (is_tree_dead(run))
                return 0;
        } else if (n > 0 && fds[0].revents != 0) {
            return 0;
        }
    }
}

static int wait_for_end(struct running *run, int *ret_status)
{
    if (run->has_tree)
        return TRACE(process_tree_reap(&run->tree, ret_status));
    while (waitpid(run->pid, ret_status, 0) < 0)
        if (errno != EINTR)
            return ERR(-errno);
    run->pid = 0;
    return 0;
}

static int reap(struct running *run, struct process_result *ret)
{
    int status = 0;
    int r = wait_for_end(run, &status);

    if (r < 0)
        return TRACE(r);
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
        .has_tree = options->is_whole_tree || options->user || options->terminal > 0,
        .tree = PROCESS_TREE_INIT,
        .deadline_us = UINT64_MAX,
        .next_tick_us = options->on_tick ? 0 : UINT64_MAX,
    };
    int r = open_input(options->input, options->terminal, &run.child_input);

    if (r < 0)
        return TRACE(r);
    r = open_output(&run);
    if (r < 0)
        return TRACE(r);
    if (options->timeout_us > 0)
        run.deadline_us = clock_monotonic_us() + options->timeout_us;
    r = run.has_tree ? start_tree(&run) : start(&run);
    if (r < 0)
        return TRACE(r);
    r = watch(&run);
    if (r < 0)
        return TRACE(r);
    return TRACE(reap(&run, ret));
}
