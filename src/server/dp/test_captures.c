/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/captures.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/buf.h"
#include "base/own.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "plat/frame.h"
#include "rt/http_client.h"
#include "store/store.h"

enum {
    FRAME_MAX_BYTES = 1024 * 1024,
    PATH_MAX_BYTES = 160,
};

static const struct http_route routes[] = {
    {"POST", "/api/v1/captures/chunks", CAPTURES_ASK_MAX_BYTES, captures_find_chunks},
    {"PUT", "/api/v1/captures/packs/{name}", PACK_STORED_MAX_BYTES, captures_put_pack},
    {.method = NULL},
};

struct fixture {
    char state[64];
    char socket[80];
    struct captures *captures;
    struct http_server *server;
    pthread_t thread;
    struct http_client *client;
};

static void *serve(void *ctx)
{
    struct fixture *f = ctx;

    return http_server_run(f->server) == 0 ? f : NULL;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct http_server_options options = {.socket_mode = 0600, .routes = routes};
    struct http_client_options client = {.base_url = "http://dp"};
    char path[PATH_MAX_BYTES];

    if (!f)
        return -1;
    (void)snprintf(f->state, sizeof(f->state), "/tmp/slipway-test-captures-XXXXXX");
    if (!mkdtemp(f->state))
        return -1;
    (void)snprintf(f->socket, sizeof(f->socket), "%s/capture.sock", f->state);
    (void)snprintf(path, sizeof(path), "%s/dp/content", f->state);
    options.socket_path = f->socket;
    client.unix_socket = f->socket;
    *state = f;
    if (dir_make(path, 0755) != 0 || captures_new(f->state, &f->captures) != 0)
        return -1;
    options.ctx = f->captures;
    if (http_server_new(&options, &f->server) != 0 || http_client_new(&client, &f->client) != 0)
        return -1;
    return pthread_create(&f->thread, NULL, serve, f);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    void *ended;
    int r;

    http_client_free(f->client);
    http_server_stop(f->server);
    assert_int_equal(pthread_join(f->thread, &ended), 0);
    assert_ptr_equal(ended, f);
    http_server_free(f->server);
    captures_free(f->captures);
    r = dir_remove(f->state);
    free(f);
    return r;
}

/* Return: the status; the body of a good answer to @ret. */
static unsigned
ask(struct fixture *f, const char *method, const char *path, struct bytes body, struct buf *ret)
{
    OWN(http_answer_fini) struct http_answer answer = {0};

    assert_int_equal(
        http_client_call(f->client, method, path, body, "application/octet-stream", &answer), 0);
    if (ret)
        buf_add(ret, buf_bytes(&answer.body));
    return answer.status;
}

/* A pack of these chunks. */
static void make_pack(const char *const *chunks, size_t n, struct buf *ret_frame, char *ret_path)
{
    OWN(frame_packer_freep) struct frame_packer *packer = NULL;
    struct pack_chunk table[8] = {0};
    uint8_t room[4096];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};
    struct bytes frame;
    uint8_t name[SHA256_BYTES];
    char hex[SHA256_TEXT_MAX];

    for (size_t i = 0; i < n; i++) {
        table[i].size_bytes = (uint32_t)strlen(chunks[i]);
        assert_int_equal(digest_sha256(bytes_of(chunks[i]), table[i].sha256), 0);
    }
    pack_put_table(&dst, table, n);
    for (size_t i = 0; i < n; i++)
        sink_bytes(&dst, bytes_of(chunks[i]));
    assert_int_equal(frame_packer_new(sizeof(room), &packer), 0);
    assert_int_equal(frame_pack(packer, (struct bytes){room, dst.len}, &frame), 0);
    assert_int_equal(digest_sha256((struct bytes){room, dst.len}, name), 0);
    buf_add(ret_frame, frame);
    hex_put(hex, (struct bytes){name, SHA256_BYTES});
    (void)snprintf(ret_path, PATH_MAX_BYTES, "/api/v1/captures/packs/%s", hex);
}

/* The answer's first byte to a question about these chunks. */
static uint8_t find(struct fixture *f, const char *const *chunks, size_t n)
{
    OWN(buf_fini) struct buf names = BUF_INIT(CAPTURES_ASK_MAX_BYTES);
    OWN(buf_fini) struct buf bits = BUF_INIT(CAPTURES_ASK_MAX);

    for (size_t i = 0; i < n; i++) {
        uint8_t name[SHA256_BYTES];

        assert_int_equal(digest_sha256(bytes_of(chunks[i]), name), 0);
        buf_add(&names, (struct bytes){name, SHA256_BYTES});
    }
    assert_int_equal(ask(f, "POST", "/api/v1/captures/chunks", buf_bytes(&names), &bits), 200);
    assert_int_equal(bits.len, 1);
    return (uint8_t)bits.ptr[0];
}

