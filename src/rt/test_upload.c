/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/upload.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"
#include "rt/http_server.h"

enum {
    FILE_BYTES = 1000,
    PART_BYTES = 300,
    TEXT_MAX_BYTES = 256,
};

/* A distribution point that keeps one upload in memory and has its bad days. */
struct dp {
    char folder[TEXT_MAX_BYTES];
    char socket[TEXT_MAX_BYTES + 16];
    struct http_server *server;
    pthread_t thread;
    uint8_t got[FILE_BYTES];
    uint64_t n_got;
    unsigned n_patches;
    unsigned lose_answer_of; /* this PATCH is kept, but answered 503 (counted from 1) */
    unsigned fail_at;        /* this PATCH is answered 503 and not kept */
    bool fails_always;
    bool is_gone;  /* 404 */
    bool is_lying; /* 204 with an offset that never grows */
};

static void add_offset(struct http_exchange *x, uint64_t offset)
{
    char text[TEXT_MAX_BYTES];

    (void)snprintf(text, sizeof(text), "%" PRIu64, offset);
    assert_int_equal(http_add_header(x, "Upload-Offset", text), 0);
}

static int on_head(void *ctx, struct http_exchange *x)
{
    struct dp *dp = ctx;

    if (dp->is_gone)
        return http_reply_problem(x, 404, "SLW-0310", "No such upload", "%s", "");
    add_offset(x, dp->n_got);
    return http_reply_empty(x, 200);
}

static int on_patch(void *ctx, struct http_exchange *x)
{
    struct dp *dp = ctx;
    struct bytes body = http_body(x);
    const char *header = http_header(x, "Upload-Offset");
    uint64_t offset;

    dp->n_patches++;
    if (dp->is_gone)
        return http_reply_problem(x, 404, "SLW-0310", "No such upload", "%s", "");
    if (dp->fails_always || dp->n_patches == dp->fail_at)
        return http_reply_empty(x, 503);
    if (!header || !bytes_parse_u64(bytes_of(header), 0, FILE_BYTES, &offset))
        return http_reply_empty(x, 400);
    if (dp->is_lying) {
        add_offset(x, 0);
        return http_reply_empty(x, 204);
    }
    if (offset != dp->n_got || body.len > FILE_BYTES - offset) {
        add_offset(x, dp->n_got);
        return http_reply_empty(x, 409);
    }
    memcpy(dp->got + offset, body.ptr, body.len);
    dp->n_got += body.len;
    if (dp->n_patches == dp->lose_answer_of)
        return http_reply_empty(x, 503);
    add_offset(x, dp->n_got);
    return http_reply_empty(x, 204);
}

static const struct http_route routes[] = {
    {"HEAD", "/api/v1/uploads/{id}", 0, on_head},
    {"PATCH", "/api/v1/uploads/{id}", PART_BYTES, on_patch},
    {NULL, NULL, 0, NULL},
};

static void *serve(void *arg)
{
    struct dp *dp = arg;

    (void)http_server_run(dp->server);
    return NULL;
}

static int start(void **state)
{
    struct dp *dp = calloc(1, sizeof(*dp));

    assert_non_null(dp);
    (void)snprintf(dp->folder, sizeof(dp->folder), "/tmp/test_upload.XXXXXX");
    assert_non_null(mkdtemp(dp->folder));
    (void)snprintf(dp->socket, sizeof(dp->socket), "%s/dp.sock", dp->folder);
    const struct http_server_options options = {
        .socket_path = dp->socket, .socket_mode = 0600, .routes = routes, .ctx = dp};

    assert_int_equal(http_server_new(&options, &dp->server), 0);
    assert_int_equal(pthread_create(&dp->thread, NULL, serve, dp), 0);
    *state = dp;
    return 0;
}

static int stop(void **state)
{
    struct dp *dp = *state;

    http_server_stop(dp->server);
    assert_int_equal(pthread_join(dp->thread, NULL), 0);
    http_server_free(dp->server);
    assert_int_equal(dir_remove(dp->folder), 0);
    free(dp);
    return 0;
}

static void count(void *ctx, uint64_t done_bytes)
{
    uint64_t *most = ctx;

    assert_true(done_bytes >= *most);
    *most = done_bytes;
}

static uint8_t content_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 256);
}

static int make_file(void)
{
    int fd = memfd_create("upload", MFD_CLOEXEC);
    uint8_t content[FILE_BYTES];

    assert_true(fd >= 0);
    for (size_t i = 0; i < FILE_BYTES; i++)
        content[i] = content_at(i);
    assert_int_equal(fd_write_all(fd, (struct bytes){content, FILE_BYTES}), 0);
    return fd;
}

