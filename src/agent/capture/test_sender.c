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

#include "format/pack/cut.h"
#include "format/pack/names.h"
#include "format/pack/pack.h"
#include "format/recipe/recipe.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "plat/frame.h"
#include "plat/random.h"
#include "rt/http_server.h"

enum {
    N_CHUNKS = 120,
    N_TINY = 9000,
    HAS = 5, /* the chunk that the distribution point has */
};

#define CHUNK_BYTES ((size_t)CUT_MIN_BYTES)

/* A distribution point that remembers what it is sent, and has its bad days. */
struct dp {
    char folder[64];
    char socket[80];
    struct http_server *server;
    pthread_t thread;
    uint8_t has[SHA256_BYTES];
    struct names got;
    bool is_forgetful;
    size_t n_chunks;
    uint64_t n_bytes;
    unsigned n_busy; /* so many requests are answered 503 first */
    bool is_full;
    const char *bearer; /* what it takes; NULL: anything */
    bool is_renewed;    /* the sender's token has been refused */
};

static bool is_let_in(const struct dp *dp, struct http_exchange *x)
{
    const char *bearer = http_header(x, "Authorization");

    return !dp->bearer || (bearer && strcmp(bearer, dp->bearer) == 0);
}

/* Both called by threads of the sender. */
static int put_token(void *ctx, char *dst, size_t cap)
{
    const struct dp *dp = ctx;

    (void)snprintf(
        dst, cap, "%s", __atomic_load_n(&dp->is_renewed, __ATOMIC_SEQ_CST) ? "t2" : "t1");
    return 0;
}

static bool refuse_token(void *ctx, const char *token)
{
    struct dp *dp = ctx;

    if (strcmp(token, "t1") == 0)
        __atomic_store_n(&dp->is_renewed, true, __ATOMIC_SEQ_CST);
    return true;
}

static int answer_questions(void *ctx, struct http_exchange *x)
{
    struct dp *dp = ctx;
    struct bytes names = http_body(x);
    uint8_t bits[512] = {0};
    size_t n = names.len / SHA256_BYTES;

    if (!is_let_in(dp, x))
        return http_reply_problem(x, 401, "SLW-0202", "Not signed in", "%s", "");
    if (dp->n_busy > 0) {
        dp->n_busy--;
        return http_reply_problem(x, 503, "SLW-0361", "Busy", "%s", "");
    }
    for (size_t i = 0; i < n; i++) {
        const uint8_t *name = names.ptr + i * SHA256_BYTES;
        uint64_t number;

        if (memcmp(name, dp->has, SHA256_BYTES) == 0 || names_get(&dp->got, name, &number))
            bits[i / 8] = (uint8_t)(bits[i / 8] | 1U << (i % 8));
    }
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

    if (!is_let_in(dp, x))
        return http_reply_problem(x, 401, "SLW-0202", "Not signed in", "%s", "");
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
        if (!dp->is_forgetful || i > 0)
            assert_int_equal(names_put(&dp->got, name, 0), 0);
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
    names_fini(&dp->got);
    free(dp);
    return r;
}

static struct sender_options options_of(struct dp *dp)
{
    return (struct sender_options){
        .http = {.base_url = "http://dp",
                 .unix_socket = dp->socket,
                 .tokens = {.put = put_token, .refuse = refuse_token, .ctx = dp}},
        .n_processors = 2,
    };
}

/* A unit of @n bytes. Return: as sender_put(). */
static int put_unit(struct sender *sender, const uint8_t *bytes, size_t n)
{
    uint8_t *room = NULL;
    int r = sender_room(sender, n, &room);

    if (r != 0)
        return r;
    memcpy(room, bytes, n);
    r = sender_put(sender, n);
    return r == 0 ? sender_end_unit(sender) : r;
}

