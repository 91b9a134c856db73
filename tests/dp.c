/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/dp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/own.h"
#include "plat/checksum.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "plat/frame.h"

enum {
    REQUEST_MAX = 4096,
    HEAD_BYTES = 52, /* of a pack, before the bytes that runs may name */
    CONTENT_MAX = 64 * 1024 * 1024,
};

struct connection {
    struct dp *dp;
    int fd;
    size_t place; /* of the thread */
};

static const struct dp_file *find_file(const struct dp *dp, const char *path)
{
    for (size_t i = 0; i < dp->n_files; i++)
        if (strcmp(dp->files[i].path, path) == 0)
            return &dp->files[i];
    return NULL;
}

/* Count it. Return: which one it is at this source, from 0. */
static unsigned note(struct dp *dp, unsigned source, const char *path)
{
    unsigned nth = 0;

    (void)pthread_mutex_lock(&dp->lock);
    for (size_t i = 0; i < DP_FILES_MAX; i++) {
        struct dp_seen *seen = &dp->seen[i];

        if (seen->path[0] == '\0')
            (void)snprintf(seen->path, sizeof(seen->path), "%s", path);
        if (strcmp(seen->path, path) == 0) {
            nth = seen->n[source]++;
            break;
        }
    }
    (void)pthread_mutex_unlock(&dp->lock);
    dp->n_requests[source]++;
    return nth;
}

/* Return: whether the connection goes on. */
static bool send_answer(int fd, const char *status, size_t length, struct bytes body)
{
    OWN(buf_fini) struct buf head = BUF_INIT(1024);

    buf_addf(&head,
             "HTTP/1.1 %s\r\nLocation: http://dp3/elsewhere\r\nContent-Length: %zu\r\n\r\n",
             status,
             length);
    return fd_write_all(fd, buf_bytes(&head)) == 0 && fd_write_all(fd, body) == 0;
}

static bool send_changed(int fd, enum dp_fault fault, struct bytes body)
{
    OWN(buf_fini) struct buf copy = BUF_INIT(CONTENT_MAX);

    buf_add(&copy, body);
    if (fault == DP_DAMAGE)
        copy.ptr[copy.len / 2] ^= 1;
    if (fault == DP_LONG)
        buf_adds(&copy, "more");
    if (fault == DP_SHORT)
        copy.len /= 2;
    return send_answer(fd, "200 OK", copy.len, buf_bytes(&copy));
}

static bool send_half(const struct dp *dp, int fd, enum dp_fault fault, struct bytes body)
{
    (void)send_answer(fd, "200 OK", body.len, (struct bytes){body.ptr, body.len / 2});
    while (fault == DP_STALL && !dp->is_over)
        clock_sleep_us(1000);
    return false;
}

static bool answer(struct dp *dp, int fd, enum dp_fault fault, const char *path)
{
    const struct dp_file *file = find_file(dp, path);
    struct bytes page = bytes_of("a page about it");

    if (!file && fault == DP_NONE)
        fault = DP_MISSING;
    switch (fault) {
    case DP_NONE:
        return send_answer(fd, "200 OK", file->body.len, buf_bytes(&file->body));
    case DP_CUT:
        return false;
    case DP_TRUNCATE:
    case DP_STALL:
        return send_half(dp, fd, fault, buf_bytes(&file->body));
    case DP_SHORT:
    case DP_LONG:
    case DP_DAMAGE:
        return send_changed(fd, fault, buf_bytes(&file->body));
    case DP_MISSING:
        return send_answer(fd, "404 Not Found", page.len, page);
    case DP_BUSY:
        return send_answer(fd, "503 Service Unavailable", page.len, page);
    case DP_REDIRECT:
        return send_answer(fd, "302 Found", page.len, page);
    default:
        return false;
    }
}

static unsigned source_of(const char *request)
{
    const char *host = strstr(request, "\r\nHost: dp");

    return host && host[10] >= '0' && host[10] < '0' + DP_SOURCES ? (unsigned)(host[10] - '0') : 0;
}

