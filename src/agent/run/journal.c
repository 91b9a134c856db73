/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/run/journal_old.h"
#include "agent/run/time_zone.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "format/cmtrace/log_settings.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "rt/log.h"
#include "ts/vars.h"

enum {
    LINE_MAX_BYTES = 16 * 1024,
    PATH_MAX_BYTES = 4096,
    /* what was caught up may have made a file larger than it grows by lines */
    READ_MAX_BYTES = 2 * LOG_SETTINGS_BYTES_MAX + LINE_MAX_BYTES,
};

struct journal {
    char *path;      /* owned */
    char *attached;  /* owned; NULL: none */
    size_t n_copied; /* bytes of the first file that the second has */
    struct log_settings settings;
    struct buf pending;
    const struct ts_vars *vars; /* borrowed; NULL */
};

DEFINE_FREEP(struct journal *, journal_free);

int journal_new(const char *path, struct journal **ret)
{
    OWN(journal_freep) struct journal *j = calloc(1, sizeof(*j));

    if (!j)
        return ERR(-ENOMEM);
    j->pending = BUF_INIT(JOURNAL_BATCH_MAX);
    j->path = strdup(path);
    if (!j->path)
        return ERR(-ENOMEM);
    log_settings_init(&j->settings);
    if (unlink(path) < 0 && errno != ENOENT)
        return ERR(-errno);
    journal_old_remove(path);
    *ret = TAKE(j);
    return 0;
}

void journal_free(struct journal *j)
{
    if (!j)
        return;
    buf_fini(&j->pending);
    free(j->path);
    free(j->attached);
    free(j);
}

void journal_set(struct journal *j, const struct log_settings *settings)
{
    j->settings = *settings;
}

void journal_set_vars(struct journal *j, const struct ts_vars *vars)
{
    j->vars = vars;
}

/* A file that has grown to its size becomes an old one. Return: whether it did. */
static bool rotate(const struct journal *j, const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && (size_t)st.st_size >= j->settings.max_bytes &&
           journal_old_make(path, j->settings.n_old);
}

static int append(const char *path, struct bytes text)
{
    OWN(fd_closep)
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return ERR(-errno);
    return TRACE(fd_write_all(fd, text));
}

/* A new file gets the old ones too. */
static int catch_up_old(struct journal *j, const char *path)
{
    struct journal_old list;
    int r = journal_old_list(j->path, &list);

    for (size_t i = 0; r == 0 && i < list.n; i++) {
        OWN(buf_fini) struct buf whole = BUF_INIT(READ_MAX_BYTES);
        char old[PATH_MAX_BYTES];

        r = journal_old_path(j->path, list.files[i].name, old, sizeof(old));
        if (r == 0)
            r = file_read(old, &whole);
        if (r == 0)
            r = append(path, buf_bytes(&whole));
        (void)rotate(j, path);
    }
    return r < 0 ? TRACE(r) : 0;
}

/* What the second file has not got yet of the one in memory. */
static int catch_up(struct journal *j, const char *path)
{
    OWN(buf_fini) struct buf whole = BUF_INIT(READ_MAX_BYTES);
    int r = j->n_copied == 0 ? catch_up_old(j, path) : 0;

    if (r == 0)
        r = file_read(j->path, &whole);
    if (r == 0 && whole.len > j->n_copied)
        r = append(
            path,
            (struct bytes){(const uint8_t *)whole.ptr + j->n_copied, whole.len - j->n_copied});
    if (r < 0)
        return TRACE(r);
    j->n_copied = whole.len;
    return 0;
}

int journal_attach(struct journal *j, const char *path)
{
    OWN(freep) char *copy = path ? strdup(path) : NULL;
    int r;

    if (path && !copy)
        return ERR(-ENOMEM);
    if (path && j->attached && strcmp(path, j->attached) == 0)
        return 0;
    if (path) {
        r = catch_up(j, path);
        if (r < 0)
            return TRACE(r);
    } else {
        j->n_copied = 0;
    }
    free(j->attached);
    j->attached = TAKE(copy);
    return 0;
}

static void put_everywhere(struct journal *j, struct bytes line)
{
    if (rotate(j, j->path))
        j->n_copied = 0;
    if (j->attached)
        (void)rotate(j, j->attached);
    if (append(j->path, line) == 0 && j->attached && append(j->attached, line) == 0) {
        struct stat st;

        if (stat(j->path, &st) == 0)
            j->n_copied = (size_t)st.st_size;
    }
    if (line.len <= j->pending.max - j->pending.len)
        buf_add(&j->pending, line);
}

