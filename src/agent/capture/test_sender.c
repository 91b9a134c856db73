/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/capture/sender.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "format/pack/pack.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "plat/frame.h"
#include "plat/random.h"
#include "rt/http_server.h"

enum {
    N_CHUNKS = 12,
    HAS = 5, /* the chunk that the distribution point has */
};

#define CHUNK_BYTES ((size_t)200 * 1024)

/* A distribution point that remembers what it is sent, and has its bad days. */
struct dp {
    char folder[64];
    char socket[80];
    struct http_server *server;
    pthread_t thread;
    uint8_t has[SHA256_BYTES];
    size_t n_questions;
    size_t n_chunks;
    uint64_t n_bytes;
    unsigned n_busy; /* so many requests are answered 503 first */
    bool is_full;
};

static int answer_questions(void *ctx, struct http_exchange *x)
{
    struct dp *dp = ctx;
    struct bytes names = http_body(x);
    uint8_t bits[512] = {0};
    size_t n = names.len / SHA256_BYTES;

    if (dp->n_busy > 0) {
        dp->n_busy--;
        return http_reply_problem(x, 503, "SLW-0361", "Busy", "%s", "");
    }
    dp->n_questions++;
    for (size_t i = 0; i < n; i++)
        if (memcmp(names.ptr + i * SHA256_BYTES, dp->has, SHA256_BYTES) == 0)
            bits[i / 8] = (uint8_t)(bits[i / 8] | 1U << (i % 8));
    return http_reply_bytes(x, 200, "application/octet-stream", (struct bytes){bits, (n + 7) / 8});
}

static int take_pack(void *ctx, struct http_exchange *x)
{
    struct dp *dp = ctx;
    OWN(freep) uint8_t *plain = malloc(PACK_MAX_BYTES);
    OWN(pack_fini) struct pack pack = {0};
    uint8_t name[SHA256_BYTES];
    uint8_t wanted[SHA256_BYTES];
    size_t size;

    if (dp->is_full)
        return http_reply_problem(x, 507, "SLW-0313", "Full", "%s", "Free some.");
    assert_int_equal(frame_size(http_body(x), PACK_MAX_BYTES, &size), 0);
    assert_int_equal(frame_unpack(http_body(x), size, plain), 0);
    assert_int_equal(digest_sha256((struct bytes){plain, size}, name), 0);
    assert_true(hex_parse(bytes_of(http_param(x, "name")), SHA256_BYTES, wanted));
    assert_memory_equal(name, wanted, SHA256_BYTES);
    assert_int_equal(pack_parse((struct bytes){plain, size}, &pack), 0);
    for (size_t i = 0; i < pack.n_chunks; i++) {
        struct bytes chunk = {plain + pack.chunks[i].offset, pack.chunks[i].size_bytes};

        assert_int_equal(digest_sha256(chunk, name), 0);
        assert_memory_equal(name, pack.chunks[i].sha256, SHA256_BYTES);
        dp->n_bytes += chunk.len;
    }
    dp->n_chunks += pack.n_chunks;
    return http_reply_empty(x, 204);
}

static const struct http_route routes[] = {
    {"POST", "/api/v1/captures/chunks", (size_t)4096 * SHA256_BYTES, answer_questions},
    {"PUT", "/api/v1/captures/packs/{name}", PACK_STORED_MAX_BYTES, take_pack},
    {.method = NULL},
};

static void *serve(void *ctx)
{
    struct dp *dp = ctx;

    return http_server_run(dp->server) == 0 ? dp : NULL;
}

