/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/http_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/own.h"
#include "rt/http_server.h"

enum {
    WAITING_MAX = 4096,
    ANSWER_MAX = 64 * 1024,
};

/* A server in a thread, and the one stream that it was asked for. */
struct fixture {
    char folder[32];
    char socket[48];
    struct http_server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t is_there;
    struct http_stream *stream; /* with the lock */
};

static int give(void *ctx, struct http_exchange *x)
{
    struct fixture *f = ctx;
    int r;

    (void)pthread_mutex_lock(&f->lock);
    r = http_stream_reply(x, "text/event-stream", WAITING_MAX, &f->stream);
    (void)pthread_cond_signal(&f->is_there);
    (void)pthread_mutex_unlock(&f->lock);
    return r;
}

static int say(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    return http_reply_bytes(x, 200, "text/plain", bytes_of("here"));
}

static const struct http_route routes[] = {
    {"GET", "/stream", 0, give},
    {"GET", "/here", 0, say},
    {.method = NULL},
};

static void *serve(void *arg)
{
    struct fixture *f = arg;

    (void)http_server_run(f->server);
    return NULL;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/slipway-stream-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->socket, sizeof(f->socket), "%s/http", f->folder);
    (void)pthread_mutex_init(&f->lock, NULL);
    (void)pthread_cond_init(&f->is_there, NULL);
    assert_int_equal(http_server_new(&(struct http_server_options){.socket_path = f->socket,
                                                                   .socket_mode = 0600,
                                                                   .routes = routes,
                                                                   .ctx = f,
                                                                   .streams_max = 1},
                                     &f->server),
                     0);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    http_server_stop(f->server);
    (void)pthread_join(f->thread, NULL);
    http_stream_free(f->stream);
    http_server_free(f->server);
    (void)rmdir(f->folder);
    (void)pthread_cond_destroy(&f->is_there);
    (void)pthread_mutex_destroy(&f->lock);
    free(f);
    return 0;
}

static int ask(const struct fixture *f, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char request[128];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int n = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->socket);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(write(fd, request, (size_t)n), n);
    return fd;
}

static void wait_stream(struct fixture *f)
{
    (void)pthread_mutex_lock(&f->lock);
    while (!f->stream)
        (void)pthread_cond_wait(&f->is_there, &f->lock);
    (void)pthread_mutex_unlock(&f->lock);
}

/* Everything until @last has come, or the end. */
static void read_until(int fd, const char *last, char ret[static ANSWER_MAX])
{
    size_t len = strlen(ret);

    while (!last || !strstr(ret, last)) {
        ssize_t n = read(fd, ret + len, ANSWER_MAX - 1 - len);

        assert_true(n >= 0);
        if (n == 0)
            break;
        len += (size_t)n;
        ret[len] = '\0';
    }
}

static void what_is_written_comes_when_it_is_written(void **state)
{
    struct fixture *f = *state;
    char answer[ANSWER_MAX] = "";
    int fd = ask(f, "/stream");

    wait_stream(f);
    assert_int_equal(http_stream_write(f->stream, bytes_of("one")), 0);
    read_until(fd, "one", answer);
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
    assert_non_null(strstr(answer, "text/event-stream"));
    assert_int_equal(http_stream_write(f->stream, bytes_of("two")), 0);
    read_until(fd, "two", answer);
    http_stream_end(f->stream);
    read_until(fd, "\r\n0\r\n\r\n", answer);
    assert_non_null(strstr(answer, "\r\n0\r\n\r\n"));
    (void)close(fd);
}

static void others_are_answered_while_it_waits(void **state)
{
    struct fixture *f = *state;
    char answer[ANSWER_MAX] = "";
    int fd = ask(f, "/stream");
    int other;

    wait_stream(f);
    other = ask(f, "/here");
    read_until(other, "here", answer);
    assert_non_null(strstr(answer, "here"));
    (void)close(other);
    (void)close(fd);
}

static void only_so_much_waits_and_nothing_is_cut(void **state)
{
    struct fixture *f = *state;
    OWN(freep) char *answer = calloc(1, ANSWER_MAX);
    char piece[WAITING_MAX / 4 + 1];
    int fd = ask(f, "/stream");
    size_t n = 0;
    size_t n_came = 0;

    assert_non_null(answer);
    memset(piece, 'x', sizeof(piece) - 1);
    piece[sizeof(piece) - 1] = '\0';
    wait_stream(f);
    /* nobody reads: it is full at some time, whatever the socket takes */
    while (http_stream_write(f->stream, bytes_of(piece)) == 0)
        n++;
    assert_int_equal(http_stream_write(f->stream, bytes_of(piece)), HTTP_STREAM_E_FULL);
    assert_true(n >= 4);
    http_stream_end(f->stream);
    for (;;) {
        ssize_t got = read(fd, answer, ANSWER_MAX);

        assert_true(got >= 0);
        if (got == 0)
            break;
        for (ssize_t i = 0; i < got; i++)
            n_came += answer[i] == 'x';
        if (got >= 5 && memcmp(answer + got - 5, "0\r\n\r\n", 5) == 0)
            break;
    }
    /* "text" of the header has one of them too */
    assert_true(n_came >= n * (sizeof(piece) - 1) && n_came < n * (sizeof(piece) - 1) + 16);
    (void)close(fd);
}

static void a_client_that_has_gone_is_noticed_when_it_is_written_to(void **state)
{
    struct fixture *f = *state;
    int fd = ask(f, "/stream");

    wait_stream(f);
    assert_false(http_stream_is_over(f->stream));
    (void)close(fd);
    for (unsigned i = 0; i < 1000000 && !http_stream_is_over(f->stream); i++)
        (void)http_stream_write(f->stream, bytes_of("x"));
    assert_true(http_stream_is_over(f->stream));
    assert_int_equal(http_stream_write(f->stream, bytes_of("x")), 0);
}

static void a_server_may_end_while_it_waits(void **state)
{
    struct fixture *f = *state;
    int fd = ask(f, "/stream");

    wait_stream(f);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_comes_when_it_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(others_are_answered_while_it_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(only_so_much_waits_and_nothing_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_client_that_has_gone_is_noticed_when_it_is_written_to, setup, teardown),
        cmocka_unit_test_setup_teardown(a_server_may_end_while_it_waits, setup, teardown),
    };

    return cmocka_run_group_tests_name("rt/http_stream", tests, NULL, NULL);
}
