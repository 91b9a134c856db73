/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/package.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/fetch/fetch.h"
#include "base/buf.h"
#include "base/own.h"
#include "plat/file.h"
#include "tests/dp.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/vars.h"

/* A step with an order that holds one package. The order names no distribution point that is there: where a
   test downloads, the content is in the cache already. */
struct bench {
    struct dp *dp;
    char root[96];
    struct ts_vars *vars;
    struct ts_document *doc;
    struct order_content content;
    struct order order;
    struct step_target target;
    struct step_context c;
    struct buf log;
    char *sources[1];
};

static bool go_on(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    (void)ctx, (void)percent, (void)rate, (void)what;
    return true;
}

static bool cancelled(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    (void)ctx, (void)percent, (void)rate, (void)what;
    return false;
}

__attribute__((format(printf, 2, 3))) static void to_log(void *ctx, const char *format, ...)
{
    struct buf *log = ctx;
    char line[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    buf_addf(log, "%s\n", line);
}

static int set_up(void **state)
{
    static const char xml[] =
        "<sequence version=\"3.10\"><step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"c\">"
        "<action>smsswd.exe /run:SLP00012 true</action><defaultVarList/></step></sequence>";
    static char id[] = "SLP00012";
    static char source[] = "http://127.0.0.1:1"; /* nobody listens there */
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct manifest_entry entry = {MANIFEST_REGULAR, 0755, 100, 0, (char[]){"run.sh"}, NULL};
    struct bench *b = calloc(1, sizeof(*b));
    size_t n;

    if (!b)
        return -1;
    b->dp = dp_start();
    if (!b->dp || ts_vars_new(&b->vars) != 0 ||
        ts_document_parse(bytes_of(xml), &b->doc, &diags) != 0)
        return -1;
    dp_put_content(b->dp, 1, 100, false);
    dp_put_tree(b->dp, &entry, 1);
    (void)snprintf(b->root, sizeof(b->root), "%s/packages", b->dp->root);
    b->log = BUF_INIT(65536);
    b->content = (struct order_content){.package_id = id, .size_bytes = 100, .has_manifest = true};
    memcpy(b->content.manifest, b->dp->manifest_id, SHA256_BYTES);
    b->sources[0] = source;
    b->order = (struct order){
        .content = &b->content, .n_content = 1, .sources = b->sources, .n_sources = 1};
    b->c = (struct step_context){.step = ts_document_steps(b->doc, &n),
                                 .vars = b->vars,
                                 .order = &b->order,
                                 .target = &b->target,
                                 .environment = STEP_IN_FULL_OS,
                                 .step_name = "c",
                                 .progress = go_on,
                                 .log = to_log,
                                 .ctx = &b->log};
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    step_context_fini(&b->c);
    ts_document_free(b->doc);
    ts_vars_free(b->vars);
    buf_fini(&b->log);
    dp_stop(b->dp);
    free(b);
    return 0;
}

static void put_into_cache(struct bench *b)
{
    struct transfer_options options = {
        .sources = b->dp->sources, .n_sources = 1, .unix_socket = b->dp->socket_path};
    OWN(cache_freep) struct cache *cache = NULL;
    OWN(cache_releasep) struct cache_use *use = NULL;
    struct transfer_report report;

    assert_int_equal(cache_new(b->root, 0, &cache), 0);
    assert_int_equal(cache_get(cache, &options, b->content.manifest, &report, &use), 0);
}

static void get_gives_the_folder_of_a_package_that_is_on_this_computer(void **state)
{
    struct bench *b = *state;
    OWN(cache_releasep) struct cache_use *use = NULL;
    struct step_result result = {0};
    char path[8192];

    put_into_cache(b);
    assert_int_equal(package_get_in(&b->c, b->root, "SLP00012", &result, &use), 0);
    assert_non_null(use);
    assert_null(result.error_id);
    (void)snprintf(path, sizeof(path), "%s/run.sh", cache_path(use));
    assert_true(file_exists(path));
    assert_non_null(strstr(buf_str(&b->log), "on this computer already"));
}

static void get_refuses_what_is_not_in_the_order(void **state)
{
    struct bench *b = *state;
    OWN(cache_releasep) struct cache_use *use = NULL;
    struct step_result result = {0};

    assert_int_equal(package_get_in(&b->c, b->root, "SLP00099", &result, &use), 0);
    assert_null(use);
    assert_string_equal(result.error_id, "SLW-0333");
    b->content.has_manifest = false; /* an image */
    assert_int_equal(package_get_in(&b->c, b->root, "SLP00012", &result, &use), 0);
    assert_string_equal(result.error_id, "SLW-0333");
}

/* SMSTSDownloadRetryCount and SMSTSDownloadRetryDelay; a delay of 0 keeps the test short. */
static void set_retry(struct bench *b, const char *count, const char *delay)
{
    assert_int_equal(ts_vars_set(b->vars, "SMSTSDownloadRetryCount", count, TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set(b->vars, "SMSTSDownloadRetryDelay", delay, TS_BY_SEQUENCE), 0);
}

static void get_without_any_source_says_so(void **state)
{
    struct bench *b = *state;
    OWN(cache_releasep) struct cache_use *use = NULL;
    struct step_result result = {0};

    b->order.n_sources = 0;
    set_retry(b, "0", "0");
    assert_int_equal(package_get_in(&b->c, b->root, "SLP00012", &result, &use), 0);
    assert_null(use);
    assert_string_equal(result.error_id, "SLW-0301");
    assert_non_null(strstr(result.message, "no source"));
}

static void get_ends_when_the_site_cancels_and_logs_bad_sources(void **state)
{
    struct bench *b = *state;
    OWN(cache_releasep) struct cache_use *use = NULL;
    struct step_result result = {0};

    b->c.progress = cancelled;
    assert_int_equal(package_get_in(&b->c, b->root, "SLP00012", &result, &use), 0);
    assert_null(use);
    assert_string_equal(result.error_id, "SLW-0406");
    assert_non_null(strstr(buf_str(&b->log), "broken off at http://127.0.0.1:1"));
}

static void the_sequence_may_say_how_large_the_cache_is(void **state)
{
    struct bench *b = *state;
    OWN(cache_freep) struct cache *cache = NULL;
    OWN(cache_releasep) struct cache_use *use = NULL;
    struct transfer_options options = {
        .sources = b->dp->sources, .n_sources = 1, .unix_socket = b->dp->socket_path};
    struct transfer_report report;

    assert_int_equal(ts_vars_set(b->vars, "SLWCacheSize", "no number", TS_BY_SEQUENCE), 0);
    assert_int_equal(package_cache_bytes(&b->c), CACHE_DEFAULT_BYTES);
    assert_int_equal(ts_vars_set(b->vars, "SLWCacheSize", "7", TS_BY_SEQUENCE), 0);
    assert_int_equal(package_cache_bytes(&b->c), UINT64_C(7) * 1024 * 1024);
    assert_int_equal(cache_new(b->root, 99, &cache), 0); /* one byte less than the package has */
    assert_int_equal(cache_get(cache, &options, b->content.manifest, &report, &use),
                     CACHE_E_TOO_LARGE);
}

static void options_have_the_proxy_of_the_sequence_and_none_without(void **state)
{
    struct bench *b = *state;
    struct transfer_options options;

    package_options(&b->c, &b->content, &options);
    assert_null(options.proxy);
    assert_null(options.no_proxy);
    assert_int_equal(options.n_sources, 1);
    assert_int_equal(ts_vars_set(b->vars, "SLWProxy", "http://proxy:3128", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set(b->vars, "SLWNoProxy", ".example,10.0.0.0/8", TS_BY_SEQUENCE), 0);
    package_options(&b->c, &b->content, &options);
    assert_string_equal(options.proxy, "http://proxy:3128");
    assert_string_equal(options.no_proxy, ".example,10.0.0.0/8");
}

static unsigned count_retries(struct bench *b, int outcome)
{
    unsigned n_tries = 0;
    unsigned n = 0;

    while (package_is_retried(&b->c, outcome, &n_tries))
        n++;
    return n;
}

static void a_download_is_retried_as_often_as_SMSTSDownloadRetryCount_says(void **state)
{
    struct bench *b = *state;

    set_retry(b, "5", "0");
    assert_int_equal(count_retries(b, TRANSFER_E_UNREACHABLE), 5);
    assert_int_equal(count_retries(b, TRANSFER_E_CONTENT), 5);
    assert_non_null(strstr(buf_str(&b->log), "tried again in 0 seconds (5 of 5)"));
    set_retry(b, "0", "0");
    assert_int_equal(count_retries(b, TRANSFER_E_CONTENT), 0);
}

static void without_a_count_a_download_is_tried_twice_more(void **state)
{
    struct bench *b = *state;

    set_retry(b, "", "0");
    assert_int_equal(count_retries(b, TRANSFER_E_UNREACHABLE), 2);
}

static void a_count_that_is_no_number_counts_as_none(void **state)
{
    struct bench *b = *state;

    set_retry(b, "often", "0");
    assert_int_equal(count_retries(b, TRANSFER_E_UNREACHABLE), 2);
    set_retry(b, "1001", "0");
    assert_int_equal(count_retries(b, TRANSFER_E_UNREACHABLE), 2);
}

static void what_no_source_has_done_is_not_retried(void **state)
{
    struct bench *b = *state;

    set_retry(b, "5", "0");
    assert_int_equal(count_retries(b, TRANSFER_E_CANCELLED), 0);
    assert_int_equal(count_retries(b, FETCH_E_FULL), 0);
}

static void the_delay_before_a_retry_is_15_seconds_and_ends_when_the_site_cancels(void **state)
{
    struct bench *b = *state;

    b->c.progress = cancelled;
    assert_int_equal(count_retries(b, TRANSFER_E_UNREACHABLE), 0);
    assert_non_null(strstr(buf_str(&b->log), "tried again in 15 seconds (1 of 2)"));
    set_retry(b, "3", "");
    assert_int_equal(count_retries(b, TRANSFER_E_UNREACHABLE), 0);
    assert_non_null(strstr(buf_str(&b->log), "tried again in 15 seconds (1 of 3)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            get_gives_the_folder_of_a_package_that_is_on_this_computer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(get_refuses_what_is_not_in_the_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(get_without_any_source_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            get_ends_when_the_site_cancels_and_logs_bad_sources, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_sequence_may_say_how_large_the_cache_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            options_have_the_proxy_of_the_sequence_and_none_without, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_download_is_retried_as_often_as_SMSTSDownloadRetryCount_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            without_a_count_a_download_is_tried_twice_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_count_that_is_no_number_counts_as_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_no_source_has_done_is_not_retried, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_delay_before_a_retry_is_15_seconds_and_ends_when_the_site_cancels,
            set_up,
            tear_down),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
