/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    PID_TEXT_MAX = 16,
    SPACE_LEAST_BYTES = 1024 * 1024,
};

enum owner {
    OWNER_ROOT,
    OWNER_SITE,
    OWNER_DP,
    OWNER_HTTP,
    OWNER_OF_API, /* who answers the roles: the site, or nginx of a remote distribution point */
};

enum group {
    GROUP_OF_OWNER,
    GROUP_HTTP,
    GROUP_ROLES,
};

/*
 * A socket gets its group from its folder (S_ISGID), so that a role can make one for nginx without being in
 * nginx's group. Who is not in that group cannot even reach the socket.
 */
static const struct folder {
    const char
        *parent; /* NULL: the state folder; one level, so that no symbolic link is followed */
    const char *name;
    unsigned mode;
    enum owner owner;
    enum group group;
} folders[] = {
    {NULL, "site", 0700, OWNER_SITE, GROUP_OF_OWNER},
    {NULL, "keys", 0755, OWNER_ROOT, GROUP_OF_OWNER},
    {NULL, "dp", 0755, OWNER_DP, GROUP_OF_OWNER},
    {"dp", "content", 0755, OWNER_DP, GROUP_OF_OWNER},
    {"dp", "boot", 0755, OWNER_DP, GROUP_OF_OWNER},
    {"dp", "exports", 02750, OWNER_DP, GROUP_HTTP},
    {"dp", "staging", 0700, OWNER_DP, GROUP_OF_OWNER},
    {NULL, "http", 0700, OWNER_HTTP, GROUP_OF_OWNER},
    {NULL, "run", 0755, OWNER_ROOT, GROUP_OF_OWNER},
    {"run", "api", 02750, OWNER_SITE, GROUP_HTTP},
    {"run", "roles", 02750, OWNER_OF_API, GROUP_ROLES},
    {"run", "dp", 02750, OWNER_DP, GROUP_HTTP},
    {"run", "token", 02750, OWNER_ROOT, GROUP_ROLES}, /* rt/token_file.h */
};

/* In run/. */
static const struct link {
    const char *name;
    const char *target;
} links[] = {
    {"api.sock", "api/api.sock"},
    {"roles.sock", "roles/roles.sock"},
    {"dp.sock", "dp/dp.sock"},
    {"capture.sock", "dp/capture.sock"},
};

static pid_t read_pid(int fd)
{
    char text[PID_TEXT_MAX];
    ssize_t n = pread(fd, text, sizeof(text), 0);
    uint64_t pid = 0;

    if (n > 0 && text[n - 1] == '\n')
        n--;
    if (n <= 0 ||
        !bytes_parse_u64((struct bytes){(const uint8_t *)text, (size_t)n}, 1, INT_MAX, &pid))
        return 0;
    return (pid_t)pid;
}

int state_lock(const char *folder, int *ret_fd, pid_t *ret_owner)
{
    char path[PATH_MAX];
    char pid[PID_TEXT_MAX];
    OWN(fd_closep) int fd = -1;
    int n = snprintf(path, sizeof(path), "%s/lock", folder);

    if (n < 0 || (size_t)n >= sizeof(path))
        return ERR(-ENAMETOOLONG);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return ERR(-errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return ERR(-errno);
        *ret_owner = read_pid(fd);
        return STATE_E_LOCKED;
    }
    n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0)
        return ERR(-errno);

    int r = fd_write_all(fd, (struct bytes){(const uint8_t *)pid, (size_t)n});

    if (r < 0)
        return TRACE(r);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* What is known of everybody while the folders are made. */
struct makers {
    const struct users *users;
    bool is_remote;
};

static uint32_t uid_of(const struct makers *makers, enum owner owner)
{
    const struct users *users = makers->users;

    switch (owner) {
    case OWNER_SITE:
        return users->uids[CHILD_SITE];
    case OWNER_DP:
        return users->uids[CHILD_DP];
    case OWNER_HTTP:
        return users->uids[CHILD_HTTP];
    case OWNER_OF_API:
        return users->uids[makers->is_remote ? CHILD_HTTP : CHILD_SITE];
    case OWNER_ROOT:
    default:
        return geteuid();
    }
}

static uint32_t gid_of(const struct makers *makers, const struct folder *folder)
{
    const struct users *users = makers->users;

    if (folder->group == GROUP_HTTP)
        return users->gids[CHILD_HTTP];
    if (folder->group == GROUP_ROLES)
        return users->roles_gid;
    switch (folder->owner) {
    case OWNER_SITE:
        return users->gids[CHILD_SITE];
    case OWNER_DP:
        return users->gids[CHILD_DP];
    case OWNER_HTTP:
        return users->gids[CHILD_HTTP];
    case OWNER_OF_API:
        return users->gids[makers->is_remote ? CHILD_HTTP : CHILD_SITE];
    case OWNER_ROOT:
    default:
        return getegid();
    }
}

/* The owner of a folder could put a symbolic link into it: what is changed here is what was opened. */
static int make_folder(int parent, const struct folder *folder, const struct makers *makers)
{
    OWN(fd_closep) int fd = -1;

    if (mkdirat(parent, folder->name, 0700) != 0 && errno != EEXIST)
        return ERR(-errno);
    fd = openat(parent, folder->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return ERR(-errno);
    if (fchown(fd, uid_of(makers, folder->owner), gid_of(makers, folder)) != 0 ||
        fchmod(fd, (mode_t)folder->mode) != 0)
        return ERR(-errno);
    return 0;
}

static int make_in(int root, const struct folder *folder, const struct makers *makers)
{
    OWN(fd_closep) int parent = -1;

    if (!folder->parent)
        return TRACE(make_folder(root, folder, makers));
    parent = openat(root, folder->parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (parent < 0)
        return ERR(-errno);
    return TRACE(make_folder(parent, folder, makers));
}

/* Whatever is there is from a server that is gone: the lock is ours. A socket of its would look like one of ours. */
static int make_link(int root, const struct link *link)
{
    OWN(fd_closep) int run = openat(root, "run", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (run < 0)
        return ERR(-errno);
    if ((unlinkat(run, link->name, 0) != 0 && errno != ENOENT) ||
        (unlinkat(run, link->target, 0) != 0 && errno != ENOENT))
        return ERR(-errno);
    if (symlinkat(link->target, run, link->name) != 0)
        return ERR(-errno);
    return 0;
}

int state_make(const char *folder,
               const struct users *users,
               bool is_remote,
               const char **ret_failed)
{
    const struct makers makers = {users, is_remote};
    OWN(fd_closep) int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    *ret_failed = ".";
    if (root < 0)
        return ERR(-errno);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        int r = make_in(root, &folders[i], &makers);

        *ret_failed = folders[i].name;
        if (r < 0)
            return TRACE(r);
    }
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        int r = make_link(root, &links[i]);

        *ret_failed = links[i].name;
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

int state_check_space(const char *folder)
{
    struct statvfs fs;

    if (statvfs(folder, &fs) != 0)
        return ERR(-errno);
    if ((uint64_t)fs.f_bavail * fs.f_frsize < SPACE_LEAST_BYTES)
        return ERR(-ENOSPC);
    return 0;
}
