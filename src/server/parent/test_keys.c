/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/keys.h"

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
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/own.h"
#include "plat/file.h"
#include "rt/http_client.h"

DEFINE_FREEP(struct http_client *, http_client_free);

static char folder[32];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/test_keys_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static const char *at(const char *name)
{
    static char paths[2][64];
    static unsigned next;
    char *path = paths[next++ % 2];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static int ensure(uint8_t ret_pin[static SHA256_BYTES])
{
    const struct keys_options options = {
        .folder = folder,
        .site_name = "test",
        .addresses = "192.0.2.1 deploy.example",
        .owner_uid = getuid(),
        .owner_gid = getgid(),
    };

    return keys_ensure(&options, ret_pin);
}

static void ensure_makes_a_key_once(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(128);
    uint8_t first[SHA256_BYTES];
    uint8_t again[SHA256_BYTES];
    uint8_t written[SHA256_BYTES];
    struct stat st;

    assert_int_equal(ensure(first), 0);
    assert_int_equal(ensure(again), 0);
    assert_memory_equal(first, again, SHA256_BYTES);
    assert_int_equal(file_read(at("pin"), &text), 0);
    assert_int_equal(text.len, 65);
    assert_true(hex_parse((struct bytes){(const uint8_t *)buf_str(&text), 64}, 32, written));
    assert_memory_equal(first, written, SHA256_BYTES);
    assert_int_equal(stat(at("site.key"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0400);
}

static void ensure_keeps_the_key_when_only_the_certificate_is_gone(void **state)
{
    (void)state;
    uint8_t first[SHA256_BYTES];
    uint8_t again[SHA256_BYTES];

    assert_int_equal(ensure(first), 0);
    assert_int_equal(unlink(at("site.crt")), 0);
    assert_int_equal(ensure(again), 0);
    assert_memory_equal(first, again, SHA256_BYTES);
    assert_true(file_exists(at("site.crt")));
}

static void ensure_refuses_a_certificate_of_another_key(void **state)
{
    (void)state;
    uint8_t pin[SHA256_BYTES];

    assert_int_equal(ensure(pin), 0);
    assert_int_equal(unlink(at("site.key")), 0);
    assert_int_equal(ensure(pin), KEYS_E_DAMAGED);
    assert_int_equal(unlink(at("site.crt")), 0);
    assert_int_equal(ensure(pin), 0);
}

/* A TLS server of three connections on a Unix socket, whatever is asked. */
static void serve(int listener)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    (void)signal(SIGPIPE, SIG_IGN);
    if (!tls || SSL_CTX_use_certificate_file(tls, at("site.crt"), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, at("site.key"), SSL_FILETYPE_PEM) != 1)
        _exit(1);
    for (unsigned i = 0; i < 3; i++) {
        char request[4096];
        int fd = accept(listener, NULL, NULL);
        SSL *connection = SSL_new(tls);

        if (fd < 0 || !connection || SSL_set_fd(connection, fd) != 1)
            _exit(1);
        if (SSL_accept(connection) == 1 && SSL_read(connection, request, sizeof(request)) > 0)
            (void)SSL_write(connection, answer, sizeof(answer) - 1);
        (void)SSL_shutdown(connection);
        SSL_free(connection);
        (void)close(fd);
    }
    SSL_CTX_free(tls);
    _exit(0);
}

static pid_t start_server(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    OWN(fd_closep) int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t pid;

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 4), 0);
    pid = fork();
    if (pid == 0)
        serve(listener);
    assert_true(pid > 0);
    return pid;
}

static int call(const char *path, const uint8_t *pin)
{
    const struct http_client_options options = {
        .base_url = "https://192.0.2.99", /* not in the certificate, and nobody minds */
        .unix_socket = path,
        .pin = pin,
        .timeout_us = 5000000,
    };
    OWN(http_client_freep) struct http_client *client = NULL;
    OWN(http_answer_fini) struct http_answer answer = {.status = 0};
    int r;

    assert_int_equal(http_client_new(&options, &client), 0);
    r = http_client_call(client, "GET", "/", bytes_of(""), NULL, &answer);
    if (r == 0)
        assert_int_equal(answer.status, 204);
    return r;
}

static void client_talks_only_to_whoever_has_the_pinned_key(void **state)
{
    (void)state;
    uint8_t pin[SHA256_BYTES];
    char path[64];
    int status;

    (void)snprintf(path, sizeof(path), "%s", at("tls"));
    assert_int_equal(ensure(pin), 0);

    pid_t server = start_server(path);

    assert_int_equal(call(path, pin), 0);
    pin[31] ^= 1;
    assert_int_equal(call(path, pin), HTTP_CLIENT_E_PIN);
    assert_int_equal(call(path, NULL), HTTP_CLIENT_E_PIN); /* no authority has signed it */
    assert_int_equal(waitpid(server, &status, 0), server);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ensure_makes_a_key_once),
        cmocka_unit_test(ensure_keeps_the_key_when_only_the_certificate_is_gone),
        cmocka_unit_test(ensure_refuses_a_certificate_of_another_key),
        cmocka_unit_test(client_talks_only_to_whoever_has_the_pinned_key),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
