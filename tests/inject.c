/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

enum {
    THREADS_MAX = 64,
    STOP_AT_CALL = SIGTRAP | 0x80, /* PTRACE_O_TRACESYSGOOD */
};

struct tracing {
    pid_t child;
    enum inject fault;
    unsigned calls_left;        /* until the fault; 0: it has been met */
    pid_t failing[THREADS_MAX]; /* threads in a call that is to fail */
    size_t n_failing;
};

/* The call changes files. @ret_needs_space: and wants more of the disk */
static bool changes_files(const struct __ptrace_syscall_info *info, bool *ret_needs_space)
{
    uint64_t flags = 0;

    *ret_needs_space = true;
    switch (info->entry.nr) {
    case SYS_write:
    case SYS_pwrite64:
    case SYS_writev:
        return info->entry.args[0] > STDERR_FILENO;
    case SYS_open:
        flags = info->entry.args[1];
        return (flags & O_CREAT) != 0;
    case SYS_openat:
        flags = info->entry.args[2];
        return (flags & O_CREAT) != 0;
    case SYS_mkdir:
    case SYS_mkdirat:
    case SYS_fallocate:
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_rename:
    case SYS_renameat:
    case SYS_renameat2:
        return true;
    case SYS_unlink:
    case SYS_unlinkat:
    case SYS_ftruncate:
    case SYS_chmod:
    case SYS_fchmod:
    case SYS_flock:
        *ret_needs_space = false;
        return true;
    default:
        return false;
    }
}

/* Whether the call that a thread is about to make is to be met by the fault. */
static bool is_met(struct tracing *t, const struct __ptrace_syscall_info *info)
{
    bool needs_space;

    if (!changes_files(info, &needs_space))
        return false;
    if (t->calls_left == 0)
        return t->fault == INJECT_FULL && needs_space;
    t->calls_left--;
    return t->calls_left == 0 && (t->fault != INJECT_FULL || needs_space);
}

static int set_register(pid_t thread, size_t offset, long value)
{
    return ptrace(PTRACE_POKEUSER, thread, offset, value) == 0 ? 0 : -1;
}

/* The call is not made. */
static int skip_call(struct tracing *t, pid_t thread)
{
    if (t->n_failing == THREADS_MAX)
        return -1;
    t->failing[t->n_failing++] = thread;
    return set_register(thread, offsetof(struct user, regs.orig_rax), -1);
}

/* If the call was skipped, this is what it says. */
static int end_call(struct tracing *t, pid_t thread)
{
    for (size_t i = 0; i < t->n_failing; i++) {
        if (t->failing[i] != thread)
            continue;
        t->failing[i] = t->failing[--t->n_failing];
        return set_register(
            thread, offsetof(struct user, regs.rax), t->fault == INJECT_FULL ? -ENOSPC : -EIO);
    }
    return 0;
}

static int meet_call(struct tracing *t, pid_t thread)
{
    struct __ptrace_syscall_info info = {0};

    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) <= 0)
        return -1;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        return end_call(t, thread);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_met(t, &info))
        return 0;
    return t->fault == INJECT_KILL ? kill(t->child, SIGKILL) : skip_call(t, thread);
}

/* A thread has stopped. Return: the signal that it goes on with, or -1. */
static int signal_of(struct tracing *t, pid_t thread, int status)
{
    int number = WSTOPSIG(status);

    if (number == STOP_AT_CALL)
        return meet_call(t, thread);
    /* a thread that begins, or begot another */
    return number == SIGTRAP || number == SIGSTOP ? 0 : number;
}

static int trace(struct tracing *t, int *ret_status)
{
    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL);
        int number;

        if (thread < 0)
            return -1;
        if (!WIFSTOPPED(status)) {
            *ret_status = status;
            if (thread == t->child)
                return 0;
            continue;
        }
        number = signal_of(t, thread, status);
        if (number < 0 && errno != ESRCH)
            return -1;
        /* a thread that was killed meanwhile is not there any more */
        (void)ptrace(PTRACE_SYSCALL, thread, 0, number > 0 ? (long)number : 0L);
    }
}

static void run_child(int (*attempt)(void *ctx), void *ctx)
{
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0 || raise(SIGSTOP) != 0)
        _exit(255);
    _exit(attempt(ctx));
}

int inject_run(int (*attempt)(void *ctx),
               void *ctx,
               enum inject fault,
               unsigned nth,
               struct inject_outcome *ret)
{
    struct tracing t = {.fault = fault, .calls_left = nth};
    int status;
    int r;

    t.child = fork();
    if (t.child < 0)
        return -1;
    if (t.child == 0)
        run_child(attempt, ctx);
    if (waitpid(t.child, &status, 0) != t.child || !WIFSTOPPED(status))
        return -1;
    r = ptrace(PTRACE_SETOPTIONS,
               t.child,
               0,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) == 0 &&
                ptrace(PTRACE_SYSCALL, t.child, 0, 0) == 0
            ? trace(&t, &ret->status)
            : -1;
    if (r < 0) {
        (void)kill(t.child, SIGKILL);
        (void)waitpid(t.child, &status, __WALL);
    }
    ret->was_met = t.calls_left == 0;
    return r;
}
