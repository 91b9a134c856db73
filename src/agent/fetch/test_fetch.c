/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/fetch.h"

#include <pthread.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, to be there */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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
#include "format/manifest/manifest.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "plat/frame.h"

enum {
    N_CHUNKS = 40,
    CHUNK_BYTES = 1000,
    CONTENT_BYTES = N_CHUNKS * CHUNK_BYTES,
    REQUEST_MAX = 4096,
    GIVE_UP_US = 1,
};

/* A distribution point on a Unix socket: one answer per connection, and some faults. */
struct fixture {
    char root[64];
    char socket_path[96];
    int listener;
    pthread_t thread;
    uint8_t content[CONTENT_BYTES];
    struct manifest manifest;
    struct buf manifest_text;
    uint8_t manifest_id[SHA256_BYTES];
    struct buf frames[N_CHUNKS];
    _Atomic unsigned n_requests;
    _Atomic unsigned n_to_cut; /* connections to close without an answer */
    _Atomic int bad_chunk;     /* -1: none */
    _Atomic bool is_bad_once;  /* the next request for it is answered rightly */
};

static void answer(int fd, struct bytes body, const char *status)
{
    OWN(buf_fini) struct buf head = BUF_INIT(1024);

    buf_addf(
        &head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status, body.len);
    (void)fd_write_all(fd, buf_bytes(&head));
    (void)fd_write_all(fd, body);
}

static void answer_chunk(struct fixture *f, int fd, size_t i)
{
    OWN(buf_fini) struct buf frame = BUF_INIT((size_t)64 * 1024);

    buf_add(&frame, buf_bytes(&f->frames[i]));
    if (f->bad_chunk == (int)i) {
        frame.ptr[frame.len / 2] ^= 1;
        if (f->is_bad_once)
            f->bad_chunk = -1;
    }
    answer(fd, buf_bytes(&frame), "200 OK");
}

static bool is_for_chunk(const struct fixture *f, const char *request, size_t i)
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){f->manifest.chunks[i].sha256, SHA256_BYTES});
    return strstr(request, name) != NULL;
}

static void answer_request(struct fixture *f, int fd, const char *request)
{
    size_t i = 0;

    while (i < N_CHUNKS && !is_for_chunk(f, request, i))
        i++;
    if (i < N_CHUNKS)
        answer_chunk(f, fd, i);
    else if (strstr(request, " /content/manifests/"))
        answer(fd, buf_bytes(&f->manifest_text), "200 OK");
    else if (strstr(request, " /boot/whole "))
        answer(fd, (struct bytes){f->content, CONTENT_BYTES}, "200 OK");
    else
        answer(fd, bytes_of(""), "404 Not Found");
}

static void serve_one(struct fixture *f, int fd)
{
    char request[REQUEST_MAX + 1] = "";
    size_t len = 0;

    while (!strstr(request, "\r\n\r\n") && len < REQUEST_MAX) {
        ssize_t n = read(fd, request + len, REQUEST_MAX - len);

        if (n <= 0)
            return;
        len += (size_t)n;
    }
    f->n_requests++;
    if (f->n_to_cut > 0) {
        f->n_to_cut--;
        return;
    }
    answer_request(f, fd, request);
}

static void *serve(void *ctx)
{
    struct fixture *f = ctx;

    for (;;) {
        OWN(fd_closep) int fd = accept(f->listener, NULL, NULL);

        if (fd < 0)
            return NULL;
        serve_one(f, fd);
    }
}

