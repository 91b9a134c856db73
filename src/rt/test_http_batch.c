/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "plat/file.h"
#include "rt/http_client.h"

enum {
    N_TOGETHER = 5,
};

struct fixture {
    char folder[32];
    char socket[48];
    char kept[48]; /* a file that is there once something was committed */
    pid_t server;
    struct http_client *client;
};

/* Of the server's process. */
struct world {
    const char *kept;
    bool is_reader;
    bool is_changed;
    int n_commits;
    int n_calls;      /* of the handler, since the last answer that was kept */
    int commit_fails; /* so often, with commit_error */
    int commit_error;
};

static struct http_server *running;

static void on_term(int signal)
{
    (void)signal;
    http_server_stop(running); /* NOLINT(bugprone-signal-handler): made for this */
}

static int number_of(struct http_exchange *x, const char *name)
{
    const char *text = http_query(x, name);
    uint64_t n = 0;

    return text && bytes_parse_u64(bytes_of(text), 0, 1000, &n) ? (int)n : 0;
}

static int say_world(const struct world *w, struct http_exchange *x)
{
    return http_reply_json(
        x, 200, json_pack("{s:i,s:i}", "commits", w->n_commits, "calls", w->n_calls));
}

/* ?commit_fails=N&error=E: the next commits fail so; ?handler_fails=N: the first calls of this do. */
static int change(void *ctx, struct http_exchange *x)
{
    struct world *w = ctx;

    if (w->n_calls++ == 0) {
        w->commit_fails = number_of(x, "commit_fails");
        w->commit_error = -number_of(x, "error");
    }
    if (w->n_calls <= number_of(x, "handler_fails"))
        return -EAGAIN;
    w->is_changed = true;
    return say_world(w, x);
}

static void work(void *arg)
{
    (void)arg;
}

/* ?handler_fails=N as of change(); then it has something done elsewhere. */
static int defer(void *ctx, struct http_exchange *x)
{
    struct world *w = ctx;

    if (http_deferred(x))
        return say_world(w, x);
    if (w->n_calls++ < number_of(x, "handler_fails"))
        return -EAGAIN;
    return http_defer(x, work, w, work);
}

static int look(void *ctx, struct http_exchange *x)
{
    return say_world(ctx, x);
}

static int look_slowly(void *ctx, struct http_exchange *x)
{
    (void)usleep(100 * 1000);
    return say_world(ctx, x);
}

static int say_who(const struct world *w, struct http_exchange *x)
{
    return http_reply_json(x, 200, json_pack("{s:b}", "is_reader", w->is_reader));
}

static int read_only(void *ctx, struct http_exchange *x)
{
    return say_who(ctx, x);
}

static int read_long(void *ctx, struct http_exchange *x)
{
    (void)usleep(500 * 1000);
    return say_who(ctx, x);
}

static int read_and_note(void *ctx, struct http_exchange *x)
{
    struct world *w = ctx;

    if (w->is_reader)
        return -EROFS;
    w->is_changed = true;
    return say_who(w, x);
}

static bool is_for_readers(const struct http_route *route)
{
    return strncmp(route->pattern, "/read", 5) == 0;
}

static void begin(void *ctx)
{
    struct world *w = ctx;

    w->is_changed = false;
}

static bool is_open(void *ctx)
{
    const struct world *w = ctx;

    return w->is_changed;
}

