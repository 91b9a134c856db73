/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/linux/swtpm.h"

#include <fcntl.h>
#include <pty.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "plat/file.h"

enum {
    EXIT_NO_PROGRAM = 127,
};

/* What is written to one end is read at the other as it is. */
static void open_terminal(struct swtpm *m)
{
    struct termios raw;

    assert_int_equal(openpty(&m->fds[0], &m->fds[1], NULL, NULL, NULL), 0);
    assert_int_equal(tcgetattr(m->fds[1], &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(m->fds[1], TCSANOW, &raw), 0);
    assert_int_equal(ttyname_r(m->fds[1], m->device, sizeof(m->device)), 0);
    assert_int_equal(fcntl(m->fds[1], F_SETFD, FD_CLOEXEC), 0);
}

static void run(const struct swtpm *m)
{
    char state[sizeof(m->folder) + sizeof("dir=")];
    char fd[16];

    (void)snprintf(state, sizeof(state), "dir=%s", m->folder);
    (void)snprintf(fd, sizeof(fd), "%d", m->fds[0]);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not leave it behind */
    (void)execlp("swtpm",
                 "swtpm",
                 "chardev",
                 "--tpm2",
                 "--tpmstate",
                 state,
                 "--fd",
                 fd,
                 "--flags",
                 "not-need-init,startup-clear",
                 NULL);
    perror("swtpm");
    _exit(EXIT_NO_PROGRAM);
}

struct swtpm swtpm_new(void)
{
    struct swtpm m = {.folder = "/tmp/test_tpm_XXXXXX", .fds = {-1, -1}};

    assert_non_null(mkdtemp(m.folder));
    open_terminal(&m);
    m.pid = fork();
    assert_true(m.pid >= 0);
    if (m.pid == 0)
        run(&m);
    assert_int_equal(fcntl(m.fds[0], F_SETFD, FD_CLOEXEC), 0);
    return m;
}

struct swtpm swtpm_start(void)
{
    struct swtpm m = swtpm_new();

    assert_int_equal(tpm_open(m.device, SWTPM_PATIENCE_US, &m.tpm), 0);
    return m;
}

void swtpm_stop(struct swtpm *m)
{
    tpm_free(m->tpm);
    if (m->pid > 0) {
        (void)kill(m->pid, SIGTERM);
        (void)waitpid(m->pid, NULL, 0);
    }
    fd_closep(&m->fds[0]);
    fd_closep(&m->fds[1]);
    (void)dir_remove(m->folder);
}
