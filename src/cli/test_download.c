/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/download.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "rt/http_server.h"

enum {
    FILE_BYTES = 1000,
    PART_BYTES = 300,
    TEXT_MAX_BYTES = 256,
};

/* A distribution point with one export, that has its bad days. */
struct dp {
    char folder[TEXT_MAX_BYTES];
    char socket[TEXT_MAX_BYTES + 16];
    char target[TEXT_MAX_BYTES + 16];
    char part[TEXT_MAX_BYTES + 64];
    struct http_server *server;
    pthread_t thread;
    uint8_t content[FILE_BYTES];
    uint8_t sha256[SHA256_BYTES];
    unsigned n_gets;
    uint64_t first_asked; /* offset of the first request */
    unsigned fail_at;     /* this GET is answered 503 (counted from 1) */
    bool fails_always;
    bool is_gone;     /* 404 */
    bool sends_whole; /* 200 */
    bool sends_less;  /* one byte is missing */
};

static int on_get(void *ctx, struct http_exchange *x)
{
    struct dp *dp = ctx;
    const char *range = http_header(x, "Range");
    const char *dash = range ? strchr(range, '-') : NULL;
    uint64_t first = 0;
    uint64_t last = 0;

    dp->n_gets++;
    if (dp->is_gone)
        return http_reply_problem(x, 404, "SLW-0310", "No such export", "%s", "");
    if (dp->fails_always || dp->n_gets == dp->fail_at)
        return http_reply_empty(x, 503);
    if (!dash || strncmp(range, "bytes=", 6) != 0 ||
        !bytes_parse_u64((struct bytes){(const uint8_t *)range + 6, (size_t)(dash - range) - 6},
                         0,
                         FILE_BYTES - 1,
                         &first) ||
        !bytes_parse_u64(bytes_of(dash + 1), first, FILE_BYTES - 1, &last))
        return http_reply_empty(x, 416);
    if (dp->n_gets == 1)
        dp->first_asked = first;
    if (dp->sends_whole)
        return http_reply_bytes(
            x, 200, "application/octet-stream", (struct bytes){dp->content, FILE_BYTES});
    return http_reply_bytes(
        x,
        206,
        "application/octet-stream",
        (struct bytes){dp->content + first, (size_t)(last - first) + 1 - dp->sends_less});
}

