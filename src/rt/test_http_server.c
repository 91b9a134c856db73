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
#include <semaphore.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "plat/file.h"
#include "rt/http_client.h"

DEFINE_FREEP(struct http_client *, http_client_free);

struct fixture {
    char folder[32];
    char socket[48];
    pid_t server;
    struct http_client *client;
};

enum {
    MEETING_S = 10,
};

static struct http_server *running;

static void on_term(int signal)
{
    (void)signal;
    http_server_stop(running); /* NOLINT(bugprone-signal-handler): made for this */
}

static int say_device(void *ctx, struct http_exchange *x)
{
    const char *like = http_query(x, "like");

    (void)ctx;
    return http_reply_json(
        x, 200, json_pack("{s:s, s:s?}", "id", http_param(x, "id"), "like", like));
}

static int echo(void *ctx, struct http_exchange *x)
{
    json_t *body = NULL;

    (void)ctx;
    if (http_body_json(x, &body) != 0)
        return 0;
    return http_reply_json(x, 201, body);
}

static int say_peer(void *ctx, struct http_exchange *x)
{
    uint32_t uid;

    (void)ctx;
    if (!http_peer_uid(x, &uid))
        return -EIO;
    return http_reply_json(x, 200, json_pack("{s:I}", "uid", (json_int_t)uid));
}

static int forget_to_answer(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    (void)x;
    return 0;
}

static int say_offset(void *ctx, struct http_exchange *x)
{
    const char *offset = http_header(x, "Upload-Offset");

    (void)ctx;
    if (http_add_header(x, "Upload-Offset", offset ? offset : "none") < 0)
        return -ENOMEM;
    return http_reply_empty(x, 204);
}

static void sleep_long(void *arg)
{
    (void)usleep(200 * 1000);
    *(unsigned *)arg += 1;
}

/* The number of calls of the work, by a handler that is called twice. */
static int say_slowly(void *ctx, struct http_exchange *x)
{
    unsigned *n = http_deferred(x);

    (void)ctx;
    if (n)
        return http_reply_json(x, 200, json_pack("{s:i}", "n", (int)*n));
    n = calloc(1, sizeof(*n));
    assert_non_null(n);
    return http_defer(x, sleep_long, n, free) < 0 ? -EIO : 0;
}

/* Work for two machines that is done only while the other is being done as well. */
struct meeting {
    unsigned which;
    bool has_met;
};

static sem_t arrived[HTTP_REMOTES];

static void meet(void *arg)
{
    struct meeting *m = arg;
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += MEETING_S;
    (void)sem_post(&arrived[m->which]);
    m->has_met = sem_timedwait(&arrived[1 - m->which], &until) == 0;
}

static int say_whether_met(struct http_exchange *x, unsigned which)
{
    struct meeting *m = http_deferred(x);

    if (m)
        return http_reply_empty(x, m->has_met ? 200 : 504);
    m = calloc(1, sizeof(*m));
    assert_non_null(m);
    m->which = which;
    http_defer_is_remote(x, which);
    return http_defer(x, meet, m, free) < 0 ? -EIO : 0;
}

static int ask_one(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    return say_whether_met(x, 0);
}

static int ask_other(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    return say_whether_met(x, 1);
}

static const struct http_route routes[] = {
    {"GET", "/slow", 0, say_slowly},
    {"GET", "/one", 0, ask_one},
    {"GET", "/other", 0, ask_other},
    {"GET", "/devices/{id}", 0, say_device},
    {"POST", "/echo", 200, echo},
    {"GET", "/peer", 0, say_peer},
    {"GET", "/forget", 0, forget_to_answer},
    {"PATCH", "/uploads/{id}", 16, say_offset},
    {.method = NULL},
};

