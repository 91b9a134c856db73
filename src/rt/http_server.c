/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/http_server.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "rt/http_exchange.h"
#include "rt/log.h"
#include "rt/work_pool.h"

enum {
    BACKLOG = 4096, /* who finds it full is refused at once, while the others are being answered */
    CONNECTIONS_MAX = 256,
    REQUEST_TIMEOUT_S = 90,
    HEADERS_MAX_BYTES = 32 * 1024,
    TICK_US = 1000 * 1000,
    US_PER_MS = 1000,
    FDS_EACH = 3,
    AGAIN_TIMES = 6,
    AGAIN_FIRST_MS = 5,
    MS_PER_S = 1000,
};

struct http_server {
    struct http_server_options options;
    struct MHD_Daemon *daemon;                    /* owned */
    struct work_pool *pool;                       /* owned */
    struct work_pool *remote_pools[HTTP_REMOTES]; /* the same, for what waits for other machines */
    char path[PATH_MAX]; /* where the socket really is; "" until it is there */
    int listen_fd;       /* owned until the daemon has it */
    int stop_fd;         /* owned; an eventfd: http_server_stop() may come at any moment */
    int wake_fd;         /* owned; an eventfd: a suspended connection may go on */
    int epoll_fd;        /* the daemon's */
    uint64_t next_tick_us;
    struct http_exchange *held; /* borrowed; the last one first */
};

DEFINE_FREEP(struct http_server *, http_server_free);

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    /* first: a suspended connection would be the daemon's end */
    work_pool_free(server->pool);
    for (size_t i = 0; i < HTTP_REMOTES; i++)
        work_pool_free(server->remote_pools[i]);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    fd_closep(&server->listen_fd);
    fd_closep(&server->stop_fd);
    fd_closep(&server->wake_fd);
    if (server->path[0] != '\0')
        (void)unlink(server->path);
    free(server);
}

/* A symbolic link names the place of the socket: the parent lays them out so, with tighter folders. */
static int place_of(const char *path, char ret[static PATH_MAX])
{
    char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    const char *slash = strrchr(path, '/');
    int folder_len = slash ? (int)(slash - path) + 1 : 0;
    int written;

    if (n < 0) {
        written = snprintf(ret, PATH_MAX, "%s", path);
    } else {
        target[n] = '\0';
        written =
            snprintf(ret, PATH_MAX, "%.*s%s", target[0] == '/' ? 0 : folder_len, path, target);
    }
    if (written < 0 || written >= PATH_MAX)
        return ERR(-ENAMETOOLONG);
    return 0;
}

