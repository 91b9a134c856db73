/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/image_stream.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/run/order.h"
#include "agent/steps/test_bench.h"
#include "base/own.h"
#include "image/test_wim_fixture.h"
#include "plat/file.h"
#include "tests/dp.h"

enum {
    PACK_BYTES = 16 * 1024,
    BAD_PACK = 4,
};

/* An image of a small tree on a real distribution point, which is reached as a proxy, and fails so often. */
struct bench {
    struct wim_fixture *wim;
    struct dp *dp;
    struct step_bench *b;
    struct order_content content;
    struct order_index index;
    char *sources[1];
    unsigned n_failures; /* so often BAD_PACK cannot be had */
};

static enum dp_fault fail_pack(void *ctx, unsigned source, const char *path, unsigned nth)
{
    const struct bench *bench = ctx;
    char wanted[DP_PATH_MAX];

    (void)source;
    dp_pack_path(bench->dp, BAD_PACK, wanted);
    if (strcmp(path, wanted) != 0 || nth >= bench->n_failures)
        return DP_NONE;
    return nth % 2 == 0 ? DP_MISSING : DP_DAMAGE;
}

static int set_up(void **state)
{
    static char image[] = "SLP00002";
    static char kind[] = "os-image";
    static char source[] = "http://dp0";
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    struct bench *bench = calloc(1, sizeof(*bench));
    char proxy[64];
    void *wim;

    assert_non_null(bench);
    assert_int_equal(wim_fixture_set_up(&wim), 0);
    bench->wim = wim;
    bench->dp = dp_start();
    assert_non_null(bench->dp);
    wim_fixture_stream(wim, "a.wim", &stream);
    dp_put_bytes(bench->dp, buf_bytes(&stream), PACK_BYTES);
    bench->dp->fault = fail_pack;
    bench->dp->ctx = bench;
    bench->index = (struct order_index){.index = 1, .size_bytes = stream.len};
    memcpy(bench->index.manifest, bench->dp->manifest_id, SHA256_BYTES);
    bench->content = (struct order_content){
        .package_id = image, .kind = kind, .indexes = &bench->index, .n_indexes = 1};
    bench->sources[0] = source;
    bench->b = step_bench_new("ApplyOperatingSystemAction", "", "");
    bench->b->order = (struct order){
        .content = &bench->content, .n_content = 1, .sources = bench->sources, .n_sources = 1};
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", dp_start_proxy(bench->dp));
    step_bench_set(bench->b, "SLWProxy", proxy);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    void *wim = bench->wim;

    step_bench_free(bench->b);
    dp_stop(bench->dp);
    (void)wim_fixture_tear_down(&wim);
    free(bench);
    return 0;
}

/* Return: the error, or NULL. */
static const char *apply(struct bench *bench)
{
    char out[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(bench->wim, "out", out);
    bench->b->result = (struct step_result){0};
    assert_int_equal(image_stream_run(&(struct image_stream){.c = &bench->b->c,
                                                             .package_id = "SLP00002",
                                                             .image = &bench->index,
                                                             .path = out,
                                                             .device = "the test's disk"},
                                      &bench->b->result),
                     0);
    return bench->b->result.error_id;
}

static void assert_whole(const struct bench *bench)
{
    static const char *const names[] = {"text", "link"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        OWN(buf_fini) struct buf want = BUF_INIT(4096);
        OWN(buf_fini) struct buf got = BUF_INIT(4096);
        char name[64];
        char path[WIM_FIXTURE_PATH_MAX];

        (void)snprintf(name, sizeof(name), "tree/%s", names[i]);
        wim_fixture_path(bench->wim, name, path);
        assert_int_equal(file_read(path, &want), 0);
        (void)snprintf(name, sizeof(name), "out/%s", names[i]);
        wim_fixture_path(bench->wim, name, path);
        assert_int_equal(file_read(path, &got), 0);
        assert_string_equal(buf_str(&got), buf_str(&want));
    }
}

static void an_image_that_is_streamed_without_fault_needs_no_retry(void **state)
{
    struct bench *bench = *state;

    assert_null(apply(bench));
    assert_whole(bench);
    assert_in_range(bench->dp->manifest.n_packs, BAD_PACK + 1, 1000);
    assert_int_equal(dp_count_pack(bench->dp, BAD_PACK), 1);
}

static void
a_streamed_image_goes_on_where_it_broke_off_as_SMSTSDownloadRetryCount_says(void **state)
{
    struct bench *bench = *state;

    bench->n_failures =
        5; /* each attempt asks twice: two fail, and the third is right the second time */
    step_bench_set(bench->b, "SMSTSDownloadRetryCount", "9");
    step_bench_set(bench->b, "SMSTSDownloadRetryDelay", "0");
    assert_null(
        apply(bench)); /* from the start again, it would be no image: the writer has had some */
    assert_whole(bench);
    assert_int_equal(dp_count_pack(bench->dp, BAD_PACK), 6);
    assert_int_equal(dp_count_pack(bench->dp, 0), 1);
    assert_non_null(strstr(buf_str(&bench->b->log), "tried again in 0 seconds (2 of 9)"));
    assert_null(strstr(buf_str(&bench->b->log), "(3 of 9)"));
}

static void a_streamed_image_fails_when_the_retries_are_used_up(void **state)
{
    struct bench *bench = *state;

    bench->n_failures = 100000;
    step_bench_set(bench->b, "SMSTSDownloadRetryCount", "0");
    assert_string_equal(apply(bench), "SLW-0301");
    assert_null(strstr(buf_str(&bench->b->log), "tried again"));
    step_bench_set(bench->b, "SMSTSDownloadRetryCount", "2");
    step_bench_set(bench->b, "SMSTSDownloadRetryDelay", "0");
    assert_string_equal(apply(bench), "SLW-0301");
    assert_non_null(strstr(buf_str(&bench->b->log), "(2 of 2)"));
    assert_null(strstr(buf_str(&bench->b->log), "(3 of 2)"));
}

static void a_streamed_image_is_not_retried_when_the_site_has_cancelled(void **state)
{
    struct bench *bench = *state;

    bench->n_failures = 100000;
    bench->b->is_cancelled = true;
    step_bench_set(bench->b, "SMSTSDownloadRetryCount", "1000");
    assert_non_null(apply(bench));
    assert_null(strstr(buf_str(&bench->b->log), "(2 of 1000)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_image_that_is_streamed_without_fault_needs_no_retry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_streamed_image_goes_on_where_it_broke_off_as_SMSTSDownloadRetryCount_says,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            a_streamed_image_fails_when_the_retries_are_used_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_streamed_image_is_not_retried_when_the_site_has_cancelled, set_up, tear_down),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