static void serve(const char *path)
{
    struct http_server_options options = {
        .socket_path = path,
        .socket_mode = 0600,
        .routes = routes,
    };

    for (size_t i = 0; i < HTTP_REMOTES; i++)
        (void)sem_init(&arrived[i], 0, 0);
    if (http_server_new(&options, &running) != 0)
        _exit(1);
    (void)signal(SIGTERM, on_term);
    (void)signal(SIGPIPE, SIG_IGN);
    int r = http_server_run(running);

    http_server_free(running);
    _exit(r == 0 ? 0 : 1);
}

static int set_up(void **state)
{
    static struct fixture f;

    memcpy(f.folder, "/tmp/http_server_XXXXXX", 24);
    assert_non_null(mkdtemp(f.folder));
    (void)snprintf(f.socket, sizeof(f.socket), "%s/s", f.folder);
    f.server = fork();
    if (f.server == 0)
        serve(f.socket);
    for (unsigned i = 0; i < 1000 && !file_exists(f.socket); i++)
        (void)usleep(1000);

    struct http_client_options options = {.base_url = "http://site", .unix_socket = f.socket};

    assert_int_equal(http_client_new(&options, &f.client), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    int status;

    http_client_free(f->client);
    assert_int_equal(kill(f->server, SIGTERM), 0);
    assert_int_equal(waitpid(f->server, &status, 0), f->server);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_false(file_exists(f->socket));
    return rmdir(f->folder);
}

static json_t *call(struct fixture *f, const char *method, const char *path, unsigned status)
{
    json_t *answer = NULL;
    unsigned got = 0;

    assert_int_equal(http_client_json(f->client, method, path, NULL, &got, &answer), 0);
    assert_int_equal(got, status);
    return answer;
}

static unsigned post(struct fixture *f, const char *text)
{
    OWN(http_answer_fini) struct http_answer answer = {.status = 0};

    assert_int_equal(
        http_client_call(f->client, "POST", "/echo", bytes_of(text), "application/json", &answer),
        0);
    return answer.status;
}

static void assert_problem(json_t *answer, const char *error_id)
{
    assert_string_equal(json_string_value(json_object_get(answer, "error_id")), error_id);
    json_decref(answer);
}

static void server_decodes_parameters_and_query(void **state)
{
    OWN(json_decrefp)
    json_t *answer = call(*state, "GET", "/devices/a%2Fb?like=x%26y+z", 200);

    assert_string_equal(json_string_value(json_object_get(answer, "id")), "a/b");
    assert_string_equal(json_string_value(json_object_get(answer, "like")), "x&y z");
}

static void server_refuses_what_it_has_no_route_for(void **state)
{
    assert_problem(call(*state, "GET", "/nothing", 404), "SLW-0003");
    assert_problem(call(*state, "GET", "/devices/", 404), "SLW-0003");
    assert_problem(call(*state, "GET", "/devices/a/b", 404), "SLW-0003");
    assert_problem(call(*state, "GET", "/devices/%00", 404), "SLW-0003");
    assert_problem(call(*state, "DELETE", "/devices/a", 405), "SLW-0004");
    assert_problem(call(*state, "GET", "/devices/a?x=%zz", 400), "SLW-0006");
}

static void server_answers_head_where_there_is_get(void **state)
{
    assert_null(call(*state, "HEAD", "/devices/a", 200));
    /* and the client is itself again afterwards */
    json_decref(call(*state, "GET", "/devices/a", 200));
}

static void server_says_500_for_a_handler_without_an_answer(void **state)
{
    assert_problem(call(*state, "GET", "/forget", 500), "SLW-0001");
}

static void server_takes_bodies_up_to_the_limit(void **state)
{
    char body[260] = "{\"a\":\"";

    memset(body + 6, 'x', 192);
    memcpy(body + 198, "\"}", 3);
    assert_int_equal(post(*state, body), 201);
    memcpy(body + 198, "x\"}", 4);
    assert_int_equal(post(*state, body), 413);
    assert_int_equal(post(*state, "{}"), 201);
}

static void server_takes_one_json_object_only(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{}x",
        "{\"a\":1,\"a\":2}",
        "3",
        "null",
        "{\"a\":\"\xff\"}",
    };
    char deep[128];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(post(*state, bad[i]), 400);

    for (unsigned levels = 32; levels <= 33; levels++) {
        size_t inner = levels - 1;

        (void)snprintf(deep, sizeof(deep), "{\"a\":");
        memset(deep + 5, '[', inner);
        memset(deep + 5 + inner, ']', inner);
        deep[5 + 2 * inner] = '}';
        deep[6 + 2 * inner] = '\0';
        assert_int_equal(post(*state, deep), levels == 32 ? 201 : 400);
    }
}

