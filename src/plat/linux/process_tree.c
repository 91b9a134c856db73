/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/linux/process_tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    STAT_MAX_BYTES = 2048,
    PROCESSES_FIRST = 256,
    KILL_ROUNDS_MAX = 200, /* of NAP_US: who is not dead then hangs in the kernel */
    NAP_US = 20 * 1000,
    PROGRAM_UMASK = 022,
    FIRST_FREE_FD = 3,
};

/* What the new processes need, made ready before the fork: behind it only system calls are safe. */
struct birth {
    const struct process_options *options;
    char *const *argv;
    char *const *envp;
    int input;
    int output;
    int end[2];     /* the keeper writes how the program ended */
    int hold[2];    /* the keeper reads; it ends when nobody can write any more */
    int failure[2]; /* the program's process writes an errno value; closed by exec */
    int pid[2];     /* the keeper writes the program's number */
};

static void birth_fini(struct birth *b)
{
    for (size_t i = 0; i < 2; i++) {
        fd_closep(&b->end[i]);
        fd_closep(&b->hold[i]);
        fd_closep(&b->failure[i]);
        fd_closep(&b->pid[i]);
    }
}

static void use_usual_signals(void)
{
    static const int numbers[] = {SIGPIPE, SIGINT, SIGTERM, SIGCHLD, SIGHUP};
    sigset_t none;

    (void)sigemptyset(&none);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        (void)signal(numbers[i], SIG_DFL);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* Groups first: who has given up its user may not change them. */
static bool become(const struct process_user *user)
{
    return setgroups(user->n_groups, user->groups) == 0 &&
           setresgid(user->gid, user->gid, user->gid) == 0 &&
           setresuid(user->uid, user->uid, user->uid) == 0;
}

/* A group of its own; with a terminal that is its alone, a session, so that what is typed there can end it. */
static void stand_alone(const struct birth *b)
{
    if (b->options->terminal <= 0)
        (void)setpgid(0, 0);
    else if (setsid() >= 0)
        (void)ioctl(b->input, TIOCSCTTY, 0);
}

_Noreturn static void be_program(const struct birth *b)
{
    const struct process_options *options = b->options;
    int e;

    stand_alone(b);
    use_usual_signals();
    if (dup2(b->input, STDIN_FILENO) >= 0 &&
        (b->output < 0 ||
         (dup2(b->output, STDOUT_FILENO) >= 0 && dup2(b->output, STDERR_FILENO) >= 0)) &&
        (!options->folder || chdir(options->folder) == 0) &&
        (!options->user || become(options->user))) {
        (void)umask(PROGRAM_UMASK);
        (void)execvpe(b->argv[0], b->argv, b->envp);
    }
    e = errno;
    (void)!write(b->failure[1], &e, sizeof(e));
    _exit(EXIT_FAILURE);
}

/* Nothing of ours stays open in the keeper but what it needs: locks, sockets and files are not its business. */
static void keep_only(struct birth *b)
{
    int end = fcntl(b->end[1], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    int hold = fcntl(b->hold[0], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    unsigned low = (unsigned)(end < hold ? end : hold);
    unsigned high = (unsigned)(end < hold ? hold : end);

    if (end < 0 || hold < 0)
        _exit(EXIT_FAILURE);
    (void)close_range(0, low - 1, 0);
    if (high > low + 1)
        (void)close_range(low + 1, high - 1, 0);
    (void)close_range(high + 1, UINT_MAX, 0);
    b->end[1] = end;
    b->hold[0] = hold;
}

static void wait_until_let_go(int hold)
{
    char byte;

    while (read(hold, &byte, 1) != 0)
        if (errno != EINTR)
            return;
}

_Noreturn static void be_keeper(struct birth *b)
{
    pid_t program;
    pid_t ended;
    int status;

    (void)setpgid(0, 0);
    use_usual_signals();
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        _exit(EXIT_FAILURE);
    program = _Fork();
    if (program < 0)
        _exit(EXIT_FAILURE);
    if (program == 0)
        be_program(b);
    if (b->options->terminal <= 0) /* who has one makes a session, which no leader of a group can */
        (void)setpgid(program, program);
    (void)!write(b->pid[1], &program, sizeof(program));
    (void)close(b->hold[1]);
    keep_only(b);
    do
        ended = waitpid(-1, &status, 0); /* orphans too, lest they stay as zombies */
    while (ended != program && (ended >= 0 || errno == EINTR));
    (void)signal(SIGPIPE, SIG_IGN);
    if (ended == program)
        (void)!write(b->end[1], &status, sizeof(status));
    wait_until_let_go(b->hold[0]);
    while (waitpid(-1, NULL, WNOHANG) >
           0) { /* who was killed leaves nothing to whoever inherits from us */
    }
    _exit(EXIT_SUCCESS);
}

/* An int that another process wrote. Return: whether it did before its end of the pipe was closed. */
static bool receive(int fd, int *ret)
{
    ssize_t n;

    do
        n = read(fd, ret, sizeof(*ret));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(*ret);
}

static int open_pipes(struct birth *b)
{
    int *const pipes[] = {b->end, b->hold, b->failure, b->pid};

    for (size_t i = 0; i < sizeof(pipes) / sizeof(pipes[0]); i++)
        if (pipe2(pipes[i], O_CLOEXEC) != 0)
            return ERR(-errno);
    return 0;
}

int process_tree_start(const struct process_options *options,
                       int input,
                       int output,
                       struct process_tree *ret)
{
    OWN(birth_fini)
    struct birth b = {
        .options = options,
        .envp = environ,
        .input = input,
        .output = output,
        .end = {-1, -1},
        .hold = {-1, -1},
        .failure = {-1, -1},
        .pid = {-1, -1},
    };
    int failure;
    int r = open_pipes(&b);

    if (r < 0)
        return TRACE(r);
    /* exec takes char *const[] for history's sake and changes nothing */
    memcpy(&b.argv, &options->argv, sizeof(b.argv));
    if (options->envp)
        memcpy(&b.envp, &options->envp, sizeof(b.envp));
    ret->keeper = _Fork(); /* what others wanted to do at a fork matters not */
    if (ret->keeper < 0) {
        ret->keeper = 0;
        return ERR(-errno);
    }
    if (ret->keeper == 0)
        be_keeper(&b);
    fd_closep(&b.end[1]);
    fd_closep(&b.failure[1]);
    fd_closep(&b.pid[1]);
    ret->end = b.end[0];
    ret->hold = b.hold[1];
    b.end[0] = b.hold[1] = -1;
    if (!receive(b.pid[0], &ret->program))
        return ERR(-ECHILD);
    if (receive(b.failure[0], &failure))
        return ERR(-failure);
    return 0;
}

/* One line of /proc/PID/stat, as far as it matters. */
struct relative {
    pid_t pid;
    pid_t parent;
    uint64_t started; /* tells it from another one that got its number */
    bool is_ours;     /* descends from the keeper */
};

struct relatives {
    struct relative *items; /* owned */
    size_t n;
    size_t cap;
};

static void relatives_fini(struct relatives *all)
{
    free(all->items);
}

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

/* The next word, as a number. */
static bool take_number(const char **text, uint64_t *ret)
{
    size_t len;

    *text += strspn(*text, " ");
    len = strcspn(*text, " ");
    if (!bytes_parse_u64((struct bytes){(const uint8_t *)*text, len}, 0, UINT64_MAX, ret))
        return false;
    *text += len;
    return true;
}

/* "12 (name, any characters) S 1 ..." Return: false for one that is gone, or dead and waits to be reaped. */
static bool look_at(pid_t pid, struct relative *ret)
{
    enum {
        FIELD_OF_START = 22,
        FIELD_OF_PARENT = 4
    };
    OWN(buf_fini) struct buf text = BUF_INIT(STAT_MAX_BYTES);
    char path[64];
    const char *at;
    uint64_t value = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (file_read(path, &text) != 0)
        return false;
    at = strrchr(buf_str(&text), ')');
    if (!at || strlen(at) < sizeof(") S 1") - 1 || at[2] == 'Z' || at[2] == 'X')
        return false;
    at += sizeof(") S") - 1;
    if (!take_number(&at, &value))
        return false;
    ret->pid = pid;
    ret->parent = (pid_t)value;
    for (unsigned field = FIELD_OF_PARENT + 1; field < FIELD_OF_START; field++) {
        at += strspn(at, " ");
        at += strcspn(at, " ");
    }
    return take_number(&at, &ret->started);
}

static bool add(struct relatives *all, const struct relative *one)
{
    if (all->n == all->cap) {
        size_t cap = all->cap > 0 ? 2 * all->cap : PROCESSES_FIRST;
        struct relative *items = reallocarray(all->items, cap, sizeof(*items));

        if (!items)
            return false;
        all->items = items;
        all->cap = cap;
    }
    all->items[all->n++] = *one;
    return true;
}

static void list_all(struct relatives *all)
{
    OWN(closedirp) DIR *dir = opendir("/proc");
    const struct dirent *entry;
    struct relative one = {0};
    uint64_t pid;

    while (dir && (entry = readdir(dir)) != NULL) /* NOLINT(concurrency-mt-unsafe): own DIR */
        if (bytes_parse_u64(bytes_of(entry->d_name), 1, INT_MAX, &pid) &&
            look_at((pid_t)pid, &one) && !add(all, &one))
            return;
}

static bool is_in_family(const struct relatives *all, pid_t keeper, pid_t parent)
{
    if (parent == keeper)
        return true;
    for (size_t i = 0; i < all->n; i++)
        if (all->items[i].is_ours && all->items[i].pid == parent)
            return true;
    return false;
}

static void mark_descendants(struct relatives *all, pid_t keeper)
{
    bool is_changed;

    do {
        is_changed = false;
        for (size_t i = 0; i < all->n; i++) {
            struct relative *one = &all->items[i];

            if (!one->is_ours && is_in_family(all, keeper, one->parent))
                one->is_ours = is_changed = true;
        }
    } while (is_changed);
}

static void signal_one(const struct relative *one, int signal)
{
    OWN(fd_closep) int fd = pidfd_open(one->pid, 0);
    struct relative now;

    if (fd >= 0 && look_at(one->pid, &now) && now.started == one->started)
        (void)pidfd_send_signal(fd, signal, NULL, 0);
}

bool process_tree_signal(const struct process_tree *tree, int signal)
{
    OWN(relatives_fini) struct relatives all = {0};
    bool is_somebody = false;

    if (tree->keeper <= 0)
        return false;
    list_all(&all);
    mark_descendants(&all, tree->keeper);
    for (size_t i = 0; i < all.n; i++) {
        if (!all.items[i].is_ours)
            continue;
        is_somebody = true;
        signal_one(&all.items[i], signal);
    }
    return is_somebody;
}

static void reap_keeper(struct process_tree *tree)
{
    fd_closep(&tree->hold);
    fd_closep(&tree->end);
    while (waitpid(tree->keeper, NULL, 0) < 0 && errno == EINTR) {
    }
    tree->keeper = 0;
}

int process_tree_reap(struct process_tree *tree, int *ret_status)
{
    bool is_told = receive(tree->end, ret_status);

    reap_keeper(tree);
    return is_told ? 0 : ERR(-ECHILD); /* somebody has killed the keeper */
}

void process_tree_fini(struct process_tree *tree)
{
    if (tree->keeper <= 0) {
        fd_closep(&tree->hold);
        fd_closep(&tree->end);
        return;
    }
    for (unsigned i = 0; i < KILL_ROUNDS_MAX && process_tree_signal(tree, SIGKILL); i++)
        clock_sleep_us(NAP_US);
    (void)kill(tree->keeper, SIGKILL);
    reap_keeper(tree);
}
