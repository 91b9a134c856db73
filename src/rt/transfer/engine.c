/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The caller's side: starts the threads, delivers in order, tells, and ends them
 */

#include "rt/transfer/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "format/pack/pack.h"
#include "plat/clock.h"

enum {
    SOURCES_TEXT_MAX = 512,
    NS_PER_MS = 1000 * 1000,
    NS_PER_S = 1000 * 1000 * 1000,
};

void engine_put_what(const struct engine *e, uint32_t pack, char dst[static WHAT_MAX])
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){e->job->packs[pack].sha256, SHA256_BYTES});
    (void)snprintf(dst, WHAT_MAX, "pack %s", name);
}

void engine_add_fault(struct engine *e,
                      const struct slot *slot,
                      int source,
                      enum transfer_fault fault)
{
    if (!e->t->options->bad_source || e->n_faults == FAULTS_MAX)
        return;
    e->faults[e->n_faults++] = (struct fault){slot->pack, source, fault};
    (void)pthread_cond_signal(&e->has_news);
}

void engine_fail(struct engine *e, int outcome)
{
    if (e->outcome == 0)
        e->outcome = outcome;
    (void)pthread_cond_signal(&e->has_news);
}

void engine_bad(struct engine *e, struct slot *slot, int source, enum transfer_fault fault)
{
    sources_bad(&e->t->sources, &slot->tried, source, clock_monotonic_us());
    engine_add_fault(e, slot, source, fault);
}

void engine_give_up(struct engine *e, struct slot *slot)
{
    if (slot->state != SLOT_DUE || !sources_is_hopeless(&e->t->sources, &slot->tried))
        return;
    slot->state = SLOT_HOPELESS;
    (void)pthread_cond_signal(&e->has_news);
}

/* With the lock held, which is let go of while somebody is told. */
static void tell_faults(struct engine *e)
{
    const struct transfer_options *options = e->t->options;

    while (e->n_faults > 0) {
        struct fault fault = e->faults[--e->n_faults];
        char what[WHAT_MAX];

        engine_put_what(e, fault.pack, what);
        (void)pthread_mutex_unlock(&e->lock);
        options->bad_source(
            options->ctx,
            &(struct transfer_bad){e->t->sources.all[fault.source].url, what, fault.fault});
        (void)pthread_mutex_lock(&e->lock);
    }
}

/* With the lock held, which is let go of while people are told. Return: 0 to go on, or an outcome. */
static int look_around(struct engine *e)
{
    OWN(buf_fini) struct buf sources = BUF_INIT(SOURCES_TEXT_MAX);
    char what[WHAT_MAX];
    bool goes_on;

    tell_faults(e);
    (void)pthread_mutex_unlock(&e->lock);
    goes_on = transfer_tell(e->t);
    (void)pthread_mutex_lock(&e->lock);
    if (!goes_on)
        return TRANSFER_E_CANCELLED;
    if (!transfer_is_over(e->t))
        return 0;
    engine_put_what(e, e->job->runs[e->window.out].pack, what);
    transfer_put_sources(e->t, &sources);
    transfer_why(e->t, "no answer from %s while waiting for %s", buf_str(&sources), what);
    return TRANSFER_E_UNREACHABLE;
}

/* What holds up the next run: the network, or those who unpack. */
static uint64_t *reason_to_wait(struct engine *e, const struct slot *head)
{
    bool is_here = head && (head->state == SLOT_LOADED || head->state == SLOT_UNPACKING);

    return is_here && e->n_idle == 0 ? &e->t->report->unpack_wait_us
                                     : &e->t->report->network_wait_us;
}

static void wait_for_news(struct engine *e, const struct slot *head)
{
    uint64_t *counter = reason_to_wait(e, head);
    uint64_t begun_us = clock_monotonic_us();
    struct timespec end = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += (long)WAIT_MS * NS_PER_MS;
    end.tv_sec += end.tv_nsec / NS_PER_S;
    end.tv_nsec %= NS_PER_S;
    (void)pthread_cond_clockwait(&e->has_news, &e->lock, CLOCK_MONOTONIC, &end);

    uint64_t passed_us = clock_monotonic_us() - begun_us;

    *counter += passed_us;
    e->t->report->write.waiting_us += passed_us;
}