static void server_says_what_is_wrong_in_plain_signs(void **state)
{
    struct fixture *f = *state;
    static const char body[] = "{\"a\":\"\x01\xc3\xa4\"";
    OWN(http_answer_fini) struct http_answer answer = {.status = 0};
    OWN(http_answer_fini) struct http_answer second = {.status = 0};

    assert_int_equal(
        http_client_call(f->client, "POST", "/echo", bytes_of(body), "application/json", &answer),
        0);
    assert_int_equal(answer.status, 400);
    assert_non_null(strstr(buf_str(&answer.body), "Line 1, column "));
    assert_null(strstr(buf_str(&answer.body), "\\x"));
    assert_int_equal(http_client_call(f->client,
                                      "POST",
                                      "/echo",
                                      bytes_of("{\"comment\":\"x\""),
                                      "application/json",
                                      &second),
                     0);
    assert_non_null(strstr(buf_str(&second.body), "'}' expected"));
}

static void server_knows_who_calls(void **state)
{
    OWN(json_decrefp) json_t *answer = call(*state, "GET", "/peer", 200);

    assert_int_equal(json_integer_value(json_object_get(answer, "uid")), getuid());
}

static void client_sends_a_header_once_and_reads_the_answers(void **state)
{
    struct fixture *f = *state;
    static const char *const want[] = {"42", "none"};

    assert_int_equal(http_client_next_header(f->client, "Upload-Offset: 42"), 0);
    for (unsigned i = 0; i < 2; i++) {
        OWN(http_answer_fini) struct http_answer answer = {.status = 0};
        struct bytes offset;

        assert_int_equal(
            http_client_call(f->client, "PATCH", "/uploads/1", bytes_of("x"), NULL, &answer), 0);
        assert_int_equal(answer.status, 204);
        assert_true(http_answer_header(&answer, "upload-offset", &offset));
        assert_true(bytes_eq(offset, bytes_of(want[i])));
        assert_false(http_answer_header(&answer, "upload", &offset));
    }
}

static void client_says_when_nobody_is_there(void **state)
{
    (void)state;
    struct http_client_options options = {.base_url = "http://site",
                                          .unix_socket = "/nonexistent/socket"};
    OWN(http_client_freep) struct http_client *client = NULL;
    struct http_answer answer;

    assert_int_equal(http_client_new(&options, &client), 0);
    assert_int_equal(http_client_call(client, "GET", "/", bytes_of(""), NULL, &answer),
                     HTTP_CLIENT_E_UNREACHABLE);
    assert_string_not_equal(http_client_why(client), "");
}

static void client_refuses_a_header_with_a_line_break(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(http_client_next_header(f->client, "A: b\r\nC: d"), -EINVAL);
    assert_int_equal(http_client_add_header(f->client, "A: b\nC: d"), -EINVAL);
    assert_int_equal(http_client_set_bearer(f->client, "x\r\n"), -EINVAL);
}

/* A request written by hand, on its way. */
static int begin_request(const char *socket_path, const char *request)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fd_write_all(fd, bytes_of(request)), 0);
    return fd;
}

static unsigned read_status(int fd)
{
    char answer[13] = "";
    uint64_t status = 0;

    assert_int_equal(recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL), 12);
    assert_true(bytes_parse_u64(bytes_of(answer + 9), 100, 599, &status));
    return (unsigned)status;
}

