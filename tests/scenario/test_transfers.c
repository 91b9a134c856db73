/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Content from distribution points that are at their worst: seeds that can be played again
 *
 * Three sources answer with all kinds of faults, the memory is anything from one pack to plenty. Whatever
 * happens: every byte is right and in its place, the memory is kept to, each fault is told, and as long as
 * one source is good at last, the content arrives.
 */

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "plat/clock.h"
#include "rt/transfer/transfer.h"
#include "scenario/world.h"
#include "tests/dp.h"

enum {
    N_SEEDS = 24,
    N_SOURCES = 3,
    GOT_MAX = 16 * 1024 * 1024,
    PACK_COST_MAX = 2 * (4000 + 100), /* plain and compressed */
    SECOND_US = 1000 * 1000,
};

struct world {
    struct dp *dp;
    struct transfer_options options;
    struct transfer_report report;
    struct buf got;
    uint64_t seed;
    unsigned fault_percent;
    uint64_t begun_us;
    _Atomic unsigned n_faults;
    _Atomic unsigned n_sure; /* of them, those that must be told */
    unsigned n_told;
    unsigned n_slow;
};

static int keep(void *ctx, const struct transfer_piece *piece)
{
    struct world *w = ctx;

    buf_add(&w->got, piece->plain);
    return 0;
}

static void on_bad(void *ctx, const struct transfer_bad *bad)
{
    struct world *w = ctx;

    w->n_told++;
    w->n_slow += bad->fault == TRANSFER_FAULT_SLOW;
}

/* The same fault for the same request, whatever thread asks when. */
static enum dp_fault by_chance(void *ctx, unsigned source, const char *path, unsigned nth)
{
    static const enum dp_fault faults[] = {
        DP_CUT, DP_TRUNCATE, DP_SHORT, DP_LONG, DP_DAMAGE, DP_MISSING, DP_BUSY, DP_REDIRECT};
    struct world *w = ctx;
    struct chance chance = chance_seeded(w->seed * 131 + (uint64_t)source * 17 + nth);
    enum dp_fault fault;

    for (const char *c = path; *c != '\0'; c++)
        chance.state = chance.state * 31 + (uint8_t)*c;
    (void)chance_next(&chance);
    /* the last one gets it right the second time */
    if ((source == N_SOURCES - 1 && nth > 0) || !chance_percent(&chance, w->fault_percent))
        return DP_NONE;
    fault = faults[chance_below(&chance, sizeof(faults) / sizeof(faults[0]))];
    w->n_faults++;
    w->n_sure += fault != DP_CUT; /* on an old connection libcurl asks again by itself */
    return fault;
}

static struct world start(uint64_t seed, size_t n_packs, size_t pack_bytes)
{
    struct world w = {.dp = dp_start(), .seed = seed, .got = BUF_INIT(GOT_MAX)};

    assert_non_null(w.dp);
    dp_put_content(w.dp, n_packs, pack_bytes, true);
    w.options = (struct transfer_options){.sources = w.dp->sources,
                                          .n_sources = N_SOURCES,
                                          .unix_socket = w.dp->socket_path,
                                          .bad_source = on_bad};
    return w;
}

static void stop(struct world *w)
{
    dp_stop(w->dp);
    buf_fini(&w->got);
}

static int play(struct world *w)
{
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(transfer_freep) struct transfer *t = NULL;
    struct transfer_job job = {.take = keep, .ctx = w};
    int r;

    w->options.ctx = w;
    w->dp->ctx = w;
    w->begun_us = clock_monotonic_us();
    assert_int_equal(transfer_new(&w->options, &w->report, &t), 0);
    r = transfer_get_manifest(t, w->dp->manifest_id, &manifest);
    job.packs = manifest.packs;
    job.n_packs = manifest.n_packs;
    job.runs = manifest.runs;
    job.n_runs = manifest.n_runs;
    return r != 0 ? r : transfer_packs(t, &job);
}

static void assert_all_there(const struct world *w)
{
    assert_int_equal(w->got.len, w->dp->content.len);
    assert_memory_equal(w->got.ptr, w->dp->content.ptr, w->got.len);
    assert_string_equal(w->report.why, "");
}