static int say_hopeless(struct engine *e, const struct slot *slot)
{
    OWN(buf_fini) struct buf sources = BUF_INIT(SOURCES_TEXT_MAX);
    char what[WHAT_MAX];

    engine_put_what(e, slot->pack, what);
    transfer_put_sources(e->t, &sources);
    transfer_why(e->t, "%s is missing or damaged at %s", what, buf_str(&sources));
    return TRANSFER_E_CONTENT;
}

/* With the lock held: until the next run's pack is ready. Return: 0, or an outcome, or -errno. */
static int await_head(struct engine *e, struct slot **ret)
{
    for (;;) {
        struct slot *head = window_head(&e->window);
        int r = e->outcome;

        if (r == 0 && head && head->state == SLOT_READY) {
            *ret = head;
            return 0;
        }
        if (r == 0 && head && head->state == SLOT_HOPELESS)
            return say_hopeless(e, head);
        if (r == 0)
            wait_for_news(e, head);
        if (r == 0)
            r = look_around(e);
        if (r != 0)
            return r;
    }
}

/* It is in the folder: whoever keeps it is told. */
static int take_kept(const struct engine *e, uint32_t pack, int source)
{
    return e->keeping->take(
        e->keeping->ctx,
        &(struct transfer_kept){&e->keeping->packs[pack], e->t->sources.all[source].url});
}

/* With the lock held, which is let go of while the run is taken. */
static int deliver_run(struct engine *e, const struct slot *slot)
{
    int source = slot->source;
    const struct manifest_run *run = &e->job->runs[e->window.out];
    struct transfer_piece piece = {
        .run = e->window.out,
        .pack = &e->job->packs[run->pack],
        .plain = {slot->plain + run->offset, run->size_bytes},
        .frame = {slot->frame, slot->frame_len},
    };
    uint64_t begun_us = clock_monotonic_us();
    uint64_t bytes;
    int r;

    (void)pthread_mutex_unlock(&e->lock);
    r = e->keeping ? take_kept(e, run->pack, source) : e->job->take(e->job->ctx, &piece);
    (void)pthread_mutex_lock(&e->lock);
    bytes = e->keeping ? piece.pack->stored_bytes : run->size_bytes;
    transfer_add_done(e->t, bytes);
    e->t->report->write.busy_us += clock_monotonic_us() - begun_us;
    e->t->report->write.bytes += bytes;
    if (r != 0)
        return r < 0 ? TRACE(r) : TRANSFER_E_CONSUMER;
    if (window_advance(&e->window))
        (void)curl_multi_wakeup(e->t->multi);
    return 0;
}

static int deliver(struct engine *e)
{
    int r = 0;

    (void)pthread_mutex_lock(&e->lock);
    while (r == 0 && e->window.out < e->window.n_runs) {
        struct slot *slot;

        r = await_head(e, &slot);
        if (r == 0)
            r = deliver_run(e, slot);
        if (r == 0 && !e->t->options->progress)
            continue;
        if (r == 0)
            r = look_around(e);
    }
    tell_faults(e);
    (void)pthread_mutex_unlock(&e->lock);
    return r < 0 ? TRACE(r) : r;
}

static unsigned count_unpackers(const struct engine *e)
{
    const struct transfer_job *job = e->job;
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    if (e->keeping)
        return 0;
    if (n < 1)
        n = 1;
    if (n > UNPACKERS_MAX)
        n = UNPACKERS_MAX;
    return (size_t)n < job->n_packs ? (unsigned)n : (unsigned)job->n_packs;
}

static void stop(struct engine *e, pthread_t *threads, unsigned n_threads)
{
    (void)pthread_mutex_lock(&e->lock);
    e->is_stopping = true;
    (void)pthread_cond_broadcast(&e->has_work);
    (void)pthread_mutex_unlock(&e->lock);
    (void)curl_multi_wakeup(e->t->multi);
    for (unsigned i = 0; i < n_threads; i++)
        (void)pthread_join(threads[i], NULL);
}

