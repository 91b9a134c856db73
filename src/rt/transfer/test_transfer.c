/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/transfer/transfer.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/frame.h"
#include "tests/dp.h"

enum {
    N_PACKS = 40,
    PACK_BYTES = 3000,
    WINDOW_BYTES = 40 * 1000, /* about nine packs */
    GOT_MAX = 1024 * 1024,
};

/* What a test asks of a source, and what came of it. */
struct bench {
    struct dp *dp;
    struct transfer_options options;
    struct transfer_report report;
    struct buf got;
    unsigned n_bad[TRANSFER_FAULT_COUNT][DP_SOURCES];
    char bad_what[128];
    unsigned source;        /* of the fault */
    unsigned before;        /* requests up to this one get it */
    char path[DP_PATH_MAX]; /* of the fault; "": of every pack */
    enum dp_fault fault;
    size_t stop_after;
    size_t n_taken;
};

static void on_bad(void *ctx, const struct transfer_bad *bad)
{
    struct bench *b = ctx;

    b->n_bad[bad->fault][bad->source[strlen("http://dp")] - '0']++;
    (void)snprintf(b->bad_what, sizeof(b->bad_what), "%s", bad->what);
}

static enum dp_fault on_request(void *ctx, unsigned source, const char *path, unsigned nth)
{
    const struct bench *b = ctx;
    bool is_meant =
        b->path[0] != '\0' ? strcmp(path, b->path) == 0 : strncmp(path, "/content/packs/", 15) == 0;

    return is_meant && source == b->source && nth < b->before ? b->fault : DP_NONE;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    if (!b)
        return -1;
    b->dp = dp_start();
    if (!b->dp)
        return -1;
    b->got = BUF_INIT(GOT_MAX);
    b->before = UINT32_MAX;
    b->stop_after = SIZE_MAX;
    b->dp->fault = on_request;
    b->dp->ctx = b;
    b->options = (struct transfer_options){
        .sources = b->dp->sources,
        .n_sources = 1,
        .unix_socket = b->dp->socket_path,
        .bad_source = on_bad,
        .ctx = b,
    };
    dp_put_content(b->dp, N_PACKS, PACK_BYTES, true);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    dp_stop(b->dp);
    buf_fini(&b->got);
    free(b);
    return 0;
}

static int keep(void *ctx, const struct transfer_piece *piece)
{
    struct bench *b = ctx;

    assert_int_equal(piece->run, b->n_taken++);
    buf_add(&b->got, piece->plain);
    return b->n_taken > b->stop_after ? 7 : 0;
}

static int run_job(struct bench *b, const struct transfer_job *job)
{
    OWN(transfer_freep) struct transfer *t = NULL;
    OWN(manifest_fini) struct manifest manifest = {0};
    struct transfer_job whole;
    int r;

    assert_int_equal(transfer_new(&b->options, &b->report, &t), 0);
    r = transfer_get_manifest(t, b->dp->manifest_id, &manifest);
    if (r != 0)
        return r;
    whole = (struct transfer_job){.packs = manifest.packs,
                                  .n_packs = manifest.n_packs,
                                  .runs = manifest.runs,
                                  .n_runs = manifest.n_runs,
                                  .keeps_frames = job->keeps_frames,
                                  .take = job->take,
                                  .ctx = b};
    return transfer_packs(t, &whole);
}

static int run(struct bench *b)
{
    return run_job(b, &(struct transfer_job){.take = keep});
}

static void assert_all_there(const struct bench *b)
{
    assert_int_equal(b->got.len, b->dp->content.len);
    assert_memory_equal(b->got.ptr, b->dp->content.ptr, b->got.len);
    assert_string_equal(b->report.why, "");
}

static void packs_deliver_runs_in_order_and_load_each_pack_once(void **state)
{
    struct bench *b = *state;

    assert_int_equal(run(b), 0);
    assert_all_there(b);
    for (size_t i = 0; i < N_PACKS; i++)
        assert_int_equal(dp_count_pack(b->dp, i), 1);
    assert_int_equal(b->report.n_packs, N_PACKS);
    assert_int_equal(b->report.write.bytes, b->dp->content.len);
    assert_in_range(b->dp->n_connections, 1, 7); /* they stay open */
}

static void packs_stay_within_their_memory_and_load_again_what_had_no_room(void **state)
{
    struct bench *b = *state;

    b->options.window_bytes = WINDOW_BYTES;
    assert_int_equal(run(b), 0);
    assert_all_there(b);
    assert_in_range(b->report.peak_bytes, 1, WINDOW_BYTES);
    assert_in_range(b->report.n_packs, N_PACKS + 1, N_PACKS + N_PACKS);
}

static void packs_come_even_if_one_alone_is_more_than_the_memory(void **state)
{
    struct bench *b = *state;

    b->options.window_bytes = 1;
    assert_int_equal(run(b), 0);
    assert_all_there(b);
}