static bool serve_request(struct dp *dp, int fd, char *request)
{
    char *scheme = strstr(request, "http://");
    char *path = strchr(scheme ? scheme + strlen("http://") : request, '/');
    unsigned source = source_of(request);

    if (!path)
        return false;
    path[strcspn(path, " ")] = '\0';
    dp->n_proxied += scheme && scheme < path; /* what follows is not a header */

    unsigned nth = note(dp, source, path);

    if (dp->pause_us > 0)
        clock_sleep_us(dp->pause_us);
    return answer(dp, fd, dp->fault ? dp->fault(dp->ctx, source, path, nth) : DP_NONE, path);
}

static void *serve(void *ctx)
{
    struct connection *connection = ctx;
    struct dp *dp = connection->dp;
    int fd = connection->fd;
    size_t place = connection->place;
    bool goes_on = true;

    free(connection);
    while (goes_on) {
        char request[REQUEST_MAX + 1] = "";
        size_t len = 0;

        while (!strstr(request, "\r\n\r\n") && len < REQUEST_MAX) {
            ssize_t n = read(fd, request + len, REQUEST_MAX - len);

            if (n <= 0)
                break;
            len += (size_t)n;
            request[len] = '\0';
        }
        goes_on = strstr(request, "\r\n\r\n") && serve_request(dp, fd, request);
    }
    (void)shutdown(fd, SHUT_RDWR);
    dp->has_ended[place] = true;
    return NULL;
}

/* Of a connection that is over, or a new one; DP_CONNECTIONS_MAX: there is none. */
static size_t find_place(struct dp *dp)
{
    for (size_t i = 0; i < dp->n_threads; i++) {
        if (dp->has_ended[i]) {
            (void)pthread_join(dp->threads[i], NULL);
            (void)close(dp->fds[i]);
            return i;
        }
    }
    return dp->n_threads;
}

static void begin_serving(struct dp *dp, struct connection *connection)
{
    (void)pthread_mutex_lock(&dp->lock);
    dp->n_connections++;
    size_t place = find_place(dp);

    connection->place = place;
    if (place < DP_CONNECTIONS_MAX) {
        dp->fds[place] = connection->fd;
        dp->has_ended[place] = false;
    }
    if (place < DP_CONNECTIONS_MAX &&
        pthread_create(&dp->threads[place], NULL, serve, connection) == 0) {
        dp->n_threads += place == dp->n_threads;
    } else {
        (void)close(connection->fd);
        free(connection);
    }
    (void)pthread_mutex_unlock(&dp->lock);
}

static void *accept_all(void *ctx)
{
    const struct dp_listener *listener = ctx;
    struct dp *dp = listener->dp;

    while (!dp->is_over) {
        int fd = accept(listener->fd, NULL, NULL);
        struct connection *connection = malloc(sizeof(*connection));

        if (fd < 0 || !connection) {
            free(connection);
            fd_closep(&fd);
            continue;
        }
        *connection = (struct connection){.dp = dp, .fd = fd};
        begin_serving(dp, connection);
    }
    return NULL;
}

static bool begin_listening(struct dp *dp,
                            struct dp_listener *listener,
                            const struct sockaddr *address,
                            socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *listener = (struct dp_listener){.dp = dp, .fd = fd};
    return bind(fd, address, len) == 0 && listen(fd, DP_CONNECTIONS_MAX) == 0 &&
           pthread_create(&listener->thread, NULL, accept_all, listener) == 0;
}

static void stop_listening(struct dp_listener *listener)
{
    if (listener->fd < 0)
        return;
    (void)shutdown(listener->fd, SHUT_RDWR);
    (void)pthread_join(listener->thread, NULL);
    (void)close(listener->fd);
}

unsigned dp_start_proxy(struct dp *dp)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    if (!begin_listening(dp, &dp->proxy, (struct sockaddr *)&address, len) ||
        getsockname(dp->proxy.fd, (struct sockaddr *)&address, &len) < 0)
        return 0;
    return ntohs(address.sin_port);
}

