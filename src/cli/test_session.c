/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/session.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"

enum {
    TEXT_MAX_BYTES = 4096,
    HANGS_S = 20,
};

static void exit_codes_follow_the_http_status(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        enum args_exit exit_code;
    } cases[] = {
        {400, ARGS_EXIT_FAILURE},
        {401, ARGS_EXIT_DENIED},
        {403, ARGS_EXIT_DENIED},
        {404, ARGS_EXIT_NOT_FOUND},
        {409, ARGS_EXIT_CONFLICT},
        {410, ARGS_EXIT_NOT_FOUND},
        {412, ARGS_EXIT_CONFLICT},
        {422, ARGS_EXIT_FAILURE},
        {500, ARGS_EXIT_FAILURE},
        {502, ARGS_EXIT_UNREACHABLE},
        {503, ARGS_EXIT_UNREACHABLE},
        {504, ARGS_EXIT_UNREACHABLE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(session_exit_of(cases[i].status), cases[i].exit_code);
}

/* What a report says on standard error. */
static void
report(struct session *s, unsigned status, const char *problem, char ret[static TEXT_MAX_BYTES])
{
    json_t *value = problem ? json_loads(problem, 0, NULL) : NULL;
    int memory = memfd_create("stderr", MFD_CLOEXEC);
    int before = dup(STDERR_FILENO);
    ssize_t n;

    assert_true(memory >= 0 && before >= 0);
    assert_int_equal(dup2(memory, STDERR_FILENO), STDERR_FILENO);
    assert_false(session_problem(s, status, value));
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    n = pread(memory, ret, TEXT_MAX_BYTES - 1, 0);
    assert_true(n >= 0);
    ret[n] = '\0';
    json_decref(value);
    (void)close(memory);
    (void)close(before);
}

static void problem_is_shown_with_its_error_id(void **state)
{
    (void)state;
    struct session s = {0};
    char text[TEXT_MAX_BYTES];

    report(
        &s,
        409,
        "{\"title\": \"Name is taken\", \"detail\": \"collection \\\"Lab\\\"\", \"error_id\": \"SLW-0104\"}",
        text);
    assert_string_equal(text, "slipway: Name is taken: collection \"Lab\" [HTTP 409] (SLW-0104)\n");
    assert_int_equal(s.exit_code, ARGS_EXIT_CONFLICT);
}

static void problem_lets_no_escape_sequence_through(void **state)
{
    (void)state;
    struct session s = {0};
    char text[TEXT_MAX_BYTES];

    report(
        &s,
        500,
        "{\"request_id\": \"nightly-7\", \"title\": \"a\\u001b[2Jb\\nc\", \"error_id\": \"\\u001b[31m12\"}",
        text);
    assert_string_equal(text, "slipway: a\\x1b[2Jb\\x0ac [HTTP 500, request nightly-7]\n");
}

static void problem_shows_each_diagnostic(void **state)
{
    (void)state;
    struct session s = {0};
    char text[TEXT_MAX_BYTES];

    report(
        &s,
        422,
        "{\"title\": \"Refused\", \"diagnostics\": [{\"severity\": \"error\", \"line\": 7, \"column\": 3,"
        " \"step\": \"Setup\", \"message\": \"unknown type\"}]}",
        text);
    assert_string_equal(text,
                        "slipway: Refused [HTTP 422]\n"
                        "slipway: line 7, column 3: error: Setup: unknown type\n");
    assert_int_equal(s.exit_code, ARGS_EXIT_FAILURE);
}

static void problem_without_a_body_is_a_problem_too(void **state)
{
    (void)state;
    struct session s = {0};
    char text[TEXT_MAX_BYTES];

    report(&s, 502, NULL, text);
    assert_string_equal(text, "slipway: the site gave no reason [HTTP 502]\n");
    assert_int_equal(s.exit_code, ARGS_EXIT_UNREACHABLE);
}

static void escape_leaves_only_unreserved_characters(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    session_escape(&text, "All Systems/../a?b=c&d%\xc3\xa9~-_.");
    assert_string_equal(buf_str(&text), "All%20Systems%2F..%2Fa%3Fb%3Dc%26d%25%C3%A9~-_.");
}

/* A site that hears each request and hangs up; for each it writes a byte to @fd. */
static void hang_up(int listener, int fd)
{
    char request[TEXT_MAX_BYTES];

    for (;;) {
        int peer = accept(listener, NULL, NULL);

        if (read(peer, request, sizeof(request)) > 0)
            (void)fd_write_all(fd, bytes_of("x"));
        (void)close(peer);
    }
}

static pid_t start_site(const char *path, int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t pid;

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, TEXT_MAX_BYTES), 0);
    pid = fork();
    if (pid == 0) {
        (void)alarm(HANGS_S);
        hang_up(listener, fd);
    }
    (void)close(listener);
    return pid;
}

