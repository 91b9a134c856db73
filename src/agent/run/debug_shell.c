/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/debug_shell.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    EXIT_NOT_STARTED = 127,
    EXIT_BY_SIGNAL = 128,
};

static void become_shell(void)
{
    char name[] = "sh";
    char interactive[] = "-i";
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char home[] = "HOME=/root";
    char term[] = "TERM=linux";
    char prompt[] = "PS1=# ";
    char *const argv[] = {name, interactive, NULL};
    char *const envp[] = {path, home, term, prompt, NULL};

    (void)signal(SIGPIPE, SIG_DFL);
    if (chdir("/") == 0)
        (void)execve("/bin/sh", argv, envp);
    _exit(EXIT_NOT_STARTED);
}

int debug_shell_open(struct debug_shell *shell)
{
    int pty;
    pid_t pid;

    if (shell->pid > 0)
        return 0;
    pid = forkpty(&pty, NULL, NULL, NULL);
    if (pid < 0)
        return ERR(-errno);
    if (pid == 0)
        become_shell();
    if (fcntl(pty, F_SETFL, O_NONBLOCK) != 0 || fcntl(pty, F_SETFD, FD_CLOEXEC) != 0) {
        int r = ERR(-errno);

        shell->pid = pid;
        shell->pty = pty;
        debug_shell_close(shell);
        return r;
    }
    *shell = (struct debug_shell){.pid = pid, .pty = pty};
    return 0;
}

int debug_shell_type(struct debug_shell *shell, struct bytes text)
{
    return shell->pid > 0 ? TRACE(fd_write_all(shell->pty, text)) : 0;
}

static void reap(struct debug_shell *shell)
{
    int status = 0;

    while (waitpid(shell->pid, &status, 0) < 0 && errno == EINTR) {
    }
    shell->status = WIFSIGNALED(status) ? EXIT_BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    shell->pid = 0;
    fd_closep(&shell->pty);
}

bool debug_shell_read(struct debug_shell *shell, struct buf *ret)
{
    char piece[DEBUG_SHELL_PIECE_MAX];
    ssize_t n;

    if (shell->pid == 0)
        return false;
    n = read(shell->pty, piece, sizeof(piece));
    if (n > 0) {
        buf_add(ret, (struct bytes){(const uint8_t *)piece, (size_t)n});
        return false;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    debug_shell_close(
        shell); /* the terminal's other side is closed: it has ended, or wants no more */
    return true;
}

void debug_shell_close(struct debug_shell *shell)
{
    if (shell->pid == 0)
        return;
    (void)kill(-shell->pid, SIGHUP);
    fd_closep(&shell->pty);
    for (unsigned i = 0; i < 20; i++) {
        if (waitpid(shell->pid, &shell->status, WNOHANG | WNOWAIT) != 0)
            break;
        (void)usleep(10000);
    }
    (void)kill(-shell->pid, SIGKILL);
    reap(shell);
}
