/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/first_start.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "plat/file.h"
#include "rt/log.h"

#define TOKEN_FILE "administrator-token"

void first_start_fini(struct first_start *first)
{
    fd_closep(&first->fd);
    explicit_bzero(first->line, sizeof(first->line));
    first->len = 0;
}

int first_start_open(struct first_start *first, int *ret_write)
{
    int ends[2];

    first_start_fini(first);
    *ret_write = -1;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return ERR(-errno);
    first->fd = ends[0];
    *ret_write = ends[1];
    return 0;
}

void first_start_put_url(const struct server_config *config, char *dst, size_t cap)
{
    int len = (int)strcspn(config->addresses, " ");

    if (snprintf(dst, cap, "https://%.*s:%" PRIu64, len, config->addresses, config->https_port) < 0)
        dst[0] = '\0';
}

static bool is_stdout_the_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char expected[64];
    struct stat st;

    if (!stream || fstat(STDOUT_FILENO, &st) != 0)
        return false;
    (void)snprintf(
        expected, sizeof(expected), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, expected) == 0;
}

static void keep(const struct first_start *first, const char *state_folder)
{
    char path[PATH_MAX];
    char text[FIRST_START_LINE_MAX + 1];
    int n = snprintf(path, sizeof(path), "%s/%s", state_folder, TOKEN_FILE);
    int r = -ENAMETOOLONG;

    (void)snprintf(text, sizeof(text), "%s\n", first->line);
    if (n > 0 && (size_t)n < sizeof(path))
        r = file_write(path, bytes_of(text), 0400);
    explicit_bzero(text, sizeof(text));
    if (r < 0)
        log_error("the administrator's one-time token could not be written", "errno=%d", -r);
    else
        log_info(
            "the administrator's one-time token is in a file that only root can read; delete it "
            "when it is used",
            "path=%s",
            path);
}

static void
show(const struct first_start *first, const struct parent_options *options, const char *pin)
{
    char url[300];

    if (is_stdout_the_journal()) {
        keep(first, options->state_folder);
        return;
    }
    first_start_put_url(options->config, url, sizeof(url));
    (void)printf("Site: %s\n"
                 "Pin: %s\n"
                 "Administrator token (one time): %s\n",
                 url,
                 pin,
                 first->line);
    (void)fflush(stdout);
}

void first_start_read(struct first_start *first,
                      const struct parent_options *options,
                      const char *pin)
{
    size_t room = sizeof(first->line) - 1 - first->len;
    ssize_t n = room > 0 ? read(first->fd, first->line + first->len, room) : 0;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        first->len += (size_t)n;
        first->line[first->len] = '\0';

        char *end = strchr(first->line, '\n');

        if (!end)
            return;
        *end = '\0';
        show(first, options, pin);
    }
    first_start_fini(first); /* it has come, or never will */
}
