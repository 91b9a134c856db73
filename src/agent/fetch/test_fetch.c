/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/fetch.h"

#include <pthread.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "tests/dp.h"

enum {
    N_PACKS = 40,
    PACK_BYTES = 1000,
    GOT_MAX = 1024 * 1024,
};

static int set_up(void **state)
{
    struct dp *dp = dp_start();

    if (!dp)
        return -1;
    dp_put_content(dp, N_PACKS, PACK_BYTES, true);
    *state = dp;
    return 0;
}

static int tear_down(void **state)
{
    dp_stop(*state);
    return 0;
}

static struct transfer_options options_of(const struct dp *dp)
{
    return (struct transfer_options){
        .sources = dp->sources, .n_sources = 1, .unix_socket = dp->socket_path};
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

/* @is_down: after a failure the network is up again, and it goes on; NULL: it does not. */
static int stream_again(const struct transfer_options *options,
                        const struct dp *dp,
                        _Atomic bool *is_down,
                        struct buf *ret_got,
                        struct transfer_report *ret)
{
    const struct fetch_content content = {dp->manifest_id, dp->content.len};
    struct reader reader = {.got = BUF_INIT(GOT_MAX)};
    pthread_t thread;
    int ends[2];
    int r;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    reader.fd = ends[1];
    assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);

    struct transfer_options patient = *options;
    struct fetch_reader end = {.fd = ends[0]};

    r = fetch_stream(options, &content, &end, ret);
    if (is_down && r > 0) {
        assert_in_range(end.n_runs, 1, N_PACKS);
        *is_down = false;
        patient.give_up_us = 0;
        r = fetch_stream(&patient, &content, &end, ret);
    }
    (void)close(ends[0]);
    (void)pthread_join(thread, NULL);
    (void)close(ends[1]);
    *ret_got = reader.got;
    return r;
}

static int stream(const struct transfer_options *options,
                  const struct dp *dp,
                  struct buf *ret_got,
                  struct transfer_report *ret)
{
    return stream_again(options, dp, NULL, ret_got, ret);
}

static void stream_delivers_the_content_in_order(void **state)
{
    const struct dp *dp = *state;
    OWN(buf_fini) struct buf got = BUF_INIT(0);
    struct transfer_options options = options_of(dp);
    struct transfer_report report;

    assert_int_equal(stream(&options, dp, &got, &report), 0);
    assert_int_equal(got.len, dp->content.len);
    assert_memory_equal(got.ptr, dp->content.ptr, got.len);
    assert_string_equal(report.why, "");
    assert_int_equal(dp->n_requests[0], N_PACKS + 1);
    assert_non_null(strstr(fetch_bound_by(&report), "took longest"));
}

static enum dp_fault damage_packs(void *ctx, unsigned source, const char *path, unsigned nth)
{
    (void)ctx, (void)source, (void)nth;
    return strncmp(path, "/content/packs/", 15) == 0 ? DP_DAMAGE : DP_NONE;
}

static void stream_delivers_nothing_that_is_damaged(void **state)
{
    struct dp *dp = *state;
    OWN(buf_fini) struct buf got = BUF_INIT(0);
    struct transfer_options options = options_of(dp);
    struct transfer_report report;

    dp->fault = damage_packs;
    assert_int_equal(stream(&options, dp, &got, &report), TRANSFER_E_CONTENT);
    assert_non_null(strstr(report.why, "http://dp0"));
    assert_int_equal(got.len, 0);
}

enum {
    GOOD_PACKS = 20, /* what is behind them does not arrive while the network is down */
    PATIENCE_US = 500 * 1000,
};

struct cable {
    struct dp *dp;
    _Atomic bool is_down;
};

static enum dp_fault cut_connections(void *ctx, unsigned source, const char *path, unsigned nth)
{
    const struct cable *cable = ctx;
    char wanted[DP_PATH_MAX];

    (void)source;
    dp_pack_path(cable->dp, GOOD_PACKS, wanted);
    if (!cable->is_down || strcmp(path, wanted) != 0)
        return DP_NONE;
    return nth % 2 == 0 ? DP_CUT : DP_TRUNCATE;
}