/* How often a POST was heard whose answer never came. */
static ssize_t count_posts(const char *path)
{
    char folder[] = "/tmp/slipway-test-session-XXXXXX";
    char socket_path[sizeof(folder) + 8];
    const struct http_client_options options = {
        .base_url = "http://site", .unix_socket = socket_path, .user_agent = "test"};
    struct session s = {.site = {.url = (char[]){"site"}}};
    char heard[TEXT_MAX_BYTES];
    int ends[2];
    ssize_t n;
    pid_t site;

    assert_non_null(mkdtemp(folder));
    (void)snprintf(socket_path, sizeof(socket_path), "%s/site", folder);
    assert_int_equal(pipe(ends), 0);
    site = start_site(socket_path, ends[1]);
    (void)close(ends[1]);
    assert_int_equal(http_client_new(&options, &s.client), 0);
    assert_false(session_call(&s, "POST", path, json_object(), NULL));
    http_client_free(s.client);
    assert_int_equal(kill(site, SIGKILL), 0);
    assert_int_equal(waitpid(site, NULL, 0), site);
    n = read(ends[0], heard, sizeof(heard));
    (void)close(ends[0]);
    assert_int_equal(dir_remove(folder), 0);
    return n;
}

/* In a process of its own. Return: its exit code, or 100 if there was something on standard error. */
static int write_to(int output)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    struct session s = {0};
    int memory = memfd_create("stderr", MFD_CLOEXEC);

    buf_adds(&text, "a line\n");
    if (memory < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        dup2(output, STDOUT_FILENO) != STDOUT_FILENO ||
        dup2(memory, STDERR_FILENO) != STDERR_FILENO || session_write(&s, &text))
        return 99;
    return lseek(memory, 0, SEEK_END) == 0 ? (int)s.exit_code : 100;
}

static int exit_of_writing_to(int output)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0)
        _exit(write_to(output));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void who_reads_no_more_is_not_complained_of(void **state)
{
    (void)state;
    int ends[2];
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    assert_true(full >= 0);
    assert_int_equal(exit_of_writing_to(ends[1]), ARGS_EXIT_FAILURE);
    assert_int_equal(exit_of_writing_to(full), 100);
    (void)close(ends[1]);
    (void)close(full);
}

static void who_signs_in_is_sent_once(void **state)
{
    (void)state;
    assert_int_equal(count_posts("/logins"), 1);
    assert_int_equal(count_posts("/oidc/start"), 1);
    assert_int_equal(count_posts("/oidc/callback"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_follow_the_http_status),
        cmocka_unit_test(problem_is_shown_with_its_error_id),
        cmocka_unit_test(problem_lets_no_escape_sequence_through),
        cmocka_unit_test(problem_shows_each_diagnostic),
        cmocka_unit_test(problem_without_a_body_is_a_problem_too),
        cmocka_unit_test(escape_leaves_only_unreserved_characters),
        cmocka_unit_test(who_reads_no_more_is_not_complained_of),
        cmocka_unit_test(who_signs_in_is_sent_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
