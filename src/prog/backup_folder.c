/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "prog/backup_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "server/parent/failure.h"

#define SUMS "SHA256SUMS"

enum {
    SUMS_MAX_BYTES = 64 * 1024,
    COPY_BYTES = 1024 * 1024,
    ANSWER_MAX_BYTES = 4096,
    ASIDE_MAX = 10000,
};

DEFINE_FREEP(struct digest *, digest_free);
DEFINE_FREEP(DIR *, closedir);

static void put(char dst[static PATH_MAX], const char *folder, const char *name)
{
    if (snprintf(dst, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        dst[0] = '\0'; /* and nothing has that name */
}

static int copy_bytes(int from, int to)
{
    ssize_t n;

    while ((n = sendfile(to, from, NULL, COPY_BYTES)) > 0)
        ;
    return n < 0 || fsync(to) != 0 ? ERR(-errno) : 0;
}

static int copy_file(const char *from, const char *to, unsigned mode)
{
    OWN(fd_closep) int source = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    OWN(fd_closep) int target = -1;

    if (source < 0)
        return ERR(-errno);
    target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (target < 0 || fchmod(target, mode) != 0)
        return ERR(-errno);
    return TRACE(copy_bytes(source, target));
}

/* The plain files of one folder into another. */
static int copy_files(const char *from, const char *to)
{
    OWN(closedirp) DIR *dir = opendir(from);
    const struct dirent *entry;

    if (!dir)
        return ERR(-errno);
    while ((entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe): one thread */
        char source[PATH_MAX];
        char target[PATH_MAX];
        struct stat st;
        int r;

        put(source, from, entry->d_name);
        put(target, to, entry->d_name);
        if (lstat(source, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        r = copy_file(source, target, st.st_mode & 0777);
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

static int sum_file(const char *path, char ret[static SHA256_TEXT_MAX])
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    OWN(digest_freep) struct digest *digest = NULL;
    uint8_t sum[SHA256_BYTES];
    uint8_t block[16384];
    ssize_t n;
    int r = fd < 0 ? ERR(-errno) : digest_new(&digest);

    while (r == 0 && (n = read(fd, block, sizeof(block))) != 0)
        r = n < 0 ? ERR(-errno) : digest_add(digest, (struct bytes){block, (size_t)n});
    if (r == 0)
        r = digest_end(digest, sum);
    if (r == 0)
        hex_put(ret, (struct bytes){sum, sizeof(sum)});
    return TRACE(r);
}

static int add_sums(const char *root, const char *below, struct buf *ret)
{
    char folder[PATH_MAX];

    put(folder, root, below);

    OWN(closedirp) DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (!dir)
        return ERR(-errno);
    while ((entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe): one thread */
        char path[PATH_MAX];
        char sum[SHA256_TEXT_MAX];
        struct stat st;
        int r;

        put(path, folder, entry->d_name);
        if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        r = sum_file(path, sum);
        if (r < 0)
            return TRACE(r);
        buf_addf(ret, "%s  %s%s\n", sum, below, entry->d_name);
    }
    return 0;
}

int backup_begin(const char *path, struct backup_folder *ret)
{
    char keys[PATH_MAX];
    int n = snprintf(ret->part, sizeof(ret->part), "%s.part", path);
    int r;

    if (n < 0 || (size_t)n >= sizeof(ret->part) - sizeof("/slipway.db"))
        return parent_fail_errno(-ENAMETOOLONG, "cannot make", path);
    (void)snprintf(ret->path, sizeof(ret->path), "%s", path);
    put(ret->database, ret->part, "slipway.db");
    put(keys, ret->part, "keys");
    if (file_exists(path))
        return parent_fail(PARENT_EXIT_USAGE, "%s is there already", path);
    (void)dir_remove(ret->part);
    r = dir_make(ret->part, 0700);
    if (r == 0)
        r = dir_make(keys, 0700);
    return r < 0 ? parent_fail_errno(r, "cannot make", ret->part) : PARENT_EXIT_OK;
}

int backup_add_files(const struct backup_folder *backup, const char *state, const char *config)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    int r;

    put(from, state, "keys");
    put(to, backup->part, "keys");
    r = copy_files(from, to);
    if (r < 0)
        return parent_fail_errno(r, "cannot copy", from);
    put(to, backup->part, "slipway.conf");
    r = file_exists(config) ? copy_file(config, to, 0600) : 0;
    return r < 0 ? parent_fail_errno(r, "cannot copy", config) : PARENT_EXIT_OK;
}

int backup_end(const struct backup_folder *backup)
{
    OWN(buf_fini) struct buf sums = BUF_INIT(SUMS_MAX_BYTES);
    char path[PATH_MAX];
    char keys[PATH_MAX];
    int r = add_sums(backup->part, "", &sums);

    put(path, backup->part, SUMS);
    put(keys, backup->part, "keys");
    if (r == 0)
        r = add_sums(backup->part, "keys/", &sums);
    if (r == 0 && sums.failed)
        r = ERR(-E2BIG);
    if (r == 0)
        r = file_write(path, buf_bytes(&sums), 0600);
    if (r == 0)
        r = dir_sync(keys);
    if (r == 0 && rename(backup->part, backup->path) != 0)
        r = ERR(-errno);
    return r < 0 ? parent_fail_errno(r, "cannot finish", backup->path) : PARENT_EXIT_OK;
}

void backup_drop(const struct backup_folder *backup)
{
    (void)dir_remove(backup->part);
}

/* One line: 64 hex digits, two spaces, a name below the folder. */
static bool is_as_it_was(const char *folder, const char *line, size_t len)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX);
    char name[256];
    char sum[SHA256_TEXT_MAX];

    if (len < SHA256_TEXT_MAX + 2 || len - SHA256_TEXT_MAX - 1 >= sizeof(name))
        return false;
    (void)snprintf(
        name, sizeof(name), "%.*s", (int)(len - SHA256_TEXT_MAX - 1), line + SHA256_TEXT_MAX + 1);
    return path_under(folder, name, &path) && sum_file(buf_str(&path), sum) == 0 &&
           strncmp(sum, line, SHA256_TEXT_MAX - 1) == 0;
}

int backup_check(const char *path)
{
    OWN(buf_fini) struct buf sums = BUF_INIT(SUMS_MAX_BYTES);
    char file[PATH_MAX];
    bool has_database;
    const char *line;

    put(file, path, SUMS);
    if (file_read(file, &sums) != 0)
        return parent_fail(PARENT_EXIT_DATABASE, "%s is no backup: it has no " SUMS, path);
    line = buf_str(&sums);
    has_database = strstr(line, "  slipway.db\n") != NULL;
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");

        if (!is_as_it_was(path, line, len))
            return parent_fail(PARENT_EXIT_DATABASE, "%s is damaged: %.*s", path, (int)len, line);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    return has_database ? PARENT_EXIT_OK
                        : parent_fail(PARENT_EXIT_DATABASE, "%s has no database", path);
}

int backup_take_database(const char *path, const char *to)
{
    char from[PATH_MAX];
    int r;

    put(from, path, "slipway.db");
    r = copy_file(from, to, 0600);
    return r < 0 ? parent_fail_errno(r, "cannot copy", from) : PARENT_EXIT_OK;
}

int backup_free_name(const char *path, const char *suffix, char ret[static PATH_MAX])
{
    struct stat st;

    for (unsigned n = 1; n <= ASIDE_MAX; n++) {
        int len = n == 1 ? snprintf(ret, PATH_MAX, "%s.%s", path, suffix)
                         : snprintf(ret, PATH_MAX, "%s.%s-%u", path, suffix, n);

        if (len < 0 || len >= PATH_MAX)
            return ERR(-ENAMETOOLONG);
        if (lstat(ret, &st) != 0)
            return errno == ENOENT ? 0 : ERR(-errno);
    }
    return ERR(-EEXIST);
}

/* Whether the state has a key, and another one than the backup. */
static bool is_other_site(const char *from, const char *to)
{
    char of_backup[PATH_MAX];
    char of_state[PATH_MAX];
    char sums[2][SHA256_TEXT_MAX];

    put(of_backup, from, "site.key");
    put(of_state, to, "site.key");
    return sum_file(of_state, sums[0]) == 0 &&
           (sum_file(of_backup, sums[1]) != 0 || strcmp(sums[0], sums[1]) != 0);
}

/* Devices trust a site by its key: one that is replaced must be found again. */
static int keep_keys(const char *keys)
{
    char aside[PATH_MAX];
    int r = backup_free_name(keys, "replaced", aside);

    if (r == 0 && mkdir(aside, 0700) != 0)
        r = ERR(-errno);
    if (r == 0)
        r = copy_files(keys, aside);
    if (r == 0)
        r = dir_sync(aside);
    if (r == 0)
        (void)printf("the keys that were there, of another site, are in %s\n", aside);
    return TRACE(r);
}

int backup_take_keys(const char *path, const char *state)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    int r;

    put(from, path, "keys");
    put(to, state, "keys");
    r = is_other_site(from, to) ? keep_keys(to) : 0;
    if (r < 0)
        return parent_fail_errno(r, "cannot keep a copy of", to);
    r = copy_files(from, to);
    if (r == 0)
        r = dir_sync(to);
    return r < 0 ? parent_fail_errno(r, "cannot copy", from) : PARENT_EXIT_OK;
}

/* The site knows its own user by the socket. */
static int connect_as_site(const char *path, const struct users *users)
{
    OWN(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int r = 0;
    int ret;

    if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
        return ERR(-EIO);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (users->is_root && seteuid(users->uids[CHILD_SITE]) != 0)
        return ERR(-errno);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        r = ERR(-errno);
    if (users->is_root && seteuid(0) != 0)
        return ERR(-errno);
    if (r < 0)
        return TRACE(r);
    ret = fd;
    fd = -1;
    return ret;
}

/* Return: whether the answer is 2xx; its beginning is in @ret. */
static int ask(int fd, char ret[static ANSWER_MAX_BYTES])
{
    static const char request[] = "POST /api/v1/internal/backups HTTP/1.1\r\nHost: site\r\n"
                                  "Content-Type: application/json\r\nContent-Length: 2\r\n"
                                  "Connection: close\r\n\r\n{}";
    size_t len = 0;
    ssize_t n;
    int r = fd_write_all(fd, bytes_of(request));

    if (r < 0)
        return TRACE(r);
    while (len < ANSWER_MAX_BYTES - 1 && (n = read(fd, ret + len, ANSWER_MAX_BYTES - 1 - len)) > 0)
        len += (size_t)n;
    ret[len] = '\0';
    return 0;
}

int backup_ask_site(const char *state, const struct users *users, const char *path)
{
    OWN(fd_closep) int fd = -1;
    char socket_path[PATH_MAX];
    char made[PATH_MAX];
    char answer[ANSWER_MAX_BYTES] = "";
    int r;

    put(socket_path, state, "run/roles.sock");
    put(made, state, "site/backup.db");
    r = connect_as_site(socket_path, users);
    if (r < 0)
        return parent_fail_errno(r, "cannot ask the site at", socket_path);
    fd = r;
    r = ask(fd, answer);
    if (r < 0)
        return parent_fail_errno(r, "cannot ask the site at", socket_path);
    if (strncmp(answer, "HTTP/1.1 2", strlen("HTTP/1.1 2")) != 0)
        return parent_fail(PARENT_EXIT_DATABASE,
                           "the site did not write its database: %.*s",
                           (int)strcspn(answer, "\r\n"),
                           answer);
    r = copy_file(made, path, 0600);
    (void)unlink(made);
    return r < 0 ? parent_fail_errno(r, "cannot copy", made) : PARENT_EXIT_OK;
}
