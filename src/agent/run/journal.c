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

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "rt/log.h"
#include "ts/vars.h"

enum {
    LINE_MAX_BYTES = 16 * 1024,
};

struct journal {
    char *path;      /* owned */
    char *attached;  /* owned; NULL: none */
    size_t n_copied; /* bytes of the first file that the second has */
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
    if (unlink(path) < 0 && errno != ENOENT)
        return ERR(-errno);
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

void journal_set_vars(struct journal *j, const struct ts_vars *vars)
{
    j->vars = vars;
}

static int append(const char *path, struct bytes text)
{
    OWN(fd_closep)
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;

    if (fd < 0)
        return ERR(-errno);
    if (fstat(fd, &st) < 0)
        return ERR(-errno);
    if (st.st_size > JOURNAL_FILE_MAX)
        return 0;
    return TRACE(fd_write_all(fd, text));
}

int journal_attach(struct journal *j, const char *path)
{
    OWN(freep) char *copy = path ? strdup(path) : NULL;
    int r;

    if (path && !copy)
        return ERR(-ENOMEM);
    if (path && j->attached && strcmp(path, j->attached) == 0)
        return 0;
    if (!path) {
        j->n_copied = 0;
    } else {
        OWN(buf_fini) struct buf whole = BUF_INIT(JOURNAL_FILE_MAX + LINE_MAX_BYTES);

        r = file_read(j->path, &whole);
        if (r < 0)
            return TRACE(r);
        if (r == 0 && whole.len > j->n_copied) {
            r = append(
                path,
                (struct bytes){(const uint8_t *)whole.ptr + j->n_copied, whole.len - j->n_copied});
            if (r < 0)
                return TRACE(r);
        }
    }
    free(j->attached);
    j->attached = TAKE(copy);
    return 0;
}

static void put_everywhere(struct journal *j, struct bytes line)
{
    if (append(j->path, line) == 0 && j->attached && append(j->attached, line) == 0) {
        struct stat st;

        if (stat(j->path, &st) == 0)
            j->n_copied = (size_t)st.st_size;
    }
    if (line.len <= j->pending.max - j->pending.len)
        buf_add(&j->pending, line);
}

void journal_write(
    struct journal *j, enum cmtrace_type type, const char *component, const char *format, ...)
{
    static const enum log_level levels[] = {
        [CMTRACE_INFORMATION] = LOG_LEVEL_INFO,
        [CMTRACE_WARNING] = LOG_LEVEL_WARNING,
        [CMTRACE_ERROR] = LOG_LEVEL_ERROR,
    };
    char text[CMTRACE_TEXT_MAX];
    OWN(buf_fini) struct buf masked = BUF_INIT(2 * (size_t)CMTRACE_TEXT_MAX);
    OWN(buf_fini) struct buf line = BUF_INIT(LINE_MAX_BYTES);
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    va_end(args);
    if (j->vars)
        ts_vars_mask(j->vars, text, &masked);
    else
        buf_adds(&masked, text);
    cmtrace_put(&line,
                &(struct cmtrace_line){.wall_us = clock_wall_us(),
                                       .type = type,
                                       .component = component,
                                       .file = "",
                                       .thread = (uint32_t)getpid()},
                buf_bytes(&masked));
    if (line.failed)
        return;
    put_everywhere(j, buf_bytes(&line));
    log_line(levels[type], buf_str(&masked), "component=%s", component);
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
