/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/journal_old.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"

#define SUFFIX     ".log"
#define OLD_SUFFIX ".lo_"

enum {
    PATH_MAX_BYTES = 4096,
    NS_PER_S = 1000 * 1000 * 1000,
    US_PER_S = 1000 * 1000,
    STAMP_LEN = 16,        /* of "-20261122-093005" */
    SAME_SECOND_MAX = 120, /* names are made of later seconds, if there are so many at once */
};

struct log_name {
    char folder[PATH_MAX_BYTES]; /* with its '/' */
    char stem[JOURNAL_OLD_NAME_MAX - STAMP_LEN - 4];
};

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static int split(const char *path, struct log_name *ret)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t len = strlen(name);

    if (len <= strlen(SUFFIX) || strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0 ||
        len - strlen(SUFFIX) >= sizeof(ret->stem) || strlen(path) >= sizeof(ret->folder))
        return ERR(-EINVAL);
    (void)snprintf(ret->folder, sizeof(ret->folder), "%.*s", (int)(name - path), path);
    (void)snprintf(ret->stem, sizeof(ret->stem), "%.*s", (int)(len - strlen(SUFFIX)), name);
    return 0;
}

static bool is_stamp(const char *text)
{
    for (size_t i = 0; i < STAMP_LEN; i++) {
        bool is_right = i == 0 || i == 9 ? text[i] == '-' : text[i] >= '0' && text[i] <= '9';

        if (!is_right)
            return false;
    }
    return true;
}

static bool is_old(const char *name, const char *stem)
{
    size_t len = strlen(stem);

    if (strncmp(name, stem, len) != 0)
        return false;
    name += len;
    return strcmp(name, OLD_SUFFIX) == 0 ||
           (is_stamp(name) && strcmp(name + STAMP_LEN, SUFFIX) == 0);
}

static int compare(const void *a, const void *b)
{
    const struct journal_old_file *one = a;
    const struct journal_old_file *other = b;

    if (one->modified_ns != other->modified_ns)
        return one->modified_ns < other->modified_ns ? -1 : 1;
    return strcmp(one->name, other->name);
}

static void add(struct journal_old *list, const char *folder, const char *name)
{
    struct journal_old_file *file = &list->files[list->n];
    char path[PATH_MAX_BYTES];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%s%s", folder, name);

    if (list->n == JOURNAL_OLD_MAX || n < 0 || (size_t)n >= sizeof(path) || lstat(path, &st) < 0 ||
        !S_ISREG(st.st_mode))
        return;
    if (strlen(name) >= sizeof(file->name))
        return;
    memcpy(file->name, name, strlen(name) + 1);
    file->size_bytes = (size_t)st.st_size;
    file->modified_ns = (int64_t)st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
    list->n++;
}

int journal_old_list(const char *path, struct journal_old *ret)
{
    struct log_name log = {0};
    int r = split(path, &log);

    ret->n = 0;
    if (r < 0)
        return TRACE(r);

    OWN(closedirp) DIR *dir = opendir(log.folder[0] != '\0' ? log.folder : ".");

    if (!dir)
        return errno == ENOENT ? 0 : ERR(-errno);
    for (;;) {
        const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */

        if (!entry)
            break;
        if (is_old(entry->d_name, log.stem))
            add(ret, log.folder, entry->d_name);
    }
    qsort(ret->files, ret->n, sizeof(ret->files[0]), compare);
    return 0;
}

int journal_old_path(const char *path, const char *name, char *ret, size_t cap)
{
    struct log_name log = {0};
    int r = split(path, &log);
    int n;

    if (r < 0)
        return TRACE(r);
    n = snprintf(ret, cap, "%s%s", log.folder, name);
    return n >= 0 && (size_t)n < cap ? 0 : ERR(-ENAMETOOLONG);
}

/* "smsts-20261122-093005.log", or a later second if that is there already. */
static bool put_dated(const struct log_name *log, char *ret, size_t cap)
{
    time_t now = (time_t)(clock_wall_us() / US_PER_S);

    for (int i = 0; i < SAME_SECOND_MAX; i++, now++) {
        struct tm tm;
        struct stat st;
        int n;

        if (!localtime_r(&now, &tm))
            return false;
        n = snprintf(ret,
                     cap,
                     "%s%s-%04d%02d%02d-%02d%02d%02d" SUFFIX,
                     log->folder,
                     log->stem,
                     tm.tm_year + 1900,
                     tm.tm_mon + 1,
                     tm.tm_mday,
                     tm.tm_hour,
                     tm.tm_min,
                     tm.tm_sec);
        if (n < 0 || (size_t)n >= cap)
            return false;
        if (lstat(ret, &st) < 0)
            return errno == ENOENT;
    }
    return false;
}

static void remove_first(const char *path, const struct journal_old *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char old[PATH_MAX_BYTES];

        if (journal_old_path(path, list->files[i].name, old, sizeof(old)) == 0)
            (void)unlink(old);
    }
}

bool journal_old_make(const char *path, unsigned n_old)
{
    struct journal_old list;
    struct log_name log = {0};
    char old[PATH_MAX_BYTES + JOURNAL_OLD_NAME_MAX];

    if (split(path, &log) < 0)
        return false;
    if (n_old == 0)
        return unlink(path) == 0;
    if (n_old == 1)
        (void)snprintf(old, sizeof(old), "%s%s" OLD_SUFFIX, log.folder, log.stem);
    else if (!put_dated(&log, old, sizeof(old)))
        return false;
    if (rename(path, old) < 0)
        return false;
    if (journal_old_list(path, &list) == 0 && list.n > n_old)
        remove_first(path, &list, list.n - n_old);
    return true;
}

void journal_old_remove(const char *path)
{
    struct journal_old list;

    if (journal_old_list(path, &list) == 0)
        remove_first(path, &list, list.n);
}
