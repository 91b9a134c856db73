/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/remote.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

#define SCHEME "https://"

enum {
    HTTPS_PORT = 443,
    RESOLVERS_MAX = 3,
    KEY_E_MISSING = REMOTE_E_DAMAGED + 1,
};

static bool is_host(const char *text, size_t len)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

    return len > 0 && len < REMOTE_HOST_MAX && strspn(text, good) >= len;
}

bool remote_parse(const char *url, struct remote *ret)
{
    const char *host = url + sizeof(SCHEME) - 1;
    uint64_t port = HTTPS_PORT;
    struct in_addr ignored;
    size_t len;

    if (strlen(url) >= REMOTE_URL_MAX || strncmp(url, SCHEME, sizeof(SCHEME) - 1) != 0)
        return false;
    len = strcspn(host, ":/");
    if (!is_host(host, len))
        return false;

    const char *rest = host + len;

    if (rest[0] == ':') {
        size_t n = strcspn(rest + 1, "/");

        if (!bytes_parse_u64((struct bytes){(const uint8_t *)rest + 1, n}, 1, UINT16_MAX, &port))
            return false;
        rest += 1 + n;
    }
    if (rest[0] != '\0' && strcmp(rest, "/") != 0)
        return false;
    *ret = (struct remote){.is_on = true, .port = (uint16_t)port};
    memcpy(ret->host, host, len);
    ret->is_name = inet_pton(AF_INET, ret->host, &ignored) != 1;
    (void)snprintf(ret->url, sizeof(ret->url), SCHEME "%s:%u", ret->host, (unsigned)port);
    return true;
}

static bool take_line(struct bytes *src, struct bytes *ret)
{
    const uint8_t *end;

    if (src->len == 0)
        return false;
    end = memchr(src->ptr, '\n', src->len);
    *ret = (struct bytes){src->ptr, end ? (size_t)(end - src->ptr) : src->len};
    src->ptr += ret->len + (end ? 1 : 0);
    src->len -= ret->len + (end ? 1 : 0);
    return true;
}

void remote_put_resolvers(struct bytes resolv_conf, struct buf *dst)
{
    static const char word[] = "nameserver";
    struct bytes line;
    unsigned n = 0;

    while (n < RESOLVERS_MAX && take_line(&resolv_conf, &line)) {
        char text[INET_ADDRSTRLEN];
        size_t at = sizeof(word) - 1;
        struct in_addr ignored;
        size_t len = 0;

        if (line.len <= at || memcmp(line.ptr, word, at) != 0)
            continue;
        while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t'))
            at++;
        while (at < line.len && len < sizeof(text) - 1 && line.ptr[at] > ' ')
            text[len++] = (char)line.ptr[at++];
        text[len] = '\0';
        if (inet_pton(AF_INET, text, &ignored) != 1)
            continue;
        buf_addf(dst, "%s%s", n > 0 ? " " : "", text);
        n++;
    }
}

/* A file of one line. Return: 0, KEY_E_MISSING, REMOTE_E_DAMAGED, or -errno. */
static int read_key(const char *state_folder, const char *name, struct buf *ret)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/keys/%s", state_folder, name);
    int r;

    if (n < 0 || (size_t)n >= sizeof(path))
        return ERR(-ENAMETOOLONG);
    r = file_read(path, ret);
    if (r < 0)
        return TRACE(r);
    if (r == FILE_E_MISSING)
        return KEY_E_MISSING;
    if (r != 0 || ret->len == 0 || ret->ptr[ret->len - 1] != '\n')
        return REMOTE_E_DAMAGED;
    ret->ptr[--ret->len] = '\0';
    return strlen(ret->ptr) == ret->len ? 0 : REMOTE_E_DAMAGED;
}

int remote_load(const char *state_folder, struct remote *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(REMOTE_URL_MAX);
    int r = read_key(state_folder, "site-url", &text);

    *ret = (struct remote){.is_on = false};
    if (r < 0)
        return TRACE(r);
    if (r == KEY_E_MISSING)
        return 0;
    return r == 0 && remote_parse(text.ptr, ret) ? 0 : REMOTE_E_DAMAGED;
}

int remote_load_address(const char *state_folder, char **ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(REMOTE_HOST_MAX);
    char *address;
    int r = read_key(state_folder, "address", &text);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    address = buf_take(&text);
    if (!address)
        return ERR(-ENOMEM);
    free(*ret);
    *ret = address;
    return 0;
}