/* Units of random bytes, each one chunk, of which the distribution point has one; each twice. Return: as sender_end(). */
static int send_chunks(struct dp *dp, struct sender **ret, struct sender_counts *ret_counts)
{
    const struct sender_options options = options_of(dp);
    OWN(freep) uint8_t *bytes = malloc(N_CHUNKS * CHUNK_BYTES);
    struct bytes rows;
    int r = 0;

    assert_non_null(bytes);
    random_bytes(bytes, N_CHUNKS * CHUNK_BYTES);
    assert_int_equal(digest_sha256((struct bytes){bytes + HAS * CHUNK_BYTES, CHUNK_BYTES}, dp->has),
                     0);
    assert_int_equal(sender_new(&options, ret), 0);
    for (size_t i = 0; r == 0 && i < (size_t)2 * N_CHUNKS; i++)
        r = put_unit(*ret, bytes + CHUNK_BYTES * (i % N_CHUNKS), CHUNK_BYTES);
    if (r == 0)
        r = sender_end(*ret, ret_counts, &rows);
    for (size_t i = 0; r == 0 && i < (size_t)2 * N_CHUNKS; i++) {
        struct recipe_chunk chunk;
        uint8_t name[SHA256_BYTES];

        assert_true(recipe_take_chunk(&rows, &chunk));
        assert_int_equal(chunk.size_bytes, CHUNK_BYTES);
        assert_int_equal(
            digest_sha256((struct bytes){bytes + CHUNK_BYTES * (i % N_CHUNKS), CHUNK_BYTES}, name),
            0);
        assert_memory_equal(chunk.sha256, name, SHA256_BYTES);
    }
    return r;
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
    assert_int_equal(counts.n_chunks, 2 * N_CHUNKS);
    assert_int_equal(counts.size_bytes, CHUNK_BYTES * 2 * N_CHUNKS);
    assert_true(counts.work_us > 0 && counts.site_us > 0);
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

static void a_token_that_is_refused_ends_no_capture(void **state)
{
    struct dp *dp = *state;
    OWN(sender_freep) struct sender *sender = NULL;
    struct sender_counts counts;

    dp->bearer = "Bearer t2";
    assert_int_equal(send_chunks(dp, &sender, &counts), 0);
    assert_true(dp->is_renewed);
    assert_int_equal(dp->n_chunks, N_CHUNKS - 1);
}

static void a_token_that_is_refused_for_good_is_an_error(void **state)
{
    struct dp *dp = *state;
    OWN(sender_freep) struct sender *sender = NULL;
    struct sender_counts counts;

    dp->bearer = "Bearer t3";
    assert_int_equal(send_chunks(dp, &sender, &counts), SENDER_E_FAILED);
    assert_non_null(strstr(sender_why(sender), "SLW-0202"));
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

static void what_is_lost_there_is_noticed(void **state)
{
    struct dp *dp = *state;
    OWN(sender_freep) struct sender *sender = NULL;
    struct sender_counts counts;

    dp->is_forgetful = true;
    assert_int_equal(send_chunks(dp, &sender, &counts), SENDER_E_LOST);
}

/* The cuts are those of the unit, wherever it lies in the sender's memory and however it is written. */
static void a_unit_is_cut_as_if_it_were_alone(void **state)
{
    struct dp *dp = *state;
    const struct sender_options options = options_of(dp);
    OWN(sender_freep) struct sender *sender = NULL;
    const size_t size = (size_t)3 * SENDER_ROOM_MAX + 12345;
    OWN(freep) uint8_t *unit = malloc(size);
    struct sender_counts counts;
    struct bytes src = {unit, size};
    struct bytes rows;
    struct cut cut;

    assert_non_null(unit);
    random_bytes(unit, size);
    cut_init(&cut);
    assert_int_equal(sender_new(&options, &sender), 0);
    for (size_t at = 0; at < size;) {
        size_t n = at == 0 ? 40 : 777777;
        uint8_t *room = NULL;

        n = n < size - at ? n : size - at;
        assert_int_equal(sender_room(sender, n, &room), 0);
        memcpy(room, unit + at, n);
        assert_int_equal(sender_put(sender, n), 0);
        at += n;
    }
    assert_int_equal(sender_end_unit(sender), 0);
    assert_int_equal(sender_end(sender, &counts, &rows), 0);
    while (src.len > 0) {
        struct recipe_chunk chunk;
        struct bytes plain;
        uint8_t name[SHA256_BYTES];

        assert_true(recipe_take_chunk(&rows, &chunk));
        assert_int_equal(cut_next(&cut, src, true), chunk.size_bytes);
        assert_true(bytes_take(&src, chunk.size_bytes, &plain));
        assert_int_equal(digest_sha256(plain, name), 0);
        assert_memory_equal(chunk.sha256, name, SHA256_BYTES);
    }
    assert_int_equal(rows.len, 0);
}

/* More small units than one question may have. */
static void tiny_units_are_chunks_of_their_own(void **state)
{
    struct dp *dp = *state;
    const struct sender_options options = options_of(dp);
    OWN(sender_freep) struct sender *sender = NULL;
    struct sender_counts counts;
    struct bytes rows;

    assert_int_equal(sender_new(&options, &sender), 0);
    for (uint32_t i = 0; i < N_TINY; i++)
        assert_int_equal(put_unit(sender, (const uint8_t *)&i, sizeof(i)), 0);
    assert_int_equal(sender_position(sender), N_TINY);
    assert_int_equal(sender_end(sender, &counts, &rows), 0);
    assert_int_equal(counts.n_chunks, N_TINY);
    assert_int_equal(dp->n_chunks, N_TINY);
}

static bool always(void *ctx)
{
    (void)ctx;
    return true;
}

static void who_is_told_to_stop_stops(void **state)
{
    struct dp *dp = *state;
    struct sender_options options = options_of(dp);
    OWN(sender_freep) struct sender *sender = NULL;
    uint8_t *room;

    options.is_stopped = always;
    assert_int_equal(sender_new(&options, &sender), 0);
    assert_int_equal(sender_room(sender, 1, &room), SENDER_E_STOPPED);
}

static void a_sender_that_is_given_up_ends(void **state)
{
    struct dp *dp = *state;
    const struct sender_options options = options_of(dp);
    OWN(sender_freep) struct sender *sender = NULL;

    assert_int_equal(sender_new(&options, &sender), 0);
    assert_int_equal(put_unit(sender, (const uint8_t *)"abc", 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_there_is_sent_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_busy_is_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_is_refused_ends_no_capture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_token_that_is_refused_for_good_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_has_no_room_is_believed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_lost_there_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_unit_is_cut_as_if_it_were_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tiny_units_are_chunks_of_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_told_to_stop_stops, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sender_that_is_given_up_ends, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