static void packs_of_a_bad_source_come_from_the_next_and_it_is_reported(void **state)
{
    static const struct {
        enum dp_fault fault;
        enum transfer_fault told;
    } cases[] = {
        {DP_CUT, TRANSFER_FAULT_BROKEN},
        {DP_TRUNCATE, TRANSFER_FAULT_BROKEN},
        {DP_SHORT, TRANSFER_FAULT_DAMAGED},
        {DP_LONG, TRANSFER_FAULT_DAMAGED},
        {DP_DAMAGE, TRANSFER_FAULT_DAMAGED},
        {DP_MISSING, TRANSFER_FAULT_MISSING},
        {DP_BUSY, TRANSFER_FAULT_BROKEN},
        {DP_REDIRECT, TRANSFER_FAULT_MISSING},
    };
    struct bench *b = *state;

    b->options.n_sources = 2;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        b->fault = cases[i].fault;
        b->n_taken = 0;
        buf_clear(&b->got);
        memset(b->n_bad, 0, sizeof(b->n_bad));
        assert_int_equal(run(b), 0);
        assert_all_there(b);
        assert_true(b->n_bad[cases[i].told][0] > 0);
        assert_int_equal(b->n_bad[cases[i].told][1], 0);
        assert_memory_equal(b->bad_what, "pack ", 5);
    }
}

static void packs_are_asked_for_once_more_at_the_only_source(void **state)
{
    static const enum dp_fault faults[] = {DP_SHORT, DP_LONG, DP_DAMAGE, DP_MISSING, DP_TRUNCATE};
    struct bench *b = *state;

    dp_pack_path(b->dp, 17, b->path);
    for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        b->fault = faults[i];
        b->before = 2 * i + 1;
        b->n_taken = 0;
        buf_clear(&b->got);
        assert_int_equal(run(b), 0);
        assert_all_there(b);
        assert_int_equal(dp_count(b->dp, b->path), 2 * i + 2);
    }
}

static void packs_fail_when_every_source_was_wrong_twice_and_say_which(void **state)
{
    struct bench *b = *state;

    dp_pack_path(b->dp, 17, b->path);
    b->fault = DP_DAMAGE;
    b->options.n_sources = 2;
    for (size_t i = 0; i < b->dp->n_files; i++) /* the second one does not have it */
        if (strcmp(b->dp->files[i].path, b->path) == 0)
            b->dp->files[i].body.ptr[30] ^= 1;
    assert_int_equal(run(b), TRANSFER_E_CONTENT);
    assert_int_equal(dp_count(b->dp, b->path), 4);
    assert_non_null(strstr(b->report.why, strrchr(b->path, '/') + 1));
    assert_non_null(strstr(b->report.why, "http://dp0, http://dp1"));
    assert_memory_equal(b->got.ptr ? b->got.ptr : "", b->dp->content.ptr, b->got.len);
    assert_true(b->got.len < b->dp->content.len);
}

static void a_bad_manifest_comes_from_the_next_source(void **state)
{
    struct bench *b = *state;
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){b->dp->manifest_id, SHA256_BYTES});
    (void)snprintf(b->path, sizeof(b->path), "/content/manifests/%s", name);
    b->fault = DP_DAMAGE;
    assert_int_equal(run(b), TRANSFER_E_CONTENT);
    assert_non_null(strstr(b->report.why, name));
    b->options.n_sources = 2;
    assert_int_equal(run(b), 0);
    assert_all_there(b);
}

static void equally_good_sources_share_the_work(void **state)
{
    struct bench *b = *state;

    b->dp->pause_us = 200;
    b->options.n_sources = 2;
    assert_int_equal(run(b), 0);
    assert_int_equal(b->dp->n_requests[1], 0);
    b->options.n_shared = 2;
    b->n_taken = 0;
    buf_clear(&b->got);
    assert_int_equal(run(b), 0);
    assert_all_there(b);
    assert_in_range(b->dp->n_requests[1], N_PACKS / 4, (uint64_t)3 * N_PACKS / 4);
}

static void nobody_there_is_unreachable_after_the_time_given(void **state)
{
    struct bench *b = *state;

    b->options.give_up_us = 1;
    b->options.unix_socket = "/tmp/slipway-test-transfer-nobody";
    assert_int_equal(run(b), TRANSFER_E_UNREACHABLE);
    assert_non_null(strstr(b->report.why, "http://dp0"));
}

static void a_source_that_dies_in_the_middle_is_unreachable_and_the_pack_is_named(void **state)
{
    struct bench *b = *state;

    dp_pack_path(b->dp, 30, b->path);
    b->fault = DP_STALL;
    b->options.give_up_us = 20000;
    assert_int_equal(run(b), TRANSFER_E_UNREACHABLE);
    assert_non_null(strstr(b->report.why, strrchr(b->path, '/') + 1));
}