struct dp *dp_start(void)
{
    static const char *const names[DP_SOURCES] = {
        "http://dp0", "http://dp1", "http://dp2", "http://dp3"};
    struct dp *dp = calloc(1, sizeof(*dp));
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!dp || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return NULL;
    memcpy(dp->sources, names, sizeof(names));
    dp->content = BUF_INIT(CONTENT_MAX);
    (void)snprintf(dp->root, sizeof(dp->root), "/tmp/slipway-test-dp-XXXXXX");
    if (!mkdtemp(dp->root))
        return NULL;
    (void)snprintf(dp->socket_path, sizeof(dp->socket_path), "%s/http", dp->root);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", dp->socket_path);
    (void)pthread_mutex_init(&dp->lock, NULL);
    dp->proxy.fd = -1;
    return begin_listening(dp, &dp->listener, (struct sockaddr *)&address, sizeof(address)) ? dp
                                                                                            : NULL;
}

void dp_stop(struct dp *dp)
{
    dp->is_over = true;
    stop_listening(&dp->listener);
    stop_listening(&dp->proxy);
    for (size_t i = 0; i < dp->n_threads; i++) {
        (void)shutdown(dp->fds[i], SHUT_RDWR);
        (void)pthread_join(dp->threads[i], NULL);
        (void)close(dp->fds[i]);
    }
    for (size_t i = 0; i < dp->n_files; i++)
        buf_fini(&dp->files[i].body);
    buf_fini(&dp->content);
    manifest_fini(&dp->manifest);
    (void)pthread_mutex_destroy(&dp->lock);
    (void)dir_remove(dp->root);
    free(dp);
}

void dp_put_file(struct dp *dp, const char *path, struct bytes body)
{
    struct dp_file *file = &dp->files[dp->n_files++];

    assert(dp->n_files <= DP_FILES_MAX);
    (void)snprintf(file->path, sizeof(file->path), "%s", path);
    file->body = BUF_INIT(CONTENT_MAX);
    buf_add(&file->body, body);
}

void dp_pack_path(const struct dp *dp, size_t pack, char ret[static DP_PATH_MAX])
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){dp->manifest.packs[pack].sha256, SHA256_BYTES});
    (void)snprintf(ret, DP_PATH_MAX, "/content/packs/%.2s/%s", name, name);
}

static void put_pack(struct dp *dp, size_t pack, struct bytes plain)
{
    OWN(frame_packer_freep) struct frame_packer *packer = NULL;
    struct manifest_pack *entry = &dp->manifest.packs[pack];
    char path[DP_PATH_MAX];
    struct bytes frame;
    int r = frame_packer_new(plain.len, &packer);

    assert(r == 0);
    r = digest_sha256(plain, entry->sha256) | frame_pack(packer, plain, &frame);
    assert(r == 0);
    entry->plain_bytes = (uint32_t)plain.len;
    entry->stored_bytes = (uint32_t)frame.len;
    checksum_of(frame, entry->check);
    dp_pack_path(dp, pack, path);
    dp_put_file(dp, path, frame);
}

static void add_run(struct dp *dp, size_t pack, size_t offset, struct bytes bytes)
{
    dp->manifest.runs[dp->manifest.n_runs++] =
        (struct manifest_run){(uint32_t)pack, (uint32_t)offset, (uint32_t)bytes.len};
    buf_add(&dp->content, bytes);
    dp->manifest.size_bytes += bytes.len;
}