static void content_arrives_whatever_the_sources_do(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
        struct chance chance = chance_seeded(seed);
        size_t pack_bytes = 3 + chance_below(&chance, 4000 - 3);
        struct world w = start(seed, 1 + chance_below(&chance, 60), pack_bytes);
        int r;

        w.fault_percent = (unsigned)chance_below(&chance, 40);
        w.dp->fault = by_chance;
        w.options.n_shared = chance_below(&chance, N_SOURCES + 1);
        w.options.window_bytes =
            PACK_COST_MAX + chance_below(&chance, (uint64_t)20 * PACK_COST_MAX);
        r = play(&w);
        if (r != 0)
            print_message("seed %u: %s\n", (unsigned)seed, w.report.why);
        assert_int_equal(r, 0);
        assert_all_there(&w);
        assert_in_range(w.report.peak_bytes, 1, w.options.window_bytes);
        assert_true(w.n_told <= w.n_faults + w.n_slow);
        assert_true(w.n_sure == 0 || w.n_told > 0);
        stop(&w);
    }
}

/* Nobody answers for a second: a restart of the server. */
static enum dp_fault while_it_restarts(void *ctx, unsigned source, const char *path, unsigned nth)
{
    struct world *w = ctx;
    uint64_t passed_us = clock_monotonic_us() - w->begun_us;

    (void)source, (void)path, (void)nth;
    return passed_us > 20000 && passed_us < SECOND_US ? DP_CUT : DP_NONE;
}

static void a_source_that_restarts_is_waited_for(void **state)
{
    (void)state;
    struct world w = start(1, 120, 1000);

    w.dp->fault = while_it_restarts;
    w.dp->pause_us = 1000;
    w.options.n_sources = 1;
    assert_int_equal(play(&w), 0);
    assert_all_there(&w);
    assert_true(w.report.n_retries > 0);
    assert_true(w.report.elapsed_us > SECOND_US - 20000);
    stop(&w);
}

/* The best source answers the first part of what it is asked, and then nothing more. */
static enum dp_fault stall_first(void *ctx, unsigned source, const char *path, unsigned nth)
{
    (void)ctx, (void)nth;
    return source == 0 && strncmp(path, "/content/packs/", 15) == 0 ? DP_STALL : DP_NONE;
}

static void a_source_far_slower_than_others_is_left_for_them(void **state)
{
    (void)state;
    struct world w = start(1, 40, 1000);

    w.dp->fault = stall_first;
    w.options.n_sources = 2;
    assert_int_equal(play(&w), 0);
    assert_all_there(&w);
    assert_in_range(w.n_slow, 1, 20);
    assert_int_equal(w.report.n_slow, w.n_slow);
    assert_true(w.report.elapsed_us < (uint64_t)15 * SECOND_US); /* a stall is one after 20 s */
    stop(&w);
}

/* dp0 and the rest are names that only the proxy knows. */
static void a_proxy_is_asked_but_for_what_is_excepted(void **state)
{
    (void)state;
    static const struct {
        const char *no_proxy;
        bool is_asked;
    } cases[] = {{NULL, true}, {"dp1,.example", true}, {"example,dp0", false}, {"*", false}};
    struct world w = start(1, 10, 1000);
    unsigned port = dp_start_proxy(w.dp);
    char proxy[64];

    assert_int_not_equal(port, 0);
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", port);
    w.options.n_sources = 1;
    w.options.unix_socket = NULL;
    w.options.proxy = proxy;
    w.options.give_up_us = SECOND_US / 2;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        w.options.no_proxy = cases[i].no_proxy;
        w.dp->n_proxied = 0;
        buf_clear(&w.got);
        assert_int_equal(play(&w), cases[i].is_asked ? 0 : TRANSFER_E_UNREACHABLE);
        assert_int_equal(w.dp->n_proxied, cases[i].is_asked ? 11 : 0);
    }
    stop(&w);
}

static void the_environment_names_no_proxy(void **state)
{
    (void)state;
    struct world w = start(1, 10, 1000);
    unsigned port = dp_start_proxy(w.dp);
    char proxy[64];

    assert_int_not_equal(port, 0);
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", port);
    (void)setenv("http_proxy", proxy, 1); // NOLINT(concurrency-mt-unsafe): nobody reads it now
    w.options.n_sources = 1;
    w.options.unix_socket = NULL;
    w.options.give_up_us = 1;
    assert_int_equal(play(&w), TRANSFER_E_UNREACHABLE);
    assert_int_equal(w.dp->n_proxied, 0);
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_arrives_whatever_the_sources_do),
        cmocka_unit_test(a_source_that_restarts_is_waited_for),
        cmocka_unit_test(a_source_far_slower_than_others_is_left_for_them),
        cmocka_unit_test(a_proxy_is_asked_but_for_what_is_excepted),
        cmocka_unit_test(the_environment_names_no_proxy),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