static void the_caller_may_have_enough(void **state)
{
    struct bench *b = *state;

    b->stop_after = 5;
    assert_int_equal(run(b), TRANSFER_E_CONSUMER);
    assert_int_equal(b->n_taken, 6);
}

static bool cancel(void *ctx, const struct transfer_progress *progress)
{
    (void)ctx, (void)progress;
    return false;
}

static void people_may_cancel_while_nothing_comes(void **state)
{
    struct bench *b = *state;
    uint64_t begun_us = clock_monotonic_us();

    b->fault = DP_STALL;
    b->options.progress = cancel;
    assert_int_equal(run(b), TRANSFER_E_CANCELLED);
    assert_true(clock_monotonic_us() - begun_us < (uint64_t)2 * 1000 * 1000);
}

static int check_frame(void *ctx, const struct transfer_piece *piece)
{
    struct bench *b = ctx;

    assert_int_equal(piece->frame.len, piece->pack->stored_bytes);
    return keep(b, piece);
}

static void frames_are_kept_for_whoever_wants_them(void **state)
{
    struct bench *b = *state;

    assert_int_equal(run_job(b, &(struct transfer_job){.take = check_frame, .keeps_frames = true}),
                     0);
    assert_all_there(b);
}

static void a_rate_limit_is_kept_to(void **state)
{
    struct bench *b = *state;
    _Atomic uint64_t limit = 1000000;
    uint64_t begun_us = clock_monotonic_us();

    b->options.rate_limit_bytes_per_s = &limit;
    assert_int_equal(run(b), 0);
    assert_all_there(b);

    uint64_t passed_us = clock_monotonic_us() - begun_us;
    uint64_t least_us =
        b->report.network.bytes - (uint64_t)2 * PACK_BYTES; /* the last is not waited for */

    assert_true(passed_us >= least_us * 9 / 10);
}

static void without_a_source_it_says_so(void **state)
{
    struct bench *b = *state;
    struct transfer_job job = {
        .packs = b->dp->manifest.packs, .n_packs = 1, .runs = b->dp->manifest.runs, .n_runs = 1};
    OWN(transfer_freep) struct transfer *t = NULL;

    b->options.n_sources = 0;
    assert_int_equal(run(b), TRANSFER_E_CONTENT);
    assert_non_null(strstr(b->report.why, "no source"));
    assert_int_equal(transfer_new(&b->options, &b->report, &t), 0);
    assert_int_equal(transfer_packs(t, &job), TRANSFER_E_CONTENT);
}

/* Of three packs the first is here, the second is not, and the third is not what it was. */
static bool find_here(void *ctx, const struct manifest_pack *pack, uint8_t *ret)
{
    const struct bench *b = ctx;
    size_t i = 0;

    while (memcmp(b->dp->manifest.packs[i].sha256, pack->sha256, SHA256_BYTES) != 0)
        i++;
    if (frame_unpack(buf_bytes(&b->dp->files[i].body), pack->plain_bytes, ret) != 0)
        return false;
    if (i % 3 == 2)
        ret[pack->plain_bytes / 2] ^= 1;
    return i % 3 != 1;
}

static void packs_on_this_machine_are_not_loaded_if_they_are_what_they_should_be(void **state)
{
    struct bench *b = *state;

    b->options.local = find_here;
    b->options.local_ctx = b;
    assert_int_equal(run(b), 0);
    assert_all_there(b);
    for (size_t i = 0; i < N_PACKS; i++)
        assert_int_equal(dp_count_pack(b->dp, i), i % 3 == 0 ? 0 : 1);
    assert_int_equal(b->report.local_bytes,
                     (uint64_t)(N_PACKS + 2) / 3 * b->dp->manifest.packs[0].plain_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            packs_deliver_runs_in_order_and_load_each_pack_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            packs_stay_within_their_memory_and_load_again_what_had_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            packs_come_even_if_one_alone_is_more_than_the_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            packs_of_a_bad_source_come_from_the_next_and_it_is_reported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            packs_are_asked_for_once_more_at_the_only_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            packs_fail_when_every_source_was_wrong_twice_and_say_which, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_bad_manifest_comes_from_the_next_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equally_good_sources_share_the_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            nobody_there_is_unreachable_after_the_time_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_source_that_dies_in_the_middle_is_unreachable_and_the_pack_is_named,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(the_caller_may_have_enough, set_up, tear_down),
        cmocka_unit_test_setup_teardown(people_may_cancel_while_nothing_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(frames_are_kept_for_whoever_wants_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rate_limit_is_kept_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_source_it_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            packs_on_this_machine_are_not_loaded_if_they_are_what_they_should_be,
            set_up,
            tear_down),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* or a closed connection ends it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