static void make_content(struct fixture *f)
{
    OWN(frame_packer_freep) struct frame_packer *packer = NULL;

    assert_int_equal(frame_packer_new(CHUNK_BYTES, &packer), 0);
    f->manifest.chunks = calloc(N_CHUNKS, sizeof(*f->manifest.chunks));
    assert_non_null(f->manifest.chunks);
    f->manifest.n_chunks = N_CHUNKS;
    f->manifest.size_bytes = CONTENT_BYTES;
    for (size_t i = 0; i < CONTENT_BYTES; i++)
        f->content[i] = (uint8_t)(i * i / 7 + i / CHUNK_BYTES);
    for (size_t i = 0; i < N_CHUNKS; i++) {
        struct bytes plain = {f->content + i * CHUNK_BYTES, CHUNK_BYTES};
        struct bytes frame;

        f->manifest.chunks[i].size_bytes = CHUNK_BYTES;
        assert_int_equal(digest_sha256(plain, f->manifest.chunks[i].sha256), 0);
        assert_int_equal(frame_pack(packer, plain, &frame), 0);
        f->frames[i] = BUF_INIT((size_t)64 * 1024);
        buf_add(&f->frames[i], frame);
    }
    f->manifest_text = BUF_INIT((size_t)64 * 1024);
    manifest_put(&f->manifest_text, &f->manifest);
    assert_int_equal(digest_sha256(buf_bytes(&f->manifest_text), f->manifest_id), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!f)
        return -1;
    f->bad_chunk = -1;
    (void)snprintf(f->root, sizeof(f->root), "/tmp/slipway-test-fetch-XXXXXX");
    if (!mkdtemp(f->root))
        return -1;
    (void)snprintf(f->socket_path, sizeof(f->socket_path), "%s/http", f->root);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->socket_path);
    make_content(f);
    f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(f->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(f->listener, 64) < 0)
        return -1;
    *state = f;
    return pthread_create(&f->thread, NULL, serve, f);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    (void)shutdown(f->listener, SHUT_RDWR);
    (void)pthread_join(f->thread, NULL);
    (void)close(f->listener);
    for (size_t i = 0; i < N_CHUNKS; i++)
        buf_fini(&f->frames[i]);
    buf_fini(&f->manifest_text);
    manifest_fini(&f->manifest);
    (void)dir_remove(f->root);
    free(f);
    return 0;
}

static const char *const sources[] = {"http://dp"};

static struct fetch_options options_of(const struct fixture *f)
{
    return (struct fetch_options){
        .sources = sources, .n_sources = 1, .unix_socket = f->socket_path};
}

/* The reader's end of the stream: whatever comes is kept. */
struct reader {
    int fd;
    struct buf got;
};

static void *read_all(void *ctx)
{
    struct reader *reader = ctx;
    uint8_t piece[4096];

    for (;;) {
        ssize_t n = read(reader->fd, piece, sizeof(piece));

        if (n <= 0)
            return NULL;
        buf_add(&reader->got, (struct bytes){piece, (size_t)n});
    }
}

static int stream(const struct fetch_options *options,
                  const struct fixture *f,
                  struct buf *ret_got,
                  struct fetch_report *ret)
{
    struct reader reader = {.got = BUF_INIT(CONTENT_BYTES)};
    pthread_t thread;
    int ends[2];
    int r;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    reader.fd = ends[1];
    assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
    r = fetch_stream(options, f->manifest_id, CONTENT_BYTES, ends[0], ret);
    (void)close(ends[0]);
    (void)pthread_join(thread, NULL);
    (void)close(ends[1]);
    *ret_got = reader.got;
    return r;
}

static void stream_delivers_the_content_in_order(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf got = BUF_INIT(0);
    struct fetch_options options = options_of(f);
    struct fetch_report report;

    assert_int_equal(stream(&options, f, &got, &report), 0);
    assert_int_equal(got.len, CONTENT_BYTES);
    assert_memory_equal(got.ptr, f->content, CONTENT_BYTES);
    assert_string_equal(report.why, "");
    assert_int_equal(f->n_requests, N_CHUNKS + 1);
}

static void stream_asks_once_more_for_a_bad_chunk(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf got = BUF_INIT(0);
    struct fetch_options options = options_of(f);
    struct fetch_report report;

    f->is_bad_once = true;
    f->bad_chunk = 17;
    assert_int_equal(stream(&options, f, &got, &report), 0);
    assert_memory_equal(got.ptr, f->content, CONTENT_BYTES);
    assert_int_equal(f->n_requests, N_CHUNKS + 2);
}

