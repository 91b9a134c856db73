/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/jobs.h"

#include <limits.h>
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
#include <signal.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/text.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "rt/http_server.h"
#include "server/role.h"

enum {
    REPORT_MAX_BYTES = 64 * 1024,
    PACE_US = 10 * 1000,
    AWAY_US = 3 * PACE_US,
    PATIENCE_US = 20 * 1000 * 1000, /* of a machine with much else to do */
    POLL_US = 2000,
    LINE_MAX_BYTES = 4096,
};

#define JOB_ID    "0190f5b0-0000-7000-8000-000000000001"
#define UPLOAD_ID "0190f5b0-0000-7000-8000-000000000002"

static char kernel_roots[] = "/";
static char addresses[] = "192.0.2.1";
static char x86_root[] = "/nowhere/x86-root";

/* A site that has one job, and the distribution point that runs it; this program is the worker. */
struct fixture {
    char state[64];
    char socket[80];
    struct server_config config;
    struct role_options options;
    struct http_server *site;
    pthread_t thread;
    struct jobs *jobs;
    pthread_mutex_t lock;    /* guards what follows; the site's thread writes it */
    const char *kind;        /* of the job */
    unsigned n_jobs;         /* handed out with ids that end in 1, 3, 5, ...; one, as a rule */
    bool is_repeating;       /* the same job is handed out again and again */
    json_t *claim;           /* owned; what the last claim said */
    unsigned n_claims;       /* 1 when the job has been handed out */
    unsigned n_running;      /* reports */
    unsigned n_percent;      /* of the reports, those with a percentage */
    unsigned seen;           /* bit for each job that has reported */
    unsigned n_seen;         /* how many */
    unsigned n_ends;         /* reports, also those that were refused */
    unsigned refuse_ends;    /* so many are answered 503 */
    unsigned running_status; /* the answer to a report that it runs */
    json_t *running;         /* owned; the last report of each sort, or NULL */
    json_t *end;             /* owned */
};

static json_t *job_number(const struct fixture *f, unsigned i)
{
    char id[UUID_TEXT_MAX];

    (void)snprintf(id, sizeof(id), JOB_ID);
    id[UUID_TEXT_MAX - 2] = (char)('1' + 2 * i);
    return json_pack("{s:s, s:s, s:{s:s, s:s}}",
                     "id",
                     id,
                     "kind",
                     f->kind,
                     "args",
                     "package_id",
                     "SLP00001",
                     "upload_id",
                     UPLOAD_ID);
}

static int give_job(void *ctx, struct http_exchange *x)
{
    struct fixture *f = ctx;
    json_t *claim = NULL;
    unsigned i;

    if (http_body_json(x, &claim) != 0)
        return 0;
    (void)pthread_mutex_lock(&f->lock);
    json_decref(f->claim);
    f->claim = claim;
    i = f->n_claims++;
    (void)pthread_mutex_unlock(&f->lock);
    if (f->is_repeating)
        i = 0;
    if (i >= f->n_jobs)
        return http_reply_empty(x, 204);
    return http_reply_json(x, 200, job_number(f, i));
}

/* Which of the jobs have reported. */
static void note_running(struct fixture *f, const char *id)
{
    unsigned bit = 1u << ((id[UUID_TEXT_MAX - 2] - '1') / 2);

    if ((f->seen & bit) == 0)
        f->n_seen++;
    f->seen |= bit;
}

static unsigned take(struct fixture *f, json_t *report)
{
    bool is_running = strcmp(json_string_value(json_object_get(report, "state")), "running") == 0;
    json_t **place = is_running ? &f->running : &f->end;

    json_decref(*place);
    *place = report;
    if (is_running) {
        f->n_running++;
        f->n_percent += json_object_get(report, "percent") ? 1 : 0;
        return f->running_status;
    }
    return ++f->n_ends <= f->refuse_ends ? 503 : 204;
}