static int commit(void *ctx)
{
    struct world *w = ctx;

    if (!w->is_changed)
        return 0;
    if (w->commit_fails > 0) {
        w->commit_fails--;
        return w->commit_error;
    }
    (void)usleep(20 * 1000);
    w->n_calls = 0;
    w->n_commits++;
    (void)close(open(w->kept, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    return 0;
}

static int refuse_changes(void *ctx, struct http_exchange *x, int r)
{
    struct world *w = ctx;

    w->n_calls = 0;
    return http_reply_problem(x, 503, "SLW-0021", "Failed", "%d", r);
}

static const struct http_route routes[] = {
    {"POST", "/change", 0, change},
    {"POST", "/defer", 0, defer},
    {"GET", "/look", 0, look},
    {"GET", "/look-slowly", 0, look_slowly},
    {"GET", "/read", 0, read_only},
    {"GET", "/read-long", 0, read_long},
    {"GET", "/read-and-note", 0, read_and_note},
    {.method = NULL},
};

static const struct http_batch batch = {begin, is_open, commit, refuse_changes};

static void serve(const struct fixture *f)
{
    struct world world = {.kept = f->kept};
    struct http_server_options options = {
        .socket_path = f->socket,
        .socket_mode = 0600,
        .routes = routes,
        .ctx = &world,
        .batch = &batch,
        .is_for_readers = is_for_readers,
    };
    struct world reading = {.kept = f->kept, .is_reader = true};

    if (http_readers_new((void *const[]){&reading, &reading}, 2, &options.readers) != 0 ||
        http_server_new(&options, &running) != 0)
        _exit(1);
    (void)signal(SIGTERM, on_term);
    (void)signal(SIGPIPE, SIG_IGN);
    int r = http_server_run(running);

    http_readers_free(options.readers);
    http_server_free(running);
    _exit(r == 0 ? 0 : 1);
}

/* The socket is there a moment before somebody listens. */
static bool is_up(const struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    OWN(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->socket);
    return connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

static int set_up(void **state)
{
    static struct fixture f;

    memcpy(f.folder, "/tmp/http_batch_XXXXXX", 23);
    assert_non_null(mkdtemp(f.folder));
    (void)snprintf(f.socket, sizeof(f.socket), "%s/s", f.folder);
    (void)snprintf(f.kept, sizeof(f.kept), "%s/kept", f.folder);
    f.server = fork();
    if (f.server == 0)
        serve(&f);
    for (unsigned i = 0; i < 30000 && !is_up(&f); i++)
        (void)usleep(1000);

    struct http_client_options options = {.base_url = "http://site", .unix_socket = f.socket};

    assert_int_equal(http_client_new(&options, &f.client), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    int status = 0;

    http_client_free(f->client);
    assert_int_equal(kill(f->server, SIGTERM), 0);
    assert_int_equal(waitpid(f->server, &status, 0), f->server);
    assert_int_equal(status, 0);
    return dir_remove(f->folder);
}

/* @ret_calls: may be NULL */
static unsigned post(struct fixture *f, const char *path, int *ret_calls)
{
    OWN(json_decrefp) json_t *value = NULL;
    unsigned status = 0;

    assert_int_equal(http_client_json(f->client, "POST", path, NULL, &status, &value), 0);
    if (ret_calls)
        *ret_calls = (int)json_integer_value(json_object_get(value, "calls"));
    return status;
}

static void an_answer_comes_after_the_commit(void **state)
{
    struct fixture *f = *state;

    assert_false(file_exists(f->kept));
    assert_int_equal(post(f, "/change", NULL), 200);
    assert_true(file_exists(f->kept));
}

static void a_commit_that_fails_is_answered_as_a_failure(void **state)
{
    struct fixture *f = *state;
    char path[64];

    (void)snprintf(path, sizeof(path), "/change?commit_fails=1&error=%d", EIO);
    assert_int_equal(post(f, path, NULL), 503);
    assert_false(file_exists(f->kept));
    assert_int_equal(post(f, "/change", NULL), 200);
}

static void what_another_was_in_the_way_of_is_done_again(void **state)
{
    char path[64];
    int n_calls = 0;

    (void)snprintf(path, sizeof(path), "/change?commit_fails=3&error=%d", EAGAIN);
    assert_int_equal(post(*state, path, &n_calls), 200);
    assert_int_equal(n_calls, 4);
    assert_int_equal(post(*state, "/change?handler_fails=2", &n_calls), 200);
    assert_int_equal(n_calls, 3);
}

static void nothing_is_done_again_for_ever(void **state)
{
    assert_int_equal(post(*state, "/change?handler_fails=1000", NULL), 503);
}

static void what_is_to_be_done_again_and_then_waits_can_be_sent_again(void **state)
{
    assert_int_equal(post(*state, "/defer?handler_fails=1", NULL), 503);
    assert_int_equal(post(*state, "/defer", NULL), 200);
}

static bool is_from_reader(struct fixture *f, const char *path)
{
    OWN(json_decrefp) json_t *value = NULL;
    unsigned status = 0;

    assert_int_equal(http_client_json(f->client, "GET", path, NULL, &status, &value), 0);
    assert_int_equal(status, 200);
    return json_is_true(json_object_get(value, "is_reader"));
}

static void what_only_reads_is_answered_by_a_reader(void **state)
{
    assert_true(is_from_reader(*state, "/read"));
}

static void what_a_reader_cannot_do_is_done_by_the_writer(void **state)
{
    struct fixture *f = *state;

    assert_false(is_from_reader(f, "/read-and-note"));
    assert_true(file_exists(f->kept));
}

static int connect_raw(const struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->socket);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void send_raw(int fd, const char *line)
{
    char text[128];
    int n =
        snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: s\r\nContent-Length: 0\r\n\r\n", line);

    assert_int_equal(write(fd, text, (size_t)n), n);
}

/* How often was committed when the handler answered. */
static int read_commits(int fd)
{
    char text[1024];
    ssize_t n = read(fd, text, sizeof(text) - 1);
    const char *at;

    assert_true(n > 0);
    text[n] = '\0';
    assert_memory_equal(text, "HTTP/1.1 200", 12);
    at = strstr(text, "\"commits\":");
    assert_non_null(at);
    return at[strlen("\"commits\":")] - '0';
}

/* Two that read for long have all readers; a change goes by. */
static void reading_for_long_holds_up_no_change(void **state)
{
    struct fixture *f = *state;
    int readers[2];
    char text[256];

    for (size_t i = 0; i < 2; i++) {
        readers[i] = connect_raw(f);
        send_raw(readers[i], "GET /read-long");
    }
    (void)usleep(20 * 1000);
    assert_int_equal(post(f, "/change", NULL), 200);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(recv(readers[i], text, sizeof(text), MSG_DONTWAIT), -1);
    for (size_t i = 0; i < 2; i++) {
        assert_true(read(readers[i], text, sizeof(text)) > 0);
        assert_memory_equal(text, "HTTP/1.1 200", 12);
        (void)close(readers[i]);
    }
}

/* The server ends with requests at its readers and in their queue. */
static void what_waits_for_a_reader_keeps_no_server_from_ending(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < 4; i++)
        send_raw(connect_raw(f), "GET /read-long");
    (void)usleep(50 * 1000);
}

static void what_is_ready_at_once_shares_a_commit(void **state)
{
    struct fixture *f = *state;
    int slow = connect_raw(f);
    int fds[N_TOGETHER];

    for (size_t i = 0; i < N_TOGETHER; i++)
        fds[i] = connect_raw(f);
    (void)usleep(50 * 1000);
    send_raw(slow, "GET /look-slowly");
    (void)usleep(20 * 1000); /* it is at that now */
    for (size_t i = 0; i < N_TOGETHER; i++)
        send_raw(fds[i], "POST /change");
    assert_int_equal(read_commits(slow), 0);
    for (size_t i = 0; i < N_TOGETHER; i++) {
        assert_int_equal(read_commits(fds[i]), 0);
        (void)close(fds[i]);
    }
    send_raw(slow, "GET /look");
    assert_int_equal(read_commits(slow), 1);
    (void)close(slow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_comes_after_the_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_commit_that_fails_is_answered_as_a_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_another_was_in_the_way_of_is_done_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_done_again_for_ever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_to_be_done_again_and_then_waits_can_be_sent_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_ready_at_once_shares_a_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_only_reads_is_answered_by_a_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_a_reader_cannot_do_is_done_by_the_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reading_for_long_holds_up_no_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_waits_for_a_reader_keeps_no_server_from_ending, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