static void stream_names_a_chunk_that_stays_bad_and_delivers_none_of_it(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf got = BUF_INIT(0);
    struct fetch_options options = options_of(f);
    struct fetch_report report;
    char name[SHA256_TEXT_MAX];

    f->bad_chunk = 17;
    assert_int_equal(stream(&options, f, &got, &report), FETCH_E_CONTENT);
    hex_put(name, (struct bytes){f->manifest.chunks[17].sha256, SHA256_BYTES});
    assert_non_null(strstr(report.why, name));
    assert_non_null(strstr(report.why, "http://dp"));
    assert_in_range(got.len, 0, 17 * CHUNK_BYTES);
    assert_memory_equal(got.ptr ? got.ptr : "", f->content, got.len);
}

static void stream_survives_connections_that_are_cut(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf got = BUF_INIT(0);
    struct fetch_options options = options_of(f);
    struct fetch_report report;

    f->n_to_cut = 1;
    assert_int_equal(stream(&options, f, &got, &report), 0);
    assert_memory_equal(got.ptr, f->content, CONTENT_BYTES);
    assert_true(report.n_retries > 0);
}

static void stream_gives_up_when_nobody_answers(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf got = BUF_INIT(0);
    struct fetch_options options = options_of(f);
    struct fetch_report report;

    options.give_up_us = GIVE_UP_US;
    options.unix_socket = "/tmp/slipway-test-fetch-nobody";
    assert_int_equal(stream(&options, f, &got, &report), FETCH_E_UNREACHABLE);
    assert_non_null(strstr(report.why, "http://dp"));
}

static void stream_notices_that_its_reader_is_gone(void **state)
{
    struct fixture *f = *state;
    struct fetch_options options = options_of(f);
    struct fetch_report report;
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    (void)close(ends[1]);
    assert_int_equal(fetch_stream(&options, f->manifest_id, CONTENT_BYTES, ends[0], &report),
                     FETCH_E_CONSUMER);
    (void)close(ends[0]);
}

static void stream_refuses_a_manifest_of_another_size(void **state)
{
    struct fixture *f = *state;
    struct fetch_options options = options_of(f);
    struct fetch_report report;

    assert_int_equal(fetch_stream(&options, f->manifest_id, CONTENT_BYTES + 1, -1, &report),
                     FETCH_E_CONTENT);
}

static void file_appears_only_when_its_hash_is_right(void **state)
{
    struct fixture *f = *state;
    struct fetch_options options = options_of(f);
    struct fetch_report report;
    uint8_t sha256[SHA256_BYTES];
    struct fetch_file file = {"/boot/whole", CONTENT_BYTES, sha256};
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/vmlinuz", f->root);
    assert_int_equal(digest_sha256((struct bytes){f->content, CONTENT_BYTES}, sha256), 0);
    sha256[0] ^= 1;
    assert_int_equal(fetch_file(&options, &file, path, &report), FETCH_E_CONTENT);
    assert_false(file_exists(path));
    sha256[0] ^= 1;
    file.size_bytes--;
    assert_int_equal(fetch_file(&options, &file, path, &report), FETCH_E_CONTENT);
    file.size_bytes++;
    assert_int_equal(fetch_file(&options, &file, path, &report), 0);
    assert_true(file_exists(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stream_delivers_the_content_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stream_asks_once_more_for_a_bad_chunk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            stream_names_a_chunk_that_stays_bad_and_delivers_none_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            stream_survives_connections_that_are_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stream_gives_up_when_nobody_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stream_notices_that_its_reader_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            stream_refuses_a_manifest_of_another_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            file_appears_only_when_its_hash_is_right, set_up, tear_down),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the agent does, or a closed connection ends it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
