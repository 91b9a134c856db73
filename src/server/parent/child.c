/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"

enum {
    FD_OUT_OF_THE_WAY = 64,
    EXIT_NOT_STARTED = 127,
};

/* First all up, then all down: so none lands on another. */
static int place_descriptors(const int fds[static CHILD_FDS_MAX])
{
    int high[CHILD_FDS_MAX];

    for (int i = 0; i < CHILD_FDS_MAX; i++) {
        high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, FD_OUT_OF_THE_WAY);
        if (fds[i] >= 0 && high[i] < 0)
            return ERR(-errno);
    }
    if (close_range(CHILD_FIRST_FD, UINT_MAX, CLOSE_RANGE_CLOEXEC) != 0)
        return ERR(-errno);
    for (int i = 0; i < CHILD_FDS_MAX; i++)
        if (high[i] >= 0 && dup2(high[i], CHILD_FIRST_FD + i) < 0)
            return ERR(-errno);
    return 0;
}

static int forget_signals(void)
{
    sigset_t none;

    (void)sigemptyset(&none);
    if (signal(SIGPIPE, SIG_DFL) == SIG_ERR || pthread_sigmask(SIG_SETMASK, &none, NULL) != 0)
        return ERR(-errno);
    return 0;
}

/* Changing who one is resets the signal of a parent's death: it comes after that. */
static int bind_life(int death_signal, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0)
        return ERR(-errno);
    if (getppid() != parent)
        return ERR(-ESRCH); /* it died before that */
    return 0;
}

/* A kernel without Landlock is no reason not to serve. */
static int confine(const struct sandbox_path *paths)
{
    int r = sandbox_confine(paths, true);

    return r < 0 ? TRACE(r) : TRACE(sandbox_filter(SANDBOX_CALLS_WORK));
}

static int become(const struct child_command *command, pid_t parent)
{
    char *const *argv;
    char *const *envp;
    int r;

    (void)setpgid(0, 0);
    if (chdir(command->folder) != 0)
        return ERR(-errno);
    r = place_descriptors(command->fds);
    if (r == 0 && command->is_root)
        r = sandbox_become(&command->who);
    if (r == 0)
        r = sandbox_lock();
    if (r == 0)
        r = bind_life(command->death_signal, parent);
    if (r == 0)
        r = forget_signals();
    if (r == 0 && command->paths)
        r = confine(command->paths);
    if (r < 0)
        return TRACE(r);
    /* execve() takes char *const[] for history's sake and changes nothing */
    memcpy(&argv, &command->argv, sizeof(argv));
    memcpy(&envp, &command->envp, sizeof(envp));
    (void)execve(command->path, argv, envp);
    return ERR(-errno);
}

int child_spawn(const struct child_command *command, pid_t *ret)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0)
        return ERR(-errno);
    if (pid == 0) {
        int r = become(command, parent);

        (void)dprintf(STDERR_FILENO,
                      "slipwayd: %s cannot be started: %s\n",
                      command->path,
                      strerrordesc_np(-r));
        _exit(EXIT_NOT_STARTED);
    }
    (void)setpgid(pid, pid);
    *ret = pid;
    return 0;
}
