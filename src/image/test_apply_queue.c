/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_queue.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    N_JOBS = 500,
    JOB_BYTES = 100,
    MAX_BYTES = 450,
    FAILS_AT = 40,
    OUTCOME = 7,
};

struct work {
    _Atomic size_t n_done;
    _Atomic size_t n_dropped;
    _Atomic size_t n_open; /* put, and not dropped */
    size_t fails_at;       /* 0: none does */
};

static int count(void *ctx, unsigned thread, struct apply_job *job)
{
    struct work *work = ctx;
    size_t n = ++work->n_done;

    (void)job;
    assert_in_range(thread, 0, APPLY_QUEUE_THREADS_MAX - 1);
    return n == work->fails_at ? OUTCOME : 0;
}

static void drop(void *ctx, struct apply_job *job)
{
    struct work *work = ctx;

    work->n_dropped++;
    work->n_open--;
    free(job);
}

static int put(struct apply_queue *queue, struct work *work, size_t size_bytes)
{
    struct apply_job *job = calloc(1, sizeof(*job));

    assert_non_null(job);
    job->size_bytes = size_bytes;
    work->n_open++;
    return apply_queue_put(queue, job);
}

static void every_job_is_done_once_and_dropped(void **state)
{
    (void)state;
    struct work work = {0};
    const struct apply_queue_work what = {&work, count, drop};
    OWN(apply_queue_freep) struct apply_queue *queue = NULL;

    assert_int_equal(apply_queue_new(&what, MAX_BYTES, &queue), 0);
    for (size_t i = 0; i < N_JOBS; i++) {
        assert_int_equal(put(queue, &work, JOB_BYTES), 0);
        assert_in_range(work.n_open, 0, MAX_BYTES / JOB_BYTES + APPLY_QUEUE_THREADS_MAX);
    }
    assert_int_equal(apply_queue_wait(queue), 0);
    assert_int_equal(work.n_done, N_JOBS);
    assert_int_equal(work.n_dropped, N_JOBS);
}

static void a_job_that_is_larger_than_the_queue_is_let_in_alone(void **state)
{
    (void)state;
    struct work work = {0};
    const struct apply_queue_work what = {&work, count, drop};
    OWN(apply_queue_freep) struct apply_queue *queue = NULL;

    assert_int_equal(apply_queue_new(&what, MAX_BYTES, &queue), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(put(queue, &work, (size_t)2 * MAX_BYTES), 0);
    assert_int_equal(apply_queue_wait(queue), 0);
    assert_int_equal(work.n_done, 3);
}

static void after_a_failure_nothing_is_begun_and_everything_dropped(void **state)
{
    (void)state;
    struct work work = {.fails_at = FAILS_AT};
    const struct apply_queue_work what = {&work, count, drop};
    OWN(apply_queue_freep) struct apply_queue *queue = NULL;
    size_t n = 0;
    int r = 0;

    assert_int_equal(apply_queue_new(&what, MAX_BYTES, &queue), 0);
    while (r == 0 && n < N_JOBS) {
        r = put(queue, &work, JOB_BYTES);
        n++;
    }
    assert_int_equal(r, OUTCOME);
    assert_int_equal(apply_queue_wait(queue), OUTCOME);
    assert_in_range(work.n_done, FAILS_AT, FAILS_AT + APPLY_QUEUE_THREADS_MAX);
    assert_int_equal(work.n_dropped, n);
}

static void freeing_drops_what_waits(void **state)
{
    (void)state;
    struct work work = {0};
    const struct apply_queue_work what = {&work, count, drop};
    struct apply_queue *queue = NULL;

    assert_int_equal(apply_queue_new(&what, (size_t)N_JOBS * JOB_BYTES, &queue), 0);
    for (size_t i = 0; i < N_JOBS; i++)
        assert_int_equal(put(queue, &work, JOB_BYTES), 0);
    apply_queue_free(queue);
    assert_int_equal(work.n_dropped, N_JOBS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_is_done_once_and_dropped),
        cmocka_unit_test(a_job_that_is_larger_than_the_queue_is_let_in_alone),
        cmocka_unit_test(after_a_failure_nothing_is_begun_and_everything_dropped),
        cmocka_unit_test(freeing_drops_what_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