static int run(struct engine *e)
{
    pthread_t threads[1 + UNPACKERS_MAX];
    unsigned n_wanted = 1 + count_unpackers(e);
    unsigned n = 0;
    int r = 0;

    while (n < n_wanted &&
           pthread_create(&threads[n], NULL, n == 0 ? network_run : unpack_run, e) == 0)
        n++;
    r = n < (e->keeping ? 1U : 2U) ? ERR(-EAGAIN) : deliver(e);
    stop(e, threads, n);
    return r < 0 ? TRACE(r) : r;
}

static void engine_fini(struct engine *e)
{
    network_fini(e);
    if (e->t->report->peak_bytes < e->window.peak_bytes)
        e->t->report->peak_bytes = e->window.peak_bytes;
    window_fini(&e->window);
    (void)pthread_cond_destroy(&e->has_news);
    (void)pthread_cond_destroy(&e->has_work);
    (void)pthread_mutex_destroy(&e->lock);
}

/* Memory is taken as the manifest says: it must be sane whoever made the job. */
static bool is_sane(const struct transfer_job *job)
{
    for (size_t i = 0; i < job->n_packs; i++)
        if (job->packs[i].plain_bytes == 0 || job->packs[i].plain_bytes > PACK_MAX_BYTES ||
            job->packs[i].stored_bytes == 0 || job->packs[i].stored_bytes > PACK_STORED_MAX_BYTES)
            return false;
    for (size_t i = 0; i < job->n_runs; i++) {
        const struct manifest_run *run = &job->runs[i];

        if (run->pack >= job->n_packs || run->offset > job->packs[run->pack].plain_bytes ||
            run->size_bytes > job->packs[run->pack].plain_bytes - run->offset)
            return false;
    }
    return true;
}

static int
run_job(struct transfer *t, const struct transfer_job *job, const struct transfer_keeping *keeping)
{
    struct engine e = {.t = t, .job = job, .keeping = keeping};
    int r;

    if (job->n_runs == 0)
        return 0;
    if (t->sources.n == 0) {
        transfer_why(t, "there is no source for the content");
        return TRANSFER_E_CONTENT;
    }
    if (!is_sane(job))
        return ERR(-EINVAL);
    r = window_init(&e.window, job->packs, job->n_packs, job->runs, job->n_runs);
    if (r < 0)
        return TRACE(r);
    for (size_t i = 0; i < LANES; i++)
        e.lanes[i].fd = -1;
    e.window.is_without_bytes = keeping;
    e.window.max_bytes =
        t->options->window_bytes > 0 ? t->options->window_bytes : TRANSFER_WINDOW_BYTES;
    (void)pthread_mutex_init(&e.lock, NULL);
    (void)pthread_cond_init(&e.has_work, NULL);
    (void)pthread_cond_init(&e.has_news, NULL);
    r = run(&e);
    engine_fini(&e);
    if (r == 0)
        t->report->why[0] = '\0'; /* what was in the way is overcome */
    return r < 0 ? TRACE(r) : r;
}

int transfer_packs(struct transfer *t, const struct transfer_job *job)
{
    return TRACE(run_job(t, job, NULL));
}

int transfer_keep(struct transfer *t, const struct transfer_keeping *keeping)
{
    OWN(freep) struct manifest_run *runs = calloc(keeping->n_packs + 1, sizeof(*runs));
    const struct transfer_job job = {.packs = keeping->packs,
                                     .n_packs = keeping->n_packs,
                                     .runs = runs,
                                     .n_runs = keeping->n_packs};
    int r;

    if (!runs)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < keeping->n_packs; i++)
        runs[i] = (struct manifest_run){.pack = (uint32_t)i};
    r = run_job(t, &job, keeping);
    if (r != -ENOSPC && r != -EDQUOT)
        return TRACE(r);
    transfer_why(t, "the disk was full");
    return TRANSFER_E_FULL;
}
