/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/redirect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    HOST_MAX = 32,
    NAME_MAX_BYTES = 64,
    BACKLOG = 8,
    CLIENT_US = 2000000, /* a browser may connect beforehand, and say nothing */
    US_PER_MS = 1000,
};

/* @rest: behind it. Return: the line without its end; .ptr is NULL if there is none. */
static struct bytes take_line(struct bytes *rest)
{
    const uint8_t *end = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
    struct bytes line = {NULL, 0};
    size_t len = end ? (size_t)(end - rest->ptr) : 0;

    if (!end)
        return line;
    line = (struct bytes){rest->ptr, len > 0 && rest->ptr[len - 1] == '\r' ? len - 1 : len};
    *rest = (struct bytes){end + 1, rest->len - len - 1};
    return line;
}

static bool starts_with(struct bytes text, const char *prefix)
{
    size_t len = strlen(prefix);

    return text.len >= len && memcmp(text.ptr, prefix, len) == 0;
}

/* Exactly one line "Host: 127.0.0.1:PORT". */
static bool is_host_ours(struct bytes lines, unsigned port)
{
    char host[HOST_MAX];
    unsigned n_hosts = 0;
    bool is_ours = false;

    (void)snprintf(host, sizeof(host), "127.0.0.1:%u", port);
    for (struct bytes line = take_line(&lines); line.ptr; line = take_line(&lines)) {
        size_t at = strlen("host:");

        if (line.len < at || !bytes_eq_nocase((struct bytes){line.ptr, at}, "host:"))
            continue;
        while (at < line.len && line.ptr[at] == ' ')
            at++;
        n_hosts++;
        is_ours = bytes_eq((struct bytes){line.ptr + at, line.len - at}, bytes_of(host));
    }
    return n_hosts == 1 && is_ours;
}

/* "name=value&name=value"; each name once. */
static int parse_query(struct bytes query, struct http_values *ret)
{
    while (query.len > 0) {
        const uint8_t *end = memchr(query.ptr, '&', query.len);
        size_t len = end ? (size_t)(end - query.ptr) : query.len;
        const uint8_t *sign = memchr(query.ptr, '=', len);
        size_t name_len = sign ? (size_t)(sign - query.ptr) : 0;
        char name[NAME_MAX_BYTES];
        int r;

        if (name_len == 0 || name_len >= sizeof(name))
            return REDIRECT_E_OTHER;
        memcpy(name, query.ptr, name_len);
        name[name_len] = '\0';
        if (http_values_find(ret, name))
            return REDIRECT_E_OTHER;
        r = http_values_add_encoded(ret, name, (const char *)sign + 1, len - name_len - 1);
        if (r != 0)
            return r > 0 ? REDIRECT_E_OTHER : TRACE(r);
        query.ptr += len + (end ? 1 : 0);
        query.len -= len + (end ? 1 : 0);
    }
    return 0;
}

int redirect_parse(struct bytes head, unsigned port, const char *state, struct http_values *ret)
{
    static const char end[] = " HTTP/1.1";
    static const char begin[] = "GET /?";
    struct bytes line = take_line(&head);
    const char *given;
    int r;

    if (!line.ptr || !starts_with(line, begin) || line.len < strlen(begin) + strlen(end) ||
        memcmp(line.ptr + line.len - strlen(end), end, strlen(end)) != 0 ||
        !is_host_ours(head, port))
        return REDIRECT_E_OTHER;
    r = parse_query(
        (struct bytes){line.ptr + strlen(begin), line.len - strlen(begin) - strlen(end)}, ret);
    if (r != 0)
        return TRACE(r);
    given = http_values_find(ret, "state");
    return given && strcmp(given, state) == 0 ? 0 : REDIRECT_E_OTHER;
}

int redirect_listen(char ret_uri[static REDIRECT_URI_MAX], unsigned *ret_port)
{
    OWN(fd_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int ret;

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return ERR(-errno);
    *ret_port = ntohs(address.sin_port);
    (void)snprintf(ret_uri, REDIRECT_URI_MAX, "http://127.0.0.1:%u/", *ret_port);
    ret = fd;
    fd = -1;
    return ret;
}

/* Return: 0 if there is something to read, REDIRECT_E_LATE or -errno. */
static int wait_for(int fd, uint64_t until_us)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    uint64_t now_us = clock_monotonic_us();
    int r;

    if (now_us >= until_us)
        return REDIRECT_E_LATE;
    r = poll(&one, 1, (int)((until_us - now_us) / US_PER_MS + 1));
    if (r < 0 && errno != EINTR)
        return ERR(-errno);
    return r > 0 ? 0 : wait_for(fd, until_us);
}

/* To the empty line. Return: 0; REDIRECT_E_OTHER if there is none. */
static int read_head(int fd, uint8_t *dst, size_t cap, size_t *ret_len)
{
    uint64_t until_us = clock_monotonic_us() + CLIENT_US;

    *ret_len = 0;
    while (*ret_len < cap) {
        ssize_t n = wait_for(fd, until_us) == 0 ? recv(fd, dst + *ret_len, cap - *ret_len, 0) : -1;

        if (n <= 0)
            return REDIRECT_E_OTHER;
        *ret_len += (size_t)n;
        if (memmem(dst, *ret_len, "\r\n\r\n", 4))
            return 0;
    }
    return REDIRECT_E_OTHER;
}

/* What the person sees in the browser. */
static void answer(int fd, bool is_it)
{
    const char *text = is_it ? "You can close this page: slipway goes on in the terminal.\n"
                             : "There is nothing here.\n";
    char page[512];
    int len = snprintf(page,
                       sizeof(page),
                       "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                       "Content-Length: %zu\r\nConnection: close\r\nCache-Control: no-store\r\n"
                       "Referrer-Policy: no-referrer\r\n\r\n%s",
                       is_it ? "200 OK" : "404 Not Found",
                       strlen(text),
                       text);

    (void)send(
        fd, page, (size_t)len, MSG_NOSIGNAL); /* it has the code whether or not this is seen */
    (void)shutdown(fd, SHUT_WR);
}

static int serve_one(int fd, unsigned port, const char *state, struct http_values *ret)
{
    uint8_t head[REDIRECT_REQUEST_MAX_BYTES];
    OWN(fd_closep) int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    size_t len = 0;
    int r;

    if (peer < 0)
        return REDIRECT_E_OTHER;
    r = read_head(peer, head, sizeof(head), &len);
    if (r == 0)
        r = redirect_parse((struct bytes){head, len}, port, state, ret);
    answer(peer, r == 0);
    explicit_bzero(head, sizeof(head));
    return TRACE(r);
}

int redirect_wait(
    int fd, unsigned port, const char *state, uint64_t until_us, struct http_values *ret)
{
    for (;;) {
        int r = wait_for(fd, until_us);

        if (r != 0)
            return TRACE(r);
        r = serve_one(fd, port, state, ret);
        if (r <= 0)
            return TRACE(r);
        http_values_fini(ret);
        *ret = (struct http_values){.n = 0};
    }
}
