/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    PIECE_BYTES = 4096,
    END_WAIT_US = 5 * 1000 * 1000,
    END_NAP_US = 2 * 1000,
};

void child_fini(struct child *child)
{
    if (child->pid > 0) {
        (void)kill(child->is_group ? -child->pid : child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    child->pid = 0;
    fd_closep(&child->in_fd);
    fd_closep(&child->out_fd);
    buf_fini(&child->rest);
}

void child_end(struct child *child, struct buf *ret_how)
{
    unsigned waited_us = 0;
    int status = 0;
    pid_t ended = 0;

    while (child->pid > 0 && ended == 0 && waited_us < END_WAIT_US) {
        ended = waitpid(child->pid, &status, WNOHANG);
        if (ended == 0)
            clock_sleep_us(END_NAP_US);
        waited_us += END_NAP_US;
    }
    if (ended <= 0) {
        buf_adds(ret_how, "closed its output and went on");
        child_fini(child);
        return;
    }
    if (child->is_group)
        (void)kill(-child->pid, SIGKILL); /* what it has left behind */
    child->pid = 0;
    if (WIFSIGNALED(status))
        buf_addf(ret_how,
                 "was killed by signal %d (%s)",
                 WTERMSIG(status),
                 sigdescr_np(WTERMSIG(status)));
    else
        buf_addf(ret_how, "exited with status %d", WEXITSTATUS(status));
}

/* No signal blocked: this thread may block some. */
static int set_attributes(posix_spawnattr_t *attributes, bool is_group)
{
    sigset_t none;

    (void)sigemptyset(&none);
    (void)posix_spawnattr_setsigmask(attributes, &none);
    (void)posix_spawnattr_setpgroup(attributes, 0);
    return posix_spawnattr_setflags(
        attributes, (short)(POSIX_SPAWN_SETSIGMASK | (is_group ? POSIX_SPAWN_SETPGROUP : 0)));
}

/* The vector is copied, because posix_spawn() takes one that is not const and does not change it. */
static int spawn(const char *const *argv, int in_fd, int out_fd, struct child *child)
{
    OWN(freep) char **args = NULL;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    size_t n = 1;
    int error;

    assert(argv[0]);
    while (argv[n])
        n++;
    args = calloc(n + 1, sizeof(*args));
    if (!args)
        return ERR(-ENOMEM);
    memcpy(args, argv, n * sizeof(*args));
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ERR(-ENOMEM);
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ERR(-ENOMEM);
    }
    error = posix_spawn_file_actions_adddup2(&actions, in_fd, STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    if (error == 0)
        error = set_attributes(&attributes, child->is_group);
    if (error == 0)
        error = posix_spawn(&child->pid, argv[0], &actions, &attributes, args, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return error == 0 ? 0 : ERR(-error);
}

/* It may have ended before it has read all of it: then its end says why. */
static int give_input(const struct child_command *command, struct child *child)
{
    int r = fd_write_all(child->in_fd, command->input);

    if (r < 0 && r != -EPIPE)
        return TRACE(r);
    if (!command->is_input_open)
        fd_closep(&child->in_fd);
    else if (fcntl(child->in_fd, F_SETFL, O_NONBLOCK) < 0)
        return ERR(-errno);
    return 0;
}

int child_start(const struct child_command *command, struct child *ret)
{
    OWN(fd_closep) int in_fd = -1;
    OWN(fd_closep) int write_fd = -1;
    int ends[2];
    int r;

    *ret = CHILD_INIT;
    ret->is_group = command->is_group;
    ret->rest = BUF_INIT(CHILD_LINE_MAX_BYTES);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return ERR(-errno);
    in_fd = ends[0];
    ret->in_fd = ends[1];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return ERR(-errno);
    ret->out_fd = ends[0];
    write_fd = ends[1];
    r = spawn(command->argv, in_fd, write_fd, ret);
    if (r < 0)
        return TRACE(r);
    fd_closep(&in_fd); /* now only the program has it: who writes to one that has ended is told */
    return TRACE(give_input(command, ret));
}

void child_say(const struct child *child, const char *text)
{
    struct bytes all = bytes_of(text);

    if (child->in_fd >= 0)
        (void)!write(
            child->in_fd, all.ptr, all.len); /* shorter than PIPE_BUF: whole or not at all */
}

/* Return: whether there was a whole line. */
static bool take_line(struct child *child, struct buf *ret)
{
    const char *text = buf_str(&child->rest);
    const char *end = memchr(text, '\n', child->rest.len);

    if (!end)
        return false;

    size_t len = (size_t)(end - text);
    size_t left = child->rest.len - len - 1;

    buf_add(ret, (struct bytes){(const uint8_t *)text, len});
    memmove(child->rest.ptr, child->rest.ptr + len + 1, left);
    child->rest.len = left;
    child->rest.ptr[left] = '\0';
    return true;
}

int child_read_line(struct child *child, unsigned timeout_ms, struct buf *ret)
{
    struct pollfd pollfd = {.fd = child->out_fd, .events = POLLIN};
    uint8_t piece[PIECE_BYTES];

    buf_clear(ret);
    for (;;) {
        if (take_line(child, ret))
            return ret->failed ? ERR(-EMSGSIZE) : 0;

        int n_ready = poll(&pollfd, 1, (int)timeout_ms);

        if (n_ready == 0 || (n_ready < 0 && errno == EINTR))
            return CHILD_E_NOTHING_YET;

        ssize_t n = read(child->out_fd, piece, sizeof(piece));

        if (n == 0)
            return CHILD_E_END;
        if (n < 0)
            return ERR(-errno);
        buf_add(&child->rest, (struct bytes){piece, (size_t)n});
        if (child->rest.failed)
            return ERR(-EMSGSIZE);
    }
}
