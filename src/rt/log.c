/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    LINE_MAX_BYTES = 4096,
};

static const struct {
    const char *word;
    unsigned priority; /* of syslog(3), which is what systemd reads */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", 3},
    [LOG_LEVEL_WARNING] = {"warning", 4},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_DEBUG] = {"debug", 7},
};

static const char *log_component = "slipway";
static enum log_level log_most = LOG_LEVEL_INFO;
static bool log_is_journal;

/* systemd names in JOURNAL_STREAM what it connected to standard error: "device:inode". */
static bool is_stderr_the_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM"); /* NOLINT(concurrency-mt-unsafe): at the start */
    char expected[64];
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st) != 0)
        return false;

    int n =
        snprintf(expected, sizeof(expected), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);

    return n > 0 && (size_t)n < sizeof(expected) && strcmp(stream, expected) == 0;
}

static void log_trail(int r, const char *file, int line)
{
    if (r < 0)
        log_debug("unexpected error", "errno=%d at=%s:%d", -r, file, line);
    else
        log_debug("passed on", "at=%s:%d", file, line);
}

void log_init(const char *component, enum log_level most)
{
    log_component = component;
    log_most = most;
    log_is_journal = is_stderr_the_journal();
    err_set_hook(log_trail);
}

/* What vsnprintf() and snprintf() say, as the number of bytes that are really there. */
static size_t written(int n, size_t cap)
{
    if (n < 0)
        return 0;
    return (size_t)n < cap ? (size_t)n : cap - 1;
}

static size_t put_start(char *dst, size_t cap, enum log_level level, const char *what)
{
    char now[CLOCK_TEXT_MAX];

    if (log_is_journal)
        return written(
            snprintf(dst, cap, "<%u>%s: %s", levels[level].priority, log_component, what), cap);

    clock_put_rfc3339(now, clock_wall_us());
    return written(snprintf(dst, cap, "%s %s %s: %s", now, levels[level].word, log_component, what),
                   cap);
}

void log_line(enum log_level level, const char *what, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    size_t cap = sizeof(line) - 1; /* the last one is for the end of the line */
    size_t len;
    int saved = errno;

    if (level > log_most)
        return;
    len = put_start(line, cap, level, what);
    if (format[0] != '\0' && cap - len > 2) {
        va_list args;

        line[len++] = ' ';
        va_start(args, format);
        len += written(vsnprintf(line + len, cap - len, format, args), cap - len);
        va_end(args);
    }
    line[len++] = '\n';
    /* in one piece, so that the lines of several processes do not mix; nobody to tell if it fails */
    (void)fd_write_all(STDERR_FILENO, (struct bytes){(const uint8_t *)line, len});
    errno = saved;
}

/* Bytes of the UTF-8 sequence that @first begins, with the smallest value it may hold; 0: none. */
static size_t sequence_len(uint8_t first, uint32_t *ret_least)
{
    if (first >= 0xc2 && first <= 0xdf) {
        *ret_least = 0x80;
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *ret_least = 0x800;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *ret_least = 0x10000;
        return 4;
    }
    return 0;
}

/* Length of the harmless character at @src; 0 if it must be escaped. */
static size_t plain_len(const uint8_t *src, size_t len)
{
    uint32_t least = 0;
    uint32_t value;
    size_t n;

    if (src[0] < 0x80)
        return src[0] >= 0x20 && src[0] != 0x7f && src[0] != '"' && src[0] != '\'' &&
               src[0] != '\\';
    n = sequence_len(src[0], &least);
    if (n == 0 || n > len)
        return 0;
    value = src[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((src[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (src[i] & 0x3f);
    }
    if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    /* C1 controls move a terminal's cursor; the bidirectional ones reorder what is read */
    if (value < 0xa0 || (value >= 0x202a && value <= 0x202e) ||
        (value >= 0x2066 && value <= 0x2069))
        return 0;
    return n;
}

const char *log_escape(char *dst, size_t cap, const char *src, size_t src_len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = (const uint8_t *)src;
    size_t room = cap - 4; /* "..." and NUL always fit */
    size_t len = 0;

    for (size_t i = 0; i < src_len;) {
        size_t n = plain_len(from + i, src_len - i);
        size_t need = n > 0 ? n : 4;

        if (need > room - len) {
            memcpy(dst + len, "...", 4);
            return dst;
        }
        if (n > 0)
            memcpy(dst + len, from + i, n);
        else
            memcpy(dst + len,
                   (const char[]){'\\', 'x', digits[from[i] >> 4], digits[from[i] & 15]},
                   4);
        len += need;
        i += n > 0 ? n : 1;
    }
    dst[len] = '\0';
    return dst;
}