static int open_socket(struct http_server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[PATH_MAX];
    int r = place_of(server->options.socket_path, path);

    if (r < 0)
        return TRACE(r);
    if (strlen(path) >= sizeof(address.sun_path))
        return ERR(-ENAMETOOLONG);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (unlink(path) != 0 && errno != ENOENT)
        return ERR(-errno);
    server->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->listen_fd < 0)
        return ERR(-errno);
    /* before bind() it bounds the mode that the file is born with; afterwards the umask is undone */
    if (fchmod(server->listen_fd, (mode_t)server->options.socket_mode) != 0 ||
        bind(server->listen_fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return ERR(-errno);
    memcpy(server->path, path, strlen(path) + 1);
    if (chmod(path, (mode_t)server->options.socket_mode) != 0 ||
        listen(server->listen_fd, BACKLOG) != 0)
        return ERR(-errno);
    return 0;
}

/* What it says may not be durable yet, or it is to be done again. */
static bool must_be_held(struct http_server *server, struct http_exchange *x)
{
    const struct http_batch *batch = server->options.batch;

    if (!batch || http_exchange_is_settled(x))
        return false;
    return http_exchange_is_again(x) || batch->is_open(server->options.ctx);
}

static bool is_for_readers(struct http_server *server, struct http_exchange *x)
{
    const struct http_route *route = http_exchange_route(x);

    return server->options.readers && route && !http_exchange_was_read(x) &&
           !http_exchange_has_answer(x) && server->options.is_for_readers(route);
}

static enum MHD_Result handle(struct http_server *server, struct http_exchange *x)
{
    if (is_for_readers(server, x)) {
        http_exchange_suspend(x);
        http_readers_add(server->options.readers, x);
        return MHD_YES;
    }
    http_exchange_handle(x, server->options.ctx);
    if (http_exchange_is_deferred(x)) {
        http_exchange_wait(x);
        return MHD_YES;
    }
    if (must_be_held(server, x)) {
        http_exchange_suspend(x);
        http_exchange_link(x, server->held);
        server->held = x;
        return MHD_YES;
    }
    if (http_exchange_is_again(x))
        http_exchange_fail(x, server->options.batch, server->options.ctx, ERR(-EAGAIN));
    return http_exchange_queue(x);
}

/* First with the headers, then with each piece of the body, at last with nothing. */
/* NOLINTNEXTLINE(readability-function-size): MHD wants so many parameters */
static enum MHD_Result on_request(void *ctx,
                                  struct MHD_Connection *connection,
                                  const char *path,
                                  const char *method,
                                  const char *version,
                                  const char *piece,
                                  size_t *piece_len,
                                  void **state)
{
    struct http_server *server = ctx;
    struct http_exchange *x = *state;

    (void)version;
    if (!x) {
        struct http_exchange_start start = {
            .routes = server->options.routes,
            .guard = server->options.guard,
            .pool = server->pool,
            .remote_pools = server->remote_pools,
            .wake_fd = server->wake_fd,
            .connection = connection,
            .method = method,
            .path = path,
        };

        if (http_exchange_new(&start, &x) < 0)
            return MHD_NO;
        *state = x;
        return http_exchange_is_over(x) ? http_exchange_queue(x) : MHD_YES;
    }
    if (*piece_len > 0) {
        http_exchange_feed(x, (struct bytes){(const uint8_t *)piece, *piece_len});
        *piece_len = 0;
        return MHD_YES;
    }
    return handle(server, x);
}

static void on_end(void *ctx,
                   struct MHD_Connection *connection,
                   void **state,
                   enum MHD_RequestTerminationCode how)
{
    (void)ctx;
    (void)connection;
    (void)how;
    http_exchange_free(*state);
    *state = NULL;
}

/* Decoding is ours: MHD's own would hide an encoded slash and cut at an encoded NUL. */
static size_t leave_encoded(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx;
    (void)connection;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void
on_message(void *ctx, const char *format, va_list args)
{
    char text[256];
    char shown[512];
    int n = vsnprintf(text, sizeof(text), format, args);

    (void)ctx;
    if (n > 0)
        log_debug("http",
                  "text=\"%s\"",
                  log_escape(shown, sizeof(shown), text, strnlen(text, sizeof(text))));
}

static int start_daemon(struct http_server *server)
{
    const union MHD_DaemonInfo *info;

    server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME,
                                      0,
                                      NULL,
                                      NULL,
                                      on_request,
                                      server,
                                      MHD_OPTION_EXTERNAL_LOGGER,
                                      on_message,
                                      NULL,
                                      MHD_OPTION_LISTEN_SOCKET,
                                      server->listen_fd,
                                      MHD_OPTION_NOTIFY_COMPLETED,
                                      on_end,
                                      NULL,
                                      MHD_OPTION_UNESCAPE_CALLBACK,
                                      leave_encoded,
                                      NULL,
                                      MHD_OPTION_CONNECTION_LIMIT,
                                      CONNECTIONS_MAX + server->options.streams_max,
                                      MHD_OPTION_CONNECTION_TIMEOUT,
                                      (unsigned)REQUEST_TIMEOUT_S,
                                      MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                      (size_t)HEADERS_MAX_BYTES,
                                      MHD_OPTION_STRICT_FOR_CLIENT,
                                      1,
                                      MHD_OPTION_END);
    if (!server->daemon)
        return ERR(-EIO);
    server->listen_fd = -1; /* the daemon closes it */
    info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info || info->epoll_fd < 0)
        return ERR(-EIO);
    server->epoll_fd = info->epoll_fd;
    return 0;
}

int http_server_new(const struct http_server_options *options, struct http_server **ret)
{
    OWN(http_server_freep) struct http_server *server = calloc(1, sizeof(*server));
    int r;

    if (!server)
        return ERR(-ENOMEM);
    server->options = *options;
    server->listen_fd = -1;
    server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->stop_fd < 0 || server->wake_fd < 0)
        return ERR(-errno);
    r = work_pool_new(&server->pool);
    for (size_t i = 0; r == 0 && i < HTTP_REMOTES; i++)
        r = work_pool_new(&server->remote_pools[i]);
    if (r == 0)
        r = open_socket(server);
    if (r < 0)
        return TRACE(r);
    r = start_daemon(server);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(server);
    return 0;
}

static void tick(struct http_server *server)
{
    uint64_t now = clock_monotonic_us();

    if (now < server->next_tick_us)
        return;
    server->next_tick_us = now + TICK_US;
    if (server->options.tick)
        server->options.tick(server->options.ctx);
}

static int wait_ms(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;
    uint64_t now = clock_monotonic_us();
    uint64_t until_tick_us = server->next_tick_us > now ? server->next_tick_us - now : 0;
    int least = (int)(until_tick_us / US_PER_MS) + 1;

    if (MHD_get_timeout(server->daemon, &ms) == MHD_YES && ms < (unsigned)least)
        return (int)ms;
    return least;
}

/* They are looked at in the run that follows. */
static void forget_wakes(struct http_server *server)
{
    uint64_t n;

    (void)!read(server->wake_fd, &n, sizeof(n));
}