void journal_mask(const struct journal *j, const char *text, struct buf *ret)
{
    if (j->vars)
        ts_vars_mask(j->vars, text, ret);
    else
        buf_adds(ret, text);
}

/* The beginning of a secret that the end cuts is left out. */
static void mask_cut(const struct journal *j, char *text, struct buf *ret)
{
    text_make_utf8(text);
    if (j->vars)
        (void)ts_vars_mask_part(j->vars, text, ret);
    else
        buf_adds(ret, text);
}

void journal_write_at(struct journal *j,
                      enum cmtrace_type type,
                      const char *component,
                      const char *file,
                      const char *format,
                      ...)
{
    static const enum log_level levels[] = {
        [CMTRACE_INFORMATION] = LOG_LEVEL_INFO,
        [CMTRACE_WARNING] = LOG_LEVEL_WARNING,
        [CMTRACE_ERROR] = LOG_LEVEL_ERROR,
    };
    uint64_t now_us = clock_wall_us();
    char text[CMTRACE_TEXT_MAX];
    OWN(buf_fini) struct buf masked = BUF_INIT(2 * (size_t)CMTRACE_TEXT_MAX);
    OWN(buf_fini) struct buf line = BUF_INIT(LINE_MAX_BYTES);
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n < 0)
        text[0] = '\0';
    if (n >= (int)sizeof(text))
        mask_cut(j, text, &masked);
    else
        journal_mask(j, text, &masked);
    cmtrace_put(&line,
                &(struct cmtrace_line){.wall_us = now_us,
                                       .bias_min = time_zone_bias_min(now_us),
                                       .type = type,
                                       .component = component,
                                       .file = file,
                                       .thread = (uint32_t)gettid()},
                buf_bytes(&masked));
    if (line.failed)
        return;
    if (type >= j->settings.least)
        put_everywhere(j, buf_bytes(&line));
    log_line(levels[type], buf_str(&masked), "component=%s", component);
}

/* The end of a file. A file that is not there is empty. */
static int add_end(const char *path, size_t max, struct buf *ret)
{
    OWN(buf_fini) struct buf whole = BUF_INIT(READ_MAX_BYTES);
    int r = file_read(path, &whole);
    struct bytes text = buf_bytes(&whole);

    if (r < 0)
        return TRACE(r);
    if (text.len > max) {
        const uint8_t *start = text.ptr + text.len - max;
        const uint8_t *end = memchr(start, '\n', max);

        text.len = end ? text.len - (size_t)(end + 1 - text.ptr) : 0;
        text.ptr = end ? end + 1 : text.ptr;
    }
    buf_add(ret, text);
    return 0;
}

static size_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

/* As much of the old files as there is room for: the newest. */
static int add_old(const char *path, size_t room, struct buf *ret)
{
    struct journal_old list;
    size_t wanted[JOURNAL_OLD_MAX];
    int r = journal_old_list(path, &list);

    for (size_t i = r == 0 ? list.n : 0; i-- > 0;) {
        wanted[i] = list.files[i].size_bytes < room ? list.files[i].size_bytes : room;
        room -= wanted[i];
    }
    for (size_t i = 0; r == 0 && i < list.n; i++) {
        char old[PATH_MAX_BYTES];

        if (wanted[i] == 0)
            continue;
        r = journal_old_path(path, list.files[i].name, old, sizeof(old));
        if (r == 0)
            r = add_end(old, wanted[i], ret);
    }
    return r < 0 ? TRACE(r) : 0;
}

int journal_read(const struct journal *j, struct buf *ret)
{
    const char *path = j->attached ? j->attached : j->path;
    size_t size = size_of(path);
    size_t max = ret->max - ret->len;
    int r = size < max ? add_old(path, max - size, ret) : 0;

    if (r == 0)
        r = add_end(path, max, ret);
    return r < 0 ? TRACE(r) : 0;
}

struct bytes journal_pending(const struct journal *j)
{
    return buf_bytes(&j->pending);
}

void journal_sent(struct journal *j, size_t n)
{
    struct buf *p = &j->pending;

    if (n >= p->len) {
        buf_clear(p);
        return;
    }
    memmove(p->ptr, p->ptr + n, p->len - n + 1);
    p->len -= n;
}
