/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/tftp_workers.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "server/role.h"

enum {
    EVENTS_PER_TURN = 16,
    WAIT_MS = TFTP_WIRE_WAIT_US / 1000,
};

struct worker {
    struct tftp_workers *all;
    pthread_t thread;
    int epoll_fd; /* owned */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* behind the lock: */
    bool is_ending;
    unsigned n_sessions;
    struct tftp_session *sessions[TFTP_TABLE_ROWS]; /* borrowed; by row */
    struct tftp_session *only;                      /* NULL: @epoll_fd watches all of them */
    uint64_t awaited;                               /* ticket of what @only was; 0: not waiting */
    struct tftp_batch batch;
    /* the thread's own: */
    uint8_t packet[TFTP_WIRE_REQUEST_MAX];
};

struct tftp_workers {
    tftp_workers_wake *wake;
    void *ctx;
    unsigned n;
    unsigned n_max;
    struct worker *workers[TFTP_WORKERS_MAX]; /* owned */
    pthread_mutex_t over_lock;                /* taken last */
    struct tftp_session *over;                /* behind it: a list; still with their workers */
};

static void lock(pthread_mutex_t *mutex)
{
    int r = pthread_mutex_lock(mutex);

    assert(r == 0);
}

static void unlock(pthread_mutex_t *mutex)
{
    int r = pthread_mutex_unlock(mutex);

    assert(r == 0);
}

static void enlist(struct tftp_workers *all, struct tftp_session *s)
{
    lock(&all->over_lock);
    s->next_over = all->over;
    all->over = s;
    unlock(&all->over_lock);
}

static void delist(struct tftp_workers *all, const struct tftp_session *s)
{
    struct tftp_session **at = &all->over;

    lock(&all->over_lock);
    while (*at && *at != s)
        at = &(*at)->next_over;
    if (*at)
        *at = s->next_over;
    unlock(&all->over_lock);
}

/* If @s is over, nobody waits for its packets any more. Between lock() and unlock(). Return: whether it is. */
static bool note_end(struct worker *w, struct tftp_session *s)
{
    if (!s->is_over)
        return false;
    if (w->only == s)
        w->only = NULL;
    (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL); /* if it is there */
    enlist(w->all, s);
    return true;
}

static struct tftp_session *find(const struct worker *w, uint64_t ticket)
{
    struct tftp_session *s = w->sessions[ticket % TFTP_TABLE_ROWS];

    return s && s->ticket == ticket && !s->is_over ? s : NULL;
}

/* The client of the only session has all of the thread's attention: no call is needed to see who is ready. */
static void serve_only(struct worker *w)
{
    struct sink buffer = {.ptr = w->packet, .cap = sizeof(w->packet)};
    struct bytes packet = {0};
    uint64_t ticket = w->only->ticket;
    int fd = w->only->fd;
    struct tftp_session *s;
    bool is_over = false;
    int r;

    w->awaited = ticket;
    unlock(&w->lock);
    r = tftp_wire_wait(fd, buffer, &packet);
    lock(&w->lock);
    w->awaited = 0;
    (void)pthread_cond_broadcast(&w->changed);
    s = find(w, ticket);
    if (s) {
        tftp_session_feed(s, r, packet, &w->batch);
        is_over = note_end(w, s);
    }
    if (is_over)
        w->all->wake(w->all->ctx);
}

/* A packet has come for that session, if it is still there. */
static void serve(struct worker *w, uint64_t ticket)
{
    struct sink buffer = {.ptr = w->packet, .cap = sizeof(w->packet)};
    struct tftp_session *s;
    bool is_over = false;

    lock(&w->lock);
    s = find(w, ticket);
    if (s) {
        struct bytes packet = {0};
        int r = tftp_wire_take(s->fd, buffer, &packet);

        tftp_session_feed(s, r, packet, &w->batch);
        is_over = note_end(w, s);
    }
    unlock(&w->lock);
    if (is_over)
        w->all->wake(w->all->ctx);
}

static void serve_ready(struct worker *w)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int n;

    unlock(&w->lock);
    n = epoll_wait(w->epoll_fd, events, EVENTS_PER_TURN, WAIT_MS);
    for (int i = 0; i < n; i++)
        serve(w, events[i].data.u64);
    lock(&w->lock);
}

/* A client that waits for one block at a time is answered before it has gone to sleep (docs/decisions/0004). */
static void take_priority(void)
{
    struct sched_param param = {.sched_priority = ROLE_PXE_RT_PRIORITY};

    (void)pthread_setschedparam(pthread_self(), SCHED_RR, &param); /* less is slower, not wrong */
}

static void *run(void *ctx)
{
    struct worker *w = ctx;

    take_priority();
    lock(&w->lock);
    while (!w->is_ending) {
        if (w->only)
            serve_only(w);
        else if (w->n_sessions > 0)
            serve_ready(w);
        else
            (void)pthread_cond_wait(&w->changed, &w->lock);
    }
    unlock(&w->lock);
    return NULL;
}

/* Signals are for the thread that has the loop. */
static int start_thread(struct worker *w)
{
    sigset_t all;
    sigset_t before;
    int r;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&w->thread, NULL, run, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r == 0 ? 0 : ERR(-r);
}

/* Its thread has ended, or was never started. */
static void worker_free(struct worker *w)
{
    if (!w)
        return;
    fd_closep(&w->epoll_fd);
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

DEFINE_FREEP(struct worker *, worker_free);

static int add_worker(struct tftp_workers *all)
{
    OWN(worker_freep) struct worker *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return ERR(-ENOMEM);
    w->all = all;
    (void)pthread_mutex_init(&w->lock, NULL); /* neither can fail on Linux */
    (void)pthread_cond_init(&w->changed, NULL);
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll_fd < 0)
        return ERR(-errno);
    r = start_thread(w);
    if (r < 0)
        return TRACE(r);
    all->workers[all->n++] = TAKE(w);
    return 0;
}