/* Send the file as from @offset on (UINT64_MAX: ask first). */
static int send_file(struct dp *dp, uint64_t offset, uint64_t size_bytes, unsigned *ret_status)
{
    const struct http_client_options options = {.base_url = "http://dp", .unix_socket = dp->socket};
    OWN(fd_closep) int fd = make_file();
    struct http_client *client = NULL;
    uint64_t most = 0;
    int r = 0;
    struct upload u = {
        .path = "/api/v1/uploads/1",
        .fd = fd,
        .size_bytes = size_bytes,
        .part_bytes = PART_BYTES,
        .retry_us = 1,
        .on_progress = count,
        .ctx = &most,
        .offset = offset,
    };

    assert_int_equal(http_client_new(&options, &client), 0);
    u.client = client;
    if (offset == UINT64_MAX)
        r = upload_find(&u);
    if (r == 0)
        r = upload_run(&u);
    *ret_status = u.answer.status;
    http_answer_fini(&u.answer);
    http_client_free(client);
    if (r == 0)
        assert_int_equal(u.offset, size_bytes);
    return r;
}

static void assert_whole(const struct dp *dp)
{
    assert_int_equal(dp->n_got, FILE_BYTES);
    for (size_t i = 0; i < FILE_BYTES; i++)
        assert_int_equal(dp->got[i], content_at(i));
}

static void run_sends_the_file_in_parts(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    assert_int_equal(send_file(dp, 0, FILE_BYTES, &status), 0);
    assert_whole(dp);
    assert_int_equal(dp->n_patches, 4);
}

static void run_goes_on_where_an_earlier_run_stopped(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    for (size_t i = 0; i < 450; i++)
        dp->got[i] = content_at(i);
    dp->n_got = 450;
    assert_int_equal(send_file(dp, UINT64_MAX, FILE_BYTES, &status), 0);
    assert_whole(dp);
    assert_int_equal(dp->n_patches, 2);
}

static void run_sends_a_part_again_that_did_not_arrive(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    dp->fail_at = 2;
    assert_int_equal(send_file(dp, 0, FILE_BYTES, &status), 0);
    assert_whole(dp);
    assert_int_equal(dp->n_patches, 5);
}

static void run_does_not_send_a_part_again_whose_answer_was_lost(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    dp->lose_answer_of = 2;
    assert_int_equal(send_file(dp, 0, FILE_BYTES, &status), 0);
    assert_whole(dp);
    assert_int_equal(dp->n_patches, 4);
}

static void run_believes_the_site_about_the_offset(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    assert_int_equal(send_file(dp, 600, FILE_BYTES, &status), 0);
    assert_whole(dp);
}

static void run_gives_up_in_the_end(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    dp->fails_always = true;
    assert_int_equal(send_file(dp, 0, FILE_BYTES, &status), UPLOAD_E_UNREACHABLE);
    assert_int_equal(dp->n_patches, UPLOAD_TRIES_MAX);
}

static void run_does_not_go_round_with_a_site_that_forgets(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    dp->is_lying = true;
    assert_int_equal(send_file(dp, 0, FILE_BYTES, &status), UPLOAD_E_CONFUSED);
    assert_int_equal(dp->n_patches, UPLOAD_TRIES_MAX);
}

static void run_hands_over_what_a_refusal_said(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    dp->is_gone = true;
    assert_int_equal(send_file(dp, 0, FILE_BYTES, &status), UPLOAD_E_REFUSED);
    assert_int_equal(status, 404);
    assert_int_equal(send_file(dp, UINT64_MAX, FILE_BYTES, &status), UPLOAD_E_REFUSED);
}

static void run_notices_a_file_that_became_shorter(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    assert_int_equal(send_file(dp, 0, FILE_BYTES + 1, &status), UPLOAD_E_FILE);
}

#define WITH_DP(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DP(run_sends_the_file_in_parts),
        WITH_DP(run_goes_on_where_an_earlier_run_stopped),
        WITH_DP(run_sends_a_part_again_that_did_not_arrive),
        WITH_DP(run_does_not_send_a_part_again_whose_answer_was_lost),
        WITH_DP(run_believes_the_site_about_the_offset),
        WITH_DP(run_gives_up_in_the_end),
        WITH_DP(run_does_not_go_round_with_a_site_that_forgets),
        WITH_DP(run_hands_over_what_a_refusal_said),
        WITH_DP(run_notices_a_file_that_became_shorter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