/* Wait for all of them. @fds: room for FDS_EACH each. Return: 0, 1 if one is told to stop, or -errno. */
static int wait_all(struct http_server *const *servers, size_t n, struct pollfd *fds)
{
    int least = INT_MAX;

    for (size_t i = 0; i < n; i++) {
        int ms = wait_ms(servers[i]);

        least = ms < least ? ms : least;
        fds[FDS_EACH * i] = (struct pollfd){.fd = servers[i]->stop_fd, .events = POLLIN};
        fds[FDS_EACH * i + 1] = (struct pollfd){.fd = servers[i]->epoll_fd, .events = POLLIN};
        fds[FDS_EACH * i + 2] = (struct pollfd){.fd = servers[i]->wake_fd, .events = POLLIN};
    }
    if (poll(fds, FDS_EACH * n, least) < 0 && errno != EINTR)
        return ERR(-errno);
    for (size_t i = 0; i < n; i++)
        forget_wakes(servers[i]);
    for (size_t i = 0; i < n; i++)
        if (fds[FDS_EACH * i].revents != 0)
            return 1;
    return 0;
}

static bool is_again(int r)
{
    return r == -EAGAIN || r == -ECONNRESET;
}

/* Answers that are settled go out. @r: of the commit. @is_last: nothing is tried once more. Return: whether some are left. */
static bool settle_one(struct http_server *server, int r, bool is_last)
{
    struct http_exchange *left = NULL;

    for (struct http_exchange *x = server->held, *next; x; x = next) {
        int why = r < 0 ? r : -EAGAIN;
        bool is_done = r == 0 && !http_exchange_is_again(x);

        next = http_exchange_next(x);
        if (!is_done && is_again(why) && !is_last) {
            http_exchange_link(x, left); /* the first one comes first again */
            left = x;
            continue;
        }
        if (!is_done)
            http_exchange_fail(x, server->options.batch, server->options.ctx, why);
        http_exchange_release(x);
    }
    server->held = left;
    return left != NULL;
}

/* In the order in which they came, so that the list is the last one first afterwards. */
static void repeat_held(struct http_server *server)
{
    struct http_exchange *done = NULL;

    for (struct http_exchange *x = server->held, *next; x; x = next) {
        next = http_exchange_next(x);
        http_exchange_repeat(x, server->options.batch, server->options.ctx);
        http_exchange_link(x, done);
        done = x;
    }
    server->held = done;
}

/* Longer each time, and never the same for two that are in each other's way. */
static void pause_before(unsigned attempt)
{
    unsigned ms = (unsigned)AGAIN_FIRST_MS << attempt;
    unsigned uneven = (unsigned)(clock_monotonic_us() % US_PER_MS);

    (void)usleep(ms * US_PER_MS / 2 + ms * uneven / 2);
}

/* What was changed becomes durable, and then, not before, the answers are sent. */
static void settle(struct http_server *const *servers, size_t n)
{
    const struct http_batch *batch = servers[0]->options.batch;
    void *ctx = servers[0]->options.ctx;

    for (unsigned attempt = 0; batch; attempt++) {
        int r = batch->commit(ctx);
        bool is_left = false;

        for (size_t i = 0; i < n; i++)
            is_left |= settle_one(servers[i], r, attempt == AGAIN_TIMES);
        if (!is_left)
            return;
        pause_before(attempt);
        batch->begin(ctx);
        for (size_t i = 0; i < n; i++)
            repeat_held(servers[i]);
    }
}

static int run_ready(struct http_server *const *servers, size_t n)
{
    const struct http_batch *batch = servers[0]->options.batch;
    int r = 0;

    if (batch)
        batch->begin(servers[0]->options.ctx);
    for (size_t i = 0; i < n && r == 0; i++)
        if (MHD_run(servers[i]->daemon) != MHD_YES)
            r = ERR(-EIO);
    settle(servers, n);
    return r;
}

int http_server_run_all(struct http_server *const *servers, size_t n)
{
    struct pollfd fds[FDS_EACH * HTTP_SERVERS_MAX];

    assert(n >= 1 && n <= HTTP_SERVERS_MAX);
    for (;;) {
        int r;

        for (size_t i = 0; i < n; i++)
            tick(servers[i]);
        r = wait_all(servers, n, fds);
        if (r >= 0 &&
            run_ready(servers, n) < 0) /* when told to stop too: answers are on their way */
            return -EIO;
        if (r != 0)
            return r > 0 ? 0 : TRACE(r);
    }
}

int http_server_run(struct http_server *server)
{
    return TRACE(http_server_run_all(&server, 1));
}

void http_server_stop(struct http_server *server)
{
    int saved = errno;
    const uint64_t one = 1;

    /* can only fail when it has been told already */
    if (write(server->stop_fd, &one, sizeof(one)) < 0)
        errno = saved;
}
