/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <linux/prctl.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    DESCRIPTORS_MAX = 16384,
    VERSION_WITH_REFER = 2,
};

static void cap_freep(cap_t *caps)
{
    if (*caps)
        (void)cap_free(*caps);
}

/* Exactly the one capability, or none; ambient, so that it outlives execve() without file capabilities. */
static int set_capabilities(bool may_bind_low_ports)
{
    static const cap_value_t bind_low[] = {CAP_NET_BIND_SERVICE};
    OWN(cap_freep) cap_t caps = cap_init();
    int n = may_bind_low_ports ? 1 : 0;

    if (!caps)
        return ERR(-ENOMEM);
    if (n > 0 && (cap_set_flag(caps, CAP_PERMITTED, n, bind_low, CAP_SET) != 0 ||
                  cap_set_flag(caps, CAP_EFFECTIVE, n, bind_low, CAP_SET) != 0 ||
                  cap_set_flag(caps, CAP_INHERITABLE, n, bind_low, CAP_SET) != 0))
        return ERR(-errno);
    if (cap_set_proc(caps) != 0)
        return ERR(-errno);
    if (n > 0 && cap_set_ambient(bind_low[0], CAP_SET) != 0)
        return ERR(-errno);
    return 0;
}

/* Nothing that is executed later can get them back. Who may not drop them has only what it was left with. */
static int drop_bounds(bool may_bind_low_ports)
{
    for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++) {
        if (may_bind_low_ports && cap == CAP_NET_BIND_SERVICE)
            continue;
        /* EINVAL: an older kernel does not know it */
        if (cap_drop_bound(cap) != 0 && errno != EINVAL && errno != EPERM)
            return ERR(-errno);
    }
    return 0;
}

/* A root that was itself given less (a service manager, a container) can only take away: what it has, then. */
static int limit_priority(unsigned most)
{
    struct rlimit priority = {most, most};

    if (setrlimit(RLIMIT_RTPRIO, &priority) == 0)
        return 0;
    return errno == EPERM ? 0 : ERR(-errno);
}

int sandbox_become(const struct sandbox_identity *who)
{
    gid_t groups[SANDBOX_GROUPS_MAX];
    int r = limit_priority(who->rt_priority_max);

    if (r == 0)
        r = drop_bounds(who->may_bind_low_ports);

    if (r < 0)
        return TRACE(r);
    for (size_t i = 0; i < who->n_groups; i++)
        groups[i] = who->groups[i];
    if (setgroups(who->n_groups, groups) != 0 || setresgid(who->gid, who->gid, who->gid) != 0)
        return ERR(-errno);
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setresuid(who->uid, who->uid, who->uid) != 0)
        return ERR(-errno);
    return TRACE(set_capabilities(who->may_bind_low_ports));
}

int sandbox_lock(void)
{
    const struct rlimit no_core = {0, 0};
    struct rlimit files;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &no_core) != 0)
        return ERR(-errno);
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return ERR(-errno);
    if (files.rlim_max > DESCRIPTORS_MAX)
        files.rlim_max = DESCRIPTORS_MAX;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        return ERR(-errno);
    return 0;
}

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | \
     LANDLOCK_ACCESS_FS_REFER)
/* devices are made by nobody, so they are handled and never allowed */
#define ACCESS_HANDLED \
    (ACCESS_READ | ACCESS_WRITE | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK)
/* all that may be said of something that is not a folder */
#define ACCESS_OF_FILES \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE)

static int allow(int rules, const struct sandbox_path *path, bool may_execute)
{
    OWN(fd_closep) int fd = open(path->path, O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr attr = {.parent_fd = fd, .allowed_access = ACCESS_READ};
    struct stat st;

    if (fd < 0)
        return errno == ENOENT ? 0 : ERR(-errno);
    if (fstat(fd, &st) != 0)
        return ERR(-errno);
    if (path->is_writable)
        attr.allowed_access |= ACCESS_WRITE;
    if (may_execute && !path->is_writable)
        attr.allowed_access |= LANDLOCK_ACCESS_FS_EXECUTE;
    if (!S_ISDIR(st.st_mode))
        attr.allowed_access &= ACCESS_OF_FILES;
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) != 0)
        return ERR(-errno);
    return 0;
}

int sandbox_confine(const struct sandbox_path *paths, bool may_execute)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = ACCESS_HANDLED};
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    OWN(fd_closep) int rules = -1;

    /* the kernel itself always answers this question; a container's system call filter says EPERM */
    if (version < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM ? SANDBOX_E_UNSUPPORTED
                                                                        : ERR(-errno);
    /* version 1 knows no renaming from one folder to another, which the content store lives by */
    if (version < VERSION_WITH_REFER)
        return SANDBOX_E_UNSUPPORTED;
    rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    if (rules < 0)
        return ERR(-errno);
    for (; paths->path; paths++) {
        int r = allow(rules, paths, may_execute);

        if (r < 0)
            return TRACE(r);
    }
    if (syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        return ERR(-errno);
    return 0;
}