void dp_put_manifest(struct dp *dp)
{
    OWN(buf_fini) struct buf text = BUF_INIT(CONTENT_MAX);
    char name[SHA256_TEXT_MAX];
    char path[DP_PATH_MAX];
    int r;

    manifest_put(&text, &dp->manifest);
    r = digest_sha256(buf_bytes(&text), dp->manifest_id);
    assert(r == 0 && !text.failed);
    hex_put(name, (struct bytes){dp->manifest_id, SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/content/manifests/%s", name);
    dp_put_file(dp, path, buf_bytes(&text));
}

static void fill(uint8_t *dst, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        dst[i] = (uint8_t)(seed >> 28); /* four bits of each byte: it can be compressed */
    }
}

void dp_put_content(struct dp *dp, size_t n_packs, size_t pack_bytes, bool repeats)
{
    OWN(freep) uint8_t *plain = malloc(HEAD_BYTES + pack_bytes);

    dp->manifest.kind = MANIFEST_FILE;
    dp->manifest.packs = calloc(n_packs, sizeof(*dp->manifest.packs));
    dp->manifest.runs = calloc(2 * n_packs, sizeof(*dp->manifest.runs));
    dp->manifest.n_packs = n_packs;
    assert(plain && dp->manifest.packs && dp->manifest.runs && pack_bytes > 2);
    for (size_t i = 0; i < n_packs; i++) {
        fill(plain, HEAD_BYTES + pack_bytes, (uint32_t)i);
        put_pack(dp, i, (struct bytes){plain, HEAD_BYTES + pack_bytes});
        add_run(dp, i, HEAD_BYTES, (struct bytes){plain + HEAD_BYTES, pack_bytes});
        if (!repeats || i < 2)
            continue;

        size_t earlier = i * i / 3 % (i - 1); /* not the last one, or the two runs would be one */

        fill(plain, HEAD_BYTES + pack_bytes, (uint32_t)earlier);
        add_run(
            dp, earlier, HEAD_BYTES + 1, (struct bytes){plain + HEAD_BYTES + 1, pack_bytes / 2});
    }
    dp_put_manifest(dp);
}

void dp_put_bytes(struct dp *dp, struct bytes content, size_t pack_bytes)
{
    OWN(freep) uint8_t *plain = malloc(HEAD_BYTES + pack_bytes);
    size_t n_packs = (content.len + pack_bytes - 1) / pack_bytes;
    struct bytes piece;

    dp->manifest.kind = MANIFEST_FILE;
    dp->manifest.packs = calloc(n_packs, sizeof(*dp->manifest.packs));
    dp->manifest.runs = calloc(n_packs, sizeof(*dp->manifest.runs));
    dp->manifest.n_packs = n_packs;
    assert(plain && dp->manifest.packs && dp->manifest.runs);
    for (size_t i = 0; i < n_packs; i++) {
        (void)bytes_take(&content, content.len < pack_bytes ? content.len : pack_bytes, &piece);
        fill(plain, HEAD_BYTES, (uint32_t)i);
        memcpy(plain + HEAD_BYTES, piece.ptr, piece.len);
        put_pack(dp, i, (struct bytes){plain, HEAD_BYTES + piece.len});
        add_run(dp, i, HEAD_BYTES, piece);
    }
    dp_put_manifest(dp);
}

void dp_put_tree(struct dp *dp, const struct manifest_entry *entries, size_t n_entries)
{
    dp->manifest.kind = MANIFEST_TREE;
    dp->manifest.entries = calloc(n_entries, sizeof(*entries));
    assert(dp->manifest.entries);
    dp->manifest.n_entries = n_entries;
    for (size_t i = 0; i < n_entries; i++) {
        dp->manifest.entries[i] = entries[i];
        dp->manifest.entries[i].path = strdup(entries[i].path);
        dp->manifest.entries[i].target = entries[i].target ? strdup(entries[i].target) : NULL;
    }
    dp_put_manifest(dp);
}

unsigned dp_count(struct dp *dp, const char *path)
{
    unsigned n = 0;

    (void)pthread_mutex_lock(&dp->lock);
    for (size_t i = 0; i < DP_FILES_MAX; i++)
        for (size_t k = 0; k < DP_SOURCES && strcmp(dp->seen[i].path, path) == 0; k++)
            n += dp->seen[i].n[k];
    (void)pthread_mutex_unlock(&dp->lock);
    return n;
}

unsigned dp_count_pack(struct dp *dp, size_t pack)
{
    char path[DP_PATH_MAX];

    dp_pack_path(dp, pack, path);
    return dp_count(dp, path);
}