static void tell_end(struct worker *w)
{
    lock(&w->lock);
    w->is_ending = true;
    if (w->only)
        tftp_wire_interrupt(w->only->fd);
    (void)pthread_cond_broadcast(&w->changed);
    unlock(&w->lock);
}

void tftp_workers_free(struct tftp_workers *workers)
{
    if (!workers)
        return;
    for (unsigned i = 0; i < workers->n; i++)
        tell_end(workers->workers[i]);
    for (unsigned i = 0; i < workers->n; i++) {
        (void)pthread_join(workers->workers[i]->thread, NULL);
        worker_free(workers->workers[i]);
    }
    (void)pthread_mutex_destroy(&workers->over_lock);
    free(workers);
}

DEFINE_FREEP(struct tftp_workers *, tftp_workers_free);

int tftp_workers_new(unsigned n_max, tftp_workers_wake *wake, void *ctx, struct tftp_workers **ret)
{
    OWN(tftp_workers_freep) struct tftp_workers *workers = calloc(1, sizeof(*workers));
    int r;

    if (!workers)
        return ERR(-ENOMEM);
    workers->wake = wake;
    workers->ctx = ctx;
    workers->n_max = n_max > 0 && n_max < TFTP_WORKERS_MAX ? n_max : TFTP_WORKERS_MAX;
    (void)pthread_mutex_init(&workers->over_lock, NULL); /* cannot fail on Linux */
    r = add_worker(workers);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(workers);
    return 0;
}

/* n_sessions changes in the caller's thread only. */
static unsigned least_busy(const struct tftp_workers *workers)
{
    unsigned best = 0;

    for (unsigned i = 1; i < workers->n; i++)
        if (workers->workers[i]->n_sessions < workers->workers[best]->n_sessions)
            best = i;
    return best;
}

/* An idle one, or a new one, or who has least to do. */
static unsigned choose_worker(struct tftp_workers *workers)
{
    unsigned best = least_busy(workers);

    if (workers->workers[best]->n_sessions > 0 && workers->n < workers->n_max &&
        add_worker(workers) == 0)
        best = workers->n - 1;
    return best;
}

static int watch(struct worker *w, const struct tftp_session *s)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = s->ticket};

    if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, s->fd, &event) != 0 && errno != EEXIST)
        return ERR(-errno);
    return 0;
}

/* Between lock() and unlock(). */
static int take_in(struct worker *w, struct tftp_session *s)
{
    int r = w->only ? watch(w, w->only) : 0;

    if (r == 0 && w->n_sessions > 0)
        r = watch(w, s);
    if (r < 0)
        return TRACE(r);
    assert(!w->sessions[s->row]);
    w->only = w->n_sessions == 0 ? s : NULL;
    w->sessions[s->row] = s;
    w->n_sessions++;
    (void)pthread_cond_broadcast(&w->changed);
    return 0;
}

int tftp_workers_add(struct tftp_workers *workers, struct tftp_session *s)
{
    unsigned number = choose_worker(workers);
    struct worker *w = workers->workers[number];
    bool is_over = false;
    int r;

    assert(s->is_running && s->ticket != 0 && s->ticket % TFTP_TABLE_ROWS == s->row);

    s->worker = number;
    lock(&w->lock);
    r = take_in(w, s);
    if (r == 0) {
        tftp_session_pump(s, &w->batch);
        is_over = note_end(w, s);
    }
    unlock(&w->lock);
    if (is_over)
        workers->wake(workers->ctx);
    return TRACE(r);
}

void tftp_workers_remove(struct tftp_workers *workers, struct tftp_session *s)
{
    struct worker *w = workers->workers[s->worker];

    lock(&w->lock);
    assert(w->sessions[s->row] == s);
    w->sessions[s->row] = NULL;
    w->n_sessions--;
    if (w->only == s)
        w->only = NULL;
    while (w->awaited == s->ticket) {
        tftp_wire_interrupt(s->fd);
        (void)pthread_cond_wait(&w->changed, &w->lock);
    }
    (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL); /* if it is there */
    unlock(&w->lock);
    delist(workers, s);
}

struct tftp_session *tftp_workers_take_over(struct tftp_workers *workers)
{
    struct tftp_session *s;

    lock(&workers->over_lock);
    s = workers->over;
    unlock(&workers->over_lock);
    if (s)
        tftp_workers_remove(workers, s);
    return s;
}

void tftp_workers_tick(struct tftp_workers *workers, struct tftp_session *s)
{
    struct worker *w = workers->workers[s->worker];
    uint64_t now = tftp_now_us();
    bool is_over = false;

    lock(&w->lock);
    if (!s->is_over && now >= s->deadline_us) {
        tftp_session_pump(s, &w->batch);
        is_over = note_end(w, s);
    }
    unlock(&w->lock);
    if (is_over)
        workers->wake(workers->ctx);
}

bool tftp_workers_is_proven(struct tftp_workers *workers,
                            const struct tftp_session *s,
                            uint64_t *ret_us)
{
    struct worker *w = workers->workers[s->worker];
    bool is_proven;

    lock(&w->lock);
    is_proven = s->send.is_proven;
    *ret_us = s->send.progress_us;
    unlock(&w->lock);
    return is_proven;
}