/* The status in its answer. */
static unsigned status_of(const char *socket_path, const char *request)
{
    OWN(fd_closep) int fd = begin_request(socket_path, request);

    return read_status(fd);
}

static void server_answers_others_while_work_that_takes_long_is_done(void **state)
{
    struct fixture *f = *state;
    OWN(fd_closep) int slow = begin_request(f->socket, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    char byte;

    (void)usleep(20 * 1000);
    assert_int_equal(status_of(f->socket, "GET /devices/1 HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_int_equal(recv(slow, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(read_status(slow), 200);
}

static void who_waits_for_one_machine_keeps_nobody_from_another(void **state)
{
    struct fixture *f = *state;
    OWN(fd_closep) int one = begin_request(f->socket, "GET /one HTTP/1.1\r\nHost: a\r\n\r\n");
    OWN(fd_closep) int other = begin_request(f->socket, "GET /other HTTP/1.1\r\nHost: a\r\n\r\n");

    assert_int_equal(read_status(one), 200);
    assert_int_equal(read_status(other), 200);
}

static void server_refuses_what_too_many_wait_for(void **state)
{
    struct fixture *f = *state;
    int fds[17];
    size_t n_busy = 0;

    for (size_t i = 0; i < 17; i++)
        fds[i] = begin_request(f->socket, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    /* the refused one is answered at once; the others are left alone with their work */
    (void)usleep(50 * 1000);
    for (size_t i = 0; i < 17; i++) {
        char byte;

        n_busy +=
            recv(fds[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1 && read_status(fds[i]) == 503;
        fd_closep(&fds[i]);
    }
    assert_int_equal(n_busy, 1);
}

static void server_refuses_requests_that_two_servers_may_read_differently(void **state)
{
    struct fixture *f = *state;
    static const char *const smuggled[] = {
        "POST /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
         "2\r\n{}\r\n0\r\n\r\n"),
    };

    for (size_t i = 0; i < sizeof(smuggled) / sizeof(smuggled[0]); i++)
        assert_int_equal(status_of(f->socket, smuggled[i]), 400);
    assert_int_equal(
        status_of(f->socket, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"), 201);
}

static void server_refuses_a_long_body_that_did_not_announce_its_length(void **state)
{
    struct fixture *f = *state;
    char request[512];
    int n = snprintf(request,
                     sizeof(request),
                     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "c9\r\n%201d\r\n0\r\n\r\n",
                     1);

    assert_true(n > 0 && (size_t)n < sizeof(request));
    assert_int_equal(status_of(f->socket, request), 413);
}

static void socket_has_the_mode_asked_for(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    assert_int_equal(stat(f->socket, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_decodes_parameters_and_query),
        cmocka_unit_test(server_refuses_what_it_has_no_route_for),
        cmocka_unit_test(server_answers_head_where_there_is_get),
        cmocka_unit_test(server_says_500_for_a_handler_without_an_answer),
        cmocka_unit_test(server_takes_bodies_up_to_the_limit),
        cmocka_unit_test(server_takes_one_json_object_only),
        cmocka_unit_test(server_says_what_is_wrong_in_plain_signs),
        cmocka_unit_test(server_knows_who_calls),
        cmocka_unit_test(client_sends_a_header_once_and_reads_the_answers),
        cmocka_unit_test(client_says_when_nobody_is_there),
        cmocka_unit_test(client_refuses_a_header_with_a_line_break),
        cmocka_unit_test(server_answers_others_while_work_that_takes_long_is_done),
        cmocka_unit_test(server_refuses_requests_that_two_servers_may_read_differently),
        cmocka_unit_test(server_refuses_a_long_body_that_did_not_announce_its_length),
        cmocka_unit_test(socket_has_the_mode_asked_for),
        cmocka_unit_test(who_waits_for_one_machine_keeps_nobody_from_another),
        cmocka_unit_test(server_refuses_what_too_many_wait_for),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