static int set_up(void **state)
{
    struct dp *dp = calloc(1, sizeof(*dp));
    struct http_server_options options = {.socket_mode = 0600, .routes = routes, .ctx = dp};

    if (!dp)
        return -1;
    *state = dp;
    (void)snprintf(dp->folder, sizeof(dp->folder), "/tmp/slipway-test-sender-XXXXXX");
    if (!mkdtemp(dp->folder))
        return -1;
    (void)snprintf(dp->socket, sizeof(dp->socket), "%s/dp.sock", dp->folder);
    options.socket_path = dp->socket;
    if (http_server_new(&options, &dp->server) != 0)
        return -1;
    return pthread_create(&dp->thread, NULL, serve, dp);
}

static int tear_down(void **state)
{
    struct dp *dp = *state;
    int r;

    http_server_stop(dp->server);
    (void)pthread_join(dp->thread, NULL);
    http_server_free(dp->server);
    r = dir_remove(dp->folder);
    free(dp);
    return r;
}

/* Random chunks, of which the distribution point has one. Return: as sender_end(). */
static int send_chunks(struct dp *dp, struct sender **ret, struct sender_counts *ret_counts)
{
    const struct http_client_options http = {.base_url = "http://dp", .unix_socket = dp->socket};
    OWN(freep) uint8_t *bytes = malloc(N_CHUNKS * CHUNK_BYTES);
    int r = 0;

    assert_non_null(bytes);
    random_bytes(bytes, N_CHUNKS * CHUNK_BYTES);
    assert_int_equal(digest_sha256((struct bytes){bytes + HAS * CHUNK_BYTES, CHUNK_BYTES}, dp->has),
                     0);
    assert_int_equal(sender_new(&http, ret), 0);
    for (size_t i = 0; r == 0 && i < N_CHUNKS; i++) {
        struct bytes plain = {bytes + i * CHUNK_BYTES, CHUNK_BYTES};
        struct recipe_chunk chunk = {.size_bytes = (uint32_t)CHUNK_BYTES};

        assert_int_equal(digest_sha256(plain, chunk.sha256), 0);
        r = sender_put(*ret, &chunk, plain);
    }
    return r == 0 ? sender_end(*ret, ret_counts) : r;
}

static void what_is_not_there_is_sent_once(void **state)
{
    struct dp *dp = *state;
    OWN(sender_freep) struct sender *sender = NULL;
    struct sender_counts counts;

    assert_int_equal(send_chunks(dp, &sender, &counts), 0);
    assert_int_equal(dp->n_chunks, N_CHUNKS - 1);
    assert_int_equal(dp->n_bytes, (N_CHUNKS - 1) * CHUNK_BYTES);
    assert_int_equal(counts.new_bytes, dp->n_bytes);
    assert_true(counts.sent_bytes > counts.new_bytes); /* it was random */
}

static void who_is_busy_is_asked_again(void **state)
{
    struct dp *dp = *state;
    OWN(sender_freep) struct sender *sender = NULL;
    struct sender_counts counts;

    dp->n_busy = 1;
    assert_int_equal(send_chunks(dp, &sender, &counts), 0);
    assert_int_equal(dp->n_chunks, N_CHUNKS - 1);
}

static void who_has_no_room_is_believed(void **state)
{
    struct dp *dp = *state;
    OWN(sender_freep) struct sender *sender = NULL;
    struct sender_counts counts;

    dp->is_full = true;
    assert_int_equal(send_chunks(dp, &sender, &counts), SENDER_E_FAILED);
    assert_non_null(strstr(sender_why(sender), "SLW-0313"));
    assert_non_null(strstr(sender_why(sender), "Free some."));
}

static void a_sender_that_is_given_up_ends(void **state)
{
    struct dp *dp = *state;
    const struct http_client_options http = {.base_url = "http://dp", .unix_socket = dp->socket};
    OWN(sender_freep) struct sender *sender = NULL;

    assert_int_equal(sender_new(&http, &sender), 0);
    assert_int_equal(sender_put(sender, &(struct recipe_chunk){.size_bytes = 3}, bytes_of("abc")),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_there_is_sent_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_busy_is_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_has_no_room_is_believed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sender_that_is_given_up_ends, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