static void a_stream_that_broke_off_goes_on_where_it_was(void **state)
{
    struct dp *dp = *state;
    OWN(buf_fini) struct buf got = BUF_INIT(0);
    struct transfer_options options = options_of(dp);
    struct transfer_report report;
    struct cable cable = {.dp = dp, .is_down = true};

    options.give_up_us = PATIENCE_US;
    dp->fault = cut_connections;
    dp->ctx = &cable;
    assert_int_equal(stream(&options, dp, &got, &report), TRANSFER_E_UNREACHABLE);
    assert_in_range(got.len, 1, dp->content.len - 1);
    buf_fini(&got);

    /* what is sent twice, or left out, would make it another content */
    assert_int_equal(stream_again(&options, dp, &cable.is_down, &got, &report), 0);
    assert_false(cable.is_down);
    assert_int_equal(got.len, dp->content.len);
    assert_memory_equal(got.ptr, dp->content.ptr, got.len);
}

static void stream_notices_that_its_reader_is_gone(void **state)
{
    const struct dp *dp = *state;
    struct transfer_options options = options_of(dp);
    struct transfer_report report;
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    (void)close(ends[1]);

    const struct fetch_content content = {dp->manifest_id, dp->content.len};
    struct fetch_reader end = {.fd = ends[0]};

    assert_int_equal(fetch_stream(&options, &content, &end, &report), TRANSFER_E_CONSUMER);
    (void)close(ends[0]);
}

static bool cancel(void *ctx, const struct transfer_progress *progress)
{
    (void)ctx;
    return progress->done_bytes == UINT64_MAX;
}

static void stream_can_be_cancelled_while_its_reader_does_not_read(void **state)
{
    const struct dp *dp = *state;
    struct transfer_options options = options_of(dp);
    struct transfer_report report;
    int ends[2];
    int size = 4096;

    options.progress = cancel;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);

    const struct fetch_content content = {dp->manifest_id, dp->content.len};
    struct fetch_reader end = {.fd = ends[0]};

    assert_int_equal(fetch_stream(&options, &content, &end, &report), TRANSFER_E_CANCELLED);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void stream_refuses_a_manifest_of_another_size(void **state)
{
    const struct dp *dp = *state;
    struct transfer_options options = options_of(dp);
    struct transfer_report report;

    const struct fetch_content content = {dp->manifest_id, dp->content.len + 1};
    struct fetch_reader nobody = {.fd = -1};

    assert_int_equal(fetch_stream(&options, &content, &nobody, &report), TRANSFER_E_CONTENT);
    assert_non_null(strstr(report.why, "ordered"));
}

static void file_appears_only_when_its_hash_is_right(void **state)
{
    struct dp *dp = *state;
    struct transfer_options options = options_of(dp);
    struct transfer_report report;
    uint8_t sha256[SHA256_BYTES];
    struct fetch_file file = {"/boot/whole", dp->content.len, sha256};
    char path[128];

    dp_put_file(dp, file.path, buf_bytes(&dp->content));
    (void)snprintf(path, sizeof(path), "%s/vmlinuz", dp->root);
    assert_int_equal(digest_sha256(buf_bytes(&dp->content), sha256), 0);
    sha256[0] ^= 1;
    assert_int_equal(fetch_file(&options, &file, path, &report), TRANSFER_E_CONTENT);
    assert_false(file_exists(path));
    sha256[0] ^= 1;
    file.size_bytes--;
    assert_int_equal(fetch_file(&options, &file, path, &report), TRANSFER_E_CONTENT);
    file.size_bytes++;
    assert_int_equal(fetch_file(&options, &file, path, &report), 0);
    assert_true(file_exists(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stream_delivers_the_content_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stream_delivers_nothing_that_is_damaged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_stream_that_broke_off_goes_on_where_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stream_notices_that_its_reader_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            stream_can_be_cancelled_while_its_reader_does_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            stream_refuses_a_manifest_of_another_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            file_appears_only_when_its_hash_is_right, set_up, tear_down),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the agent does, or a closed connection ends it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
