/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/test_site.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    TEXT_MAX = 256 * 1024, /* a registration has many facts */
};

/* Whether @text holds a request with its whole body. */
static bool is_whole(const char *text)
{
    const char *body = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "content-length: ");
    uint64_t n = 0;

    if (!body)
        return false;
    if (length && length < body)
        (void)bytes_parse_u64(
            (struct bytes){(const uint8_t *)length + 16, strcspn(length + 16, "\r")},
            0,
            TEXT_MAX,
            &n);
    return strlen(body + 4) >= n;
}

static void serve(int listener, test_site_answer *answer_to)
{
    static char request[TEXT_MAX];
    static char answer[TEXT_MAX];

    for (;;) {
        int fd = accept(listener, NULL, NULL);
        size_t len = 0;
        ssize_t n = 1;

        request[0] = '\0';
        while (fd >= 0 && n > 0 && len + 1 < sizeof(request) && !is_whole(request)) {
            n = read(fd, request + len, sizeof(request) - 1 - len);
            len += n > 0 ? (size_t)n : 0;
            request[len] = '\0';
        }
        (void)fd_write_all(fd, bytes_of(answer_to(request, answer, sizeof(answer))));
        (void)close(fd);
    }
}

pid_t test_site_start(const char *socket_path, test_site_answer *answer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t pid;

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 8), 0);
    pid = fork();
    if (pid == 0)
        serve(listener, answer);
    (void)close(listener);
    return pid;
}

const char *test_site_reply(const char *status, const char *body, char *dst, size_t cap)
{
    (void)snprintf(dst,
                   cap,
                   "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                   "Connection: close\r\n\r\n%s",
                   status,
                   strlen(body),
                   body);
    return dst;
}

void test_read(const char *path, struct buf *ret)
{
    buf_clear(ret);
    (void)file_read(path, ret);
}

void test_note(const char *path, const char *word)
{
    FILE *file = fopen(path, "ae");

    if (!file || fprintf(file, "%s ", word) < 0 || fclose(file) != 0)
        abort();
}

unsigned test_count(const char *text, const char *word)
{
    unsigned n = 0;

    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        n++;
    return n;
}

bool test_ends(const char *path, const char *text)
{
    OWN(buf_fini) struct buf all = BUF_INIT(TEXT_MAX);
    size_t len = strlen(text);

    test_read(path, &all);
    return all.len >= len && strcmp(buf_str(&all) + all.len - len, text) == 0;
}