static const struct http_route routes[] = {
    {"GET", "/api/v1/exports/{id}", 0, on_get},
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
    char hex[SHA256_TEXT_MAX];

    assert_non_null(dp);
    for (size_t i = 0; i < FILE_BYTES; i++)
        dp->content[i] = (uint8_t)(i * 7 + i / 256);
    assert_int_equal(digest_sha256((struct bytes){dp->content, FILE_BYTES}, dp->sha256), 0);
    hex_put(hex, (struct bytes){dp->sha256, SHA256_BYTES});
    (void)snprintf(dp->folder, sizeof(dp->folder), "/tmp/test_download.XXXXXX");
    assert_non_null(mkdtemp(dp->folder));
    (void)snprintf(dp->socket, sizeof(dp->socket), "%s/dp.sock", dp->folder);
    (void)snprintf(dp->target, sizeof(dp->target), "%s/a.wim", dp->folder);
    (void)snprintf(dp->part, sizeof(dp->part), "%s.%.16s.part", dp->target, hex);
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

static void count(void *ctx, const struct download *d)
{
    uint64_t *most = ctx;

    assert_true(d->offset >= *most && d->offset <= d->size_bytes);
    *most = d->offset;
}

static int fetch(struct dp *dp, unsigned *ret_status)
{
    const struct http_client_options options = {.base_url = "http://dp", .unix_socket = dp->socket};
    struct http_client *client = NULL;
    uint64_t most = 0;
    int r;
    struct download d = {
        .path = "/api/v1/exports/1",
        .target = dp->target,
        .size_bytes = FILE_BYTES,
        .part_bytes = PART_BYTES,
        .retry_us = 1,
        .on_progress = count,
        .ctx = &most,
    };

    memcpy(d.sha256, dp->sha256, SHA256_BYTES);
    assert_int_equal(http_client_new(&options, &client), 0);
    d.client = client;
    r = download_run(&d);
    *ret_status = d.answer.status;
    http_answer_fini(&d.answer);
    http_client_free(client);
    return r;
}

static void assert_whole(const struct dp *dp)
{
    OWN(buf_fini) struct buf got = BUF_INIT(FILE_BYTES + 1);

    assert_int_equal(file_read(dp->target, &got), 0);
    assert_int_equal(got.len, FILE_BYTES);
    assert_memory_equal(got.ptr, dp->content, FILE_BYTES);
    assert_false(file_exists(dp->part));
}

static void run_fetches_the_file_in_parts(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    assert_int_equal(fetch(dp, &status), 0);
    assert_whole(dp);
    assert_int_equal(dp->n_gets, 4);
}

static void run_goes_on_with_what_an_earlier_run_left(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    assert_int_equal(file_write(dp->part, (struct bytes){dp->content, 450}, 0600), 0);
    assert_int_equal(fetch(dp, &status), 0);
    assert_whole(dp);
    assert_int_equal(dp->first_asked, 450);
    assert_int_equal(dp->n_gets, 2);
}

static void run_needs_no_site_for_what_is_there_in_full(void **state)
{
    struct dp *dp = *state;
    uint8_t longer[FILE_BYTES + 5] = {0};
    unsigned status;

    memcpy(longer, dp->content, FILE_BYTES);
    assert_int_equal(file_write(dp->part, (struct bytes){longer, sizeof(longer)}, 0600), 0);
    assert_int_equal(fetch(dp, &status), 0);
    assert_whole(dp);
    assert_int_equal(dp->n_gets, 0);
}

static void run_asks_again_for_a_part_that_did_not_come(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    dp->fail_at = 2;
    assert_int_equal(fetch(dp, &status), 0);
    assert_whole(dp);
    assert_int_equal(dp->n_gets, 5);
}

static void run_gives_up_in_the_end_and_keeps_what_came(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    dp->fails_always = true;
    assert_int_equal(fetch(dp, &status), DOWNLOAD_E_UNREACHABLE);
    assert_int_equal(dp->n_gets, DOWNLOAD_TRIES_MAX);
    assert_true(file_exists(dp->part));
    assert_false(file_exists(dp->target));
}

static void run_hands_over_what_a_refusal_said(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    dp->is_gone = true;
    assert_int_equal(fetch(dp, &status), DOWNLOAD_E_REFUSED);
    assert_int_equal(status, 404);
}

static void run_takes_no_other_bytes_than_it_asked_for(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    dp->sends_whole = true;
    assert_int_equal(fetch(dp, &status), DOWNLOAD_E_CONFUSED);
    dp->sends_whole = false;
    dp->sends_less = true;
    assert_int_equal(fetch(dp, &status), DOWNLOAD_E_CONFUSED);
    assert_false(file_exists(dp->target));
}

static void run_keeps_nothing_that_is_not_what_the_site_made(void **state)
{
    struct dp *dp = *state;
    unsigned status;

    dp->content[777] ^= 1;
    assert_int_equal(file_write(dp->target, bytes_of("old"), 0600), 0);
    assert_int_equal(fetch(dp, &status), DOWNLOAD_E_CORRUPT);
    assert_false(file_exists(dp->part));

    OWN(buf_fini) struct buf old = BUF_INIT(16);

    assert_int_equal(file_read(dp->target, &old), 0);
    assert_string_equal(buf_str(&old), "old");
    dp->content[777] ^= 1;
    assert_int_equal(fetch(dp, &status), 0);
    assert_whole(dp);
}

#define WITH_DP(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DP(run_fetches_the_file_in_parts),
        WITH_DP(run_goes_on_with_what_an_earlier_run_left),
        WITH_DP(run_needs_no_site_for_what_is_there_in_full),
        WITH_DP(run_asks_again_for_a_part_that_did_not_come),
        WITH_DP(run_gives_up_in_the_end_and_keeps_what_came),
        WITH_DP(run_hands_over_what_a_refusal_said),
        WITH_DP(run_takes_no_other_bytes_than_it_asked_for),
        WITH_DP(run_keeps_nothing_that_is_not_what_the_site_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