static int take_report(void *ctx, struct http_exchange *x)
{
    struct fixture *f = ctx;
    json_t *report = NULL;
    unsigned status;

    if (strncmp(http_param(x, "id"), JOB_ID, UUID_TEXT_MAX - 2) != 0)
        return http_reply_empty(x, 404);
    if (http_body_json(x, &report) != 0)
        return 0;
    (void)pthread_mutex_lock(&f->lock);
    note_running(f, http_param(x, "id"));
    status = take(f, report);
    (void)pthread_mutex_unlock(&f->lock);
    if (status == 200)
        return http_reply_json(x, 200, json_pack("{s:i}", "rate_limit_bytes_per_s", 12345));
    return http_reply_empty(x, status);
}

static const struct http_route routes[] = {
    {"POST", "/api/v1/internal/dp/jobs:claim", REPORT_MAX_BYTES, give_job},
    {"PATCH", "/api/v1/internal/dp/jobs/{id}", REPORT_MAX_BYTES, take_report},
    {.method = NULL},
};

static void *serve(void *ctx)
{
    struct fixture *f = ctx;

    return http_server_run(f->site) == 0 ? f : NULL;
}

static void start_site(struct fixture *f)
{
    struct http_server_options options = {
        .socket_path = f->socket,
        .socket_mode = 0600,
        .routes = routes,
        .ctx = f,
    };

    assert_int_equal(http_server_new(&options, &f->site), 0);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void stop_site(struct fixture *f)
{
    void *ended;

    if (!f->site)
        return;
    http_server_stop(f->site);
    assert_int_equal(pthread_join(f->thread, &ended), 0);
    assert_ptr_equal(ended, f);
    http_server_free(f->site);
    f->site = NULL;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char path[160];

    if (!f)
        return -1;
    (void)snprintf(f->state, sizeof(f->state), "/tmp/slipway-test-jobs-XXXXXX");
    if (!mkdtemp(f->state) || pthread_mutex_init(&f->lock, NULL) != 0)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/run", f->state);
    if (dir_make(path, 0700) != 0)
        return -1;
    (void)snprintf(f->socket, sizeof(f->socket), "%s/run/roles.sock", f->state);
    f->config.boot_image_kernel_roots = kernel_roots;
    f->config.addresses = addresses;
    f->config.boot_image_x86_root = x86_root;
    f->options = (struct role_options){
        .config = &f->config, .state_folder = f->state, .self = "/proc/self/exe"};
    f->running_status = 204;
    f->n_jobs = 1;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    jobs_stop(f->jobs);
    stop_site(f);
    json_decref(f->claim);
    json_decref(f->running);
    json_decref(f->end);
    (void)pthread_mutex_destroy(&f->lock);

    int r = dir_remove(f->state);

    free(f);
    return r;
}

static void begin(struct fixture *f, const char *kind)
{
    static const struct jobs_pace pace = {PACE_US, PACE_US};

    f->kind = kind;
    assert_int_equal(jobs_start(&f->options, pace, &f->jobs), 0);
}

/* Wait until a number of the fixture, which the site's thread raises, is @n. */
static void wait_for(struct fixture *f, const unsigned *number, unsigned n)
{
    uint64_t end_us = clock_monotonic_us() + PATIENCE_US;
    bool is_there = false;

    while (!is_there) {
        (void)pthread_mutex_lock(&f->lock);
        is_there = *number >= n;
        (void)pthread_mutex_unlock(&f->lock);
        assert_true(clock_monotonic_us() < end_us);
        if (!is_there)
            clock_sleep_us(POLL_US);
    }
}

static void wait_until_gone(const char *path)
{
    uint64_t end_us = clock_monotonic_us() + PATIENCE_US;

    while (file_exists(path)) {
        assert_true(clock_monotonic_us() < end_us);
        clock_sleep_us(POLL_US);
    }
}

static const char *text_of(const json_t *report, const char *name)
{
    const char *text = json_string_value(json_object_get(report, name));

    return text ? text : "";
}

/* Whether the last claim said that there is a place for such a job. */
static bool has_kind(const struct fixture *f, const char *kind)
{
    const json_t *kinds = json_object_get(f->claim, "kinds");
    const json_t *value;
    size_t i;

    json_array_foreach(kinds, i, value) if (strcmp(json_string_value(value), kind) ==
                                            0) return true;
    return false;
}

static void put_upload(const struct fixture *f, const char *end, char dst[160])
{
    (void)snprintf(dst, 160, "%s/dp/staging/uploads", f->state);
    assert_int_equal(dir_make(dst, 0700), 0);
    (void)snprintf(dst, 160, "%s/dp/staging/uploads/" UPLOAD_ID "%s", f->state, end);
    assert_int_equal(file_write(dst, bytes_of("x"), 0600), 0);
}

static void a_result_reaches_the_site_and_the_upload_goes(void **state)
{
    struct fixture *f = *state;
    char upload[160];

    put_upload(f, ".data", upload);
    start_site(f);
    begin(f, "succeed");
    wait_for(f, &f->n_ends, 1);
    assert_string_equal(text_of(f->end, "state"), "succeeded");
    /* the worker gives back the package it was told about */
    assert_string_equal(text_of(json_object_get(f->end, "result"), "package_id"), "SLP00001");
    wait_until_gone(upload);
}

static void progress_is_told_while_the_worker_runs(void **state)
{
    struct fixture *f = *state;

    start_site(f);
    begin(f, "work");
    wait_for(f, &f->n_running, 3);
    wait_for(f, &f->n_percent, 1); /* it may take a while to begin */
    (void)pthread_mutex_lock(&f->lock);
    assert_int_equal(json_integer_value(json_object_get(f->running, "percent")), 42);
    assert_string_equal(text_of(f->running, "message"), "Working");
    (void)pthread_mutex_unlock(&f->lock);
    assert_int_equal(f->n_ends, 0);
}

static void a_failure_says_what_the_worker_said_and_the_upload_goes(void **state)
{
    struct fixture *f = *state;
    char upload[160];

    put_upload(f, ".data", upload);
    start_site(f);
    begin(f, "fail");
    wait_for(f, &f->n_ends, 1);
    assert_string_equal(text_of(f->end, "state"), "failed");
    assert_string_equal(text_of(f->end, "error_id"), "SLW-0304");
    assert_string_equal(text_of(f->end, "message"), "No good");
    wait_until_gone(upload);
}

static void a_worker_that_is_killed_is_a_failure_with_its_cause(void **state)
{
    struct fixture *f = *state;

    start_site(f);
    begin(f, "die");
    wait_for(f, &f->n_ends, 1);
    assert_string_equal(text_of(f->end, "state"), "failed");
    assert_string_equal(text_of(f->end, "error_id"), "SLW-0315");
    assert_non_null(strstr(text_of(f->end, "message"), "was killed by signal 9"));
}

static void a_worker_without_a_result_is_a_failure_with_its_status(void **state)
{
    struct fixture *f = *state;

    start_site(f);
    begin(f, "give up");
    wait_for(f, &f->n_ends, 1);
    assert_string_equal(text_of(f->end, "error_id"), "SLW-0315");
    assert_non_null(strstr(text_of(f->end, "message"), "exited with status 3"));
}

static void lines_that_are_no_json_are_passed_over(void **state)
{
    struct fixture *f = *state;

    start_site(f);
    begin(f, "babble");
    wait_for(f, &f->n_ends, 1);
    assert_string_equal(text_of(f->end, "state"), "succeeded");
}

static void the_end_is_told_until_the_site_takes_it(void **state)
{
    struct fixture *f = *state;

    f->refuse_ends = 3;
    start_site(f);
    begin(f, "succeed");
    wait_for(f, &f->n_ends, 4);
    assert_string_equal(text_of(f->end, "state"), "succeeded");
}

static void a_site_that_was_away_is_asked_again(void **state)
{
    struct fixture *f = *state;

    begin(f, "succeed");
    clock_sleep_us(AWAY_US);
    start_site(f);
    wait_for(f, &f->n_ends, 1);
    stop_site(f);
    clock_sleep_us(AWAY_US);
    start_site(f);
    wait_for(f, &f->n_claims, f->n_claims + 1);
}

/* A file that a worker has begun. */
static void put_unfinished(const struct fixture *f, char path[static 96])
{
    (void)snprintf(path, 96, "%s/dp/exports", f->state);
    assert_int_equal(dir_make(path, 0700), 0);
    (void)snprintf(path, 96, "%s/dp/exports/1.part", f->state);
    assert_int_equal(file_write(path, bytes_of("x"), 0600), 0);
}

static void a_job_that_the_site_has_cancelled_is_ended_without_a_word(void **state)
{
    struct fixture *f = *state;
    char upload[160];
    char path[96];

    put_unfinished(f, path);
    put_upload(f, ".data", upload);
    f->running_status = 409;
    start_site(f);
    begin(f, "work");
    wait_for(f, &f->n_running, 1);
    wait_for(f, &f->n_claims, f->n_claims + 3); /* some that were made since */
    assert_int_equal(f->n_running, 1);
    assert_int_equal(f->n_ends, 0);
    for (unsigned i = 0; i < 100 && file_exists(path); i++)
        clock_sleep_us(PACE_US);
    assert_false(file_exists(path));
    wait_until_gone(upload);
}

static void the_upload_stays_until_the_site_has_heard_of_the_end(void **state)
{
    struct fixture *f = *state;
    char upload[160];

    put_upload(f, ".data", upload);
    f->refuse_ends = UINT_MAX;
    start_site(f);
    begin(f, "succeed");
    wait_for(f, &f->n_ends, 1);
    jobs_stop(f->jobs);
    f->jobs = NULL;
    assert_true(file_exists(upload));
}

static void stopping_kills_the_worker(void **state)
{
    struct fixture *f = *state;
    uint64_t began_us;

    start_site(f);
    begin(f, "work");
    wait_for(f, &f->n_running, 1);
    began_us = clock_monotonic_us();
    jobs_stop(f->jobs);
    f->jobs = NULL;
    assert_true(clock_monotonic_us() - began_us < PATIENCE_US);
    assert_int_equal(f->n_ends, 0);
}

static void jobs_of_one_class_wait_for_each_other_and_are_told_as_alive(void **state)
{
    struct fixture *f = *state;

    f->n_jobs = 2;
    start_site(f);
    begin(f, "work");
    wait_for(f, &f->n_seen, 2);
    wait_for(f, &f->n_claims, f->n_claims + 2); /* one that was made since */
    (void)pthread_mutex_lock(&f->lock);
    /* nothing else that keeps the processor busy would have a place */
    assert_false(has_kind(f, "import-os-image"));
    assert_true(has_kind(f, "replicate"));
    (void)pthread_mutex_unlock(&f->lock);
    assert_int_equal(f->n_ends, 0);
}

static void transfers_run_beside_each_other(void **state)
{
    struct fixture *f = *state;

    f->n_jobs = 3;
    start_site(f);
    begin(f, "replicate"); /* each waits for a limit that the site does not say */
    wait_for(f, &f->n_seen, 3);
    wait_for(f, &f->n_claims, f->n_claims + 2);
    (void)pthread_mutex_lock(&f->lock);
    assert_false(has_kind(f, "replicate"));
    assert_true(has_kind(f, "import-os-image"));
    (void)pthread_mutex_unlock(&f->lock);
}

static void the_rate_limit_of_an_answer_reaches_the_worker(void **state)
{
    struct fixture *f = *state;

    f->running_status = 200;
    start_site(f);
    begin(f, "replicate");
    wait_for(f, &f->n_ends, 1);
    assert_non_null(strstr(text_of(json_object_get(f->end, "result"), "limit"), "12345"));
}

static void a_job_that_is_handed_out_again_while_it_runs_is_one(void **state)
{
    struct fixture *f = *state;

    f->is_repeating = true;
    start_site(f);
    begin(f, "replicate");
    wait_for(f, &f->n_claims, 6);
    (void)pthread_mutex_lock(&f->lock);
    assert_true(has_kind(f, "replicate")); /* one of three places is taken */
    (void)pthread_mutex_unlock(&f->lock);
}

static void a_claim_says_how_much_room_there_is(void **state)
{
    struct fixture *f = *state;

    start_site(f);
    begin(f, "succeed");
    wait_for(f, &f->n_claims, 1);
    (void)pthread_mutex_lock(&f->lock);
    assert_true(json_integer_value(json_object_get(f->claim, "total_bytes")) > 0);
    assert_true(json_is_object(json_object_get(f->claim, "kernels")));
    assert_string_not_equal(text_of(f->claim, "version"), "");
    (void)pthread_mutex_unlock(&f->lock);
}

static int say(const char *line)
{
    return fd_write_all(STDOUT_FILENO, bytes_of(line)) == 0 ? 0 : 1;
}

static int say_result(const char *name, const char *text)
{
    OWN(json_decrefp) json_t *line = json_pack("{s:{s:s}}", "result", name, text);
    OWN(freep) char *dumped = json_dumps(line, JSON_COMPACT);

    return say(dumped) == 0 ? say("\n") : 1;
}

/* What slipwayd --role=worker would be. */
static int be_worker(void)
{
    OWN(json_decrefp) json_t *job = NULL;
    char line[LINE_MAX_BYTES];
    const char *kind;

    if (!fgets(line, sizeof(line), stdin))
        return 1;
    job = json_loads(line, 0, NULL);
    kind = text_of(job, "kind");
    (void)snprintf(line,
                   sizeof(line),
                   "{\"result\": {\"package_id\": \"%s\"}}\n",
                   text_of(json_object_get(job, "args"), "package_id"));
    if (strcmp(kind, "succeed") == 0)
        return say(line);
    if (strcmp(kind, "fail") == 0)
        return say("{\"error_id\": \"SLW-0304\", \"message\": \"No good\"}\n");
    if (strcmp(kind, "babble") == 0)
        return say("no JSON\n[1, 2]\n\n") == 0 ? say(line) : 1;
    if (strcmp(kind, "die") == 0)
        (void)kill(getpid(), SIGKILL);
    if (strcmp(kind, "replicate") == 0 && say("{\"percent\": 1, \"message\": \"Begun\"}\n") == 0)
        return fgets(line, sizeof(line), stdin) ? say_result("limit", line) : 1;
    if (strcmp(kind, "work") == 0 && say("{\"percent\": 42, \"message\": \"Working\"}\n") == 0)
        clock_sleep_us((uint64_t)2 * PATIENCE_US);
    return 3;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_result_reaches_the_site_and_the_upload_goes),
        TEST(progress_is_told_while_the_worker_runs),
        TEST(a_failure_says_what_the_worker_said_and_the_upload_goes),
        TEST(a_worker_that_is_killed_is_a_failure_with_its_cause),
        TEST(a_worker_without_a_result_is_a_failure_with_its_status),
        TEST(lines_that_are_no_json_are_passed_over),
        TEST(the_end_is_told_until_the_site_takes_it),
        TEST(a_site_that_was_away_is_asked_again),
        TEST(a_job_that_the_site_has_cancelled_is_ended_without_a_word),
        TEST(the_upload_stays_until_the_site_has_heard_of_the_end),
        TEST(stopping_kills_the_worker),
        TEST(jobs_of_one_class_wait_for_each_other_and_are_told_as_alive),
        TEST(transfers_run_beside_each_other),
        TEST(the_rate_limit_of_an_answer_reaches_the_worker),
        TEST(a_job_that_is_handed_out_again_while_it_runs_is_one),
        TEST(a_claim_says_how_much_room_there_is),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as in the role */
    if (argc > 1 && strcmp(argv[1], "--role=worker") == 0)
        return be_worker();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