static const char *const three[] = {"one", "two", "three"};

static void a_chunk_is_there_once_its_pack_was_sent(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(FRAME_MAX_BYTES);
    char path[PATH_MAX_BYTES];

    make_pack((const char *const[]){"two", "four"}, 2, &frame, path);
    assert_int_equal(find(f, three, 3), 0);
    assert_int_equal(ask(f, "PUT", path, buf_bytes(&frame), NULL), 204);
    assert_int_equal(find(f, three, 3), 2);
    assert_int_equal(ask(f, "PUT", path, buf_bytes(&frame), NULL), 204);
}

static void what_was_sent_is_found_by_the_next_process(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(FRAME_MAX_BYTES);
    OWN(store_freep) struct store *store = NULL;
    char path[PATH_MAX_BYTES];
    uint8_t name[SHA256_BYTES];

    make_pack(three, 3, &frame, path);
    assert_int_equal(ask(f, "PUT", path, buf_bytes(&frame), NULL), 204);
    assert_int_equal(find(f, three, 3), 7); /* a question makes it durable */
    (void)snprintf(path, sizeof(path), "%s/dp/content", f->state);
    assert_int_equal(store_new(path, &store), 0);
    assert_int_equal(store_begin(store), 0);
    assert_int_equal(digest_sha256(bytes_of("three"), name), 0);
    assert_true(store_has_chunk(store, name));
}

static void what_is_no_pack_is_refused(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(FRAME_MAX_BYTES);
    OWN(buf_fini) struct buf other = BUF_INIT(FRAME_MAX_BYTES);
    char path[PATH_MAX_BYTES];
    char other_path[PATH_MAX_BYTES];

    make_pack(three, 3, &frame, path);
    make_pack(three, 2, &other, other_path);
    assert_int_equal(ask(f, "PUT", other_path, buf_bytes(&frame), NULL), 400);
    assert_int_equal(ask(f, "PUT", path, bytes_of("not a frame"), NULL), 400);
    assert_int_equal(ask(f, "PUT", "/api/v1/captures/packs/xyz", buf_bytes(&frame), NULL), 400);
    frame.ptr[frame.len - 1] ^= 1;
    assert_int_equal(ask(f, "PUT", path, buf_bytes(&frame), NULL), 400);
    assert_int_equal(find(f, three, 3), 0);
}

static void a_chunk_that_is_not_what_its_row_says_is_refused(void **state)
{
    struct fixture *f = *state;
    OWN(frame_packer_freep) struct frame_packer *packer = NULL;
    struct pack_chunk table = {.size_bytes = 3};
    uint8_t room[256];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};
    struct bytes frame;
    uint8_t name[SHA256_BYTES];
    char hex[SHA256_TEXT_MAX];
    char path[PATH_MAX_BYTES];

    assert_int_equal(digest_sha256(bytes_of("one"), table.sha256), 0);
    pack_put_table(&dst, &table, 1);
    sink_bytes(&dst, bytes_of("two"));
    assert_int_equal(frame_packer_new(sizeof(room), &packer), 0);
    assert_int_equal(frame_pack(packer, (struct bytes){room, dst.len}, &frame), 0);
    assert_int_equal(digest_sha256((struct bytes){room, dst.len}, name), 0);
    hex_put(hex, (struct bytes){name, SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/api/v1/captures/packs/%s", hex);
    assert_int_equal(ask(f, "PUT", path, frame, NULL), 400);
    assert_int_equal(find(f, three, 3), 0);
}

static void a_question_is_of_whole_names_and_not_too_many(void **state)
{
    struct fixture *f = *state;
    OWN(freep) uint8_t *names = calloc(CAPTURES_ASK_MAX + 1, SHA256_BYTES);
    OWN(buf_fini) struct buf bits = BUF_INIT(CAPTURES_ASK_MAX);
    static const char path[] = "/api/v1/captures/chunks";

    assert_non_null(names);
    assert_int_equal(ask(f, "POST", path, (struct bytes){names, CAPTURES_ASK_MAX_BYTES}, &bits),
                     200);
    assert_int_equal(bits.len, CAPTURES_ASK_MAX / 8);
    assert_int_equal(ask(f, "POST", path, (struct bytes){names, 33}, NULL), 400);
    assert_int_equal(ask(f, "POST", path, (struct bytes){0}, NULL), 400);
    assert_int_equal(
        ask(f, "POST", path, (struct bytes){names, CAPTURES_ASK_MAX_BYTES + SHA256_BYTES}, NULL),
        413);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chunk_is_there_once_its_pack_was_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_was_sent_is_found_by_the_next_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_pack_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_chunk_that_is_not_what_its_row_says_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_question_is_of_whole_names_and_not_too_many, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
