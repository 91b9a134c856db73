/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/tftp_workers.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    EVENTS_PER_TURN = 16,
    TICKET_OF_BELL = 0, /* no session has it */
};

struct worker {
    struct tftp_workers *all;
    pthread_t thread;
    int epoll_fd; /* owned */
    unsigned n_sessions;
    pthread_mutex_t lock;
    /* behind the lock: */
    struct tftp_session *sessions[TFTP_TABLE_ROWS]; /* borrowed; by row */
    struct tftp_batch batch;
    uint8_t packet[TFTP_WIRE_REQUEST_MAX];
};

struct tftp_workers {
    tftp_workers_wake *wake;
    void *ctx;
    int bell_fd; /* owned; readable: the end */
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

/* Between lock() and unlock(). Return: whether it is over now. */
static bool pump(struct worker *w, struct tftp_session *s)
{
    tftp_session_pump(s, &w->batch);
    if (s->is_over)
        enlist(w->all, s);
    return s->is_over;
}

/* A packet has come for that session, if it is still there. Return: whether it is over now. */
static bool work(struct worker *w, uint64_t ticket)
{
    struct sink buffer = {.ptr = w->packet, .cap = sizeof(w->packet)};
    struct tftp_session *s;
    bool is_over = false;

    lock(&w->lock);
    s = w->sessions[ticket % TFTP_TABLE_ROWS];
    if (s && s->ticket == ticket && !s->is_over) {
        tftp_session_take(s, buffer, &w->batch);
        is_over = s->is_over;
    }
    if (is_over)
        enlist(w->all, s);
    unlock(&w->lock);
    return is_over;
}

/* Return: false when the bell was rung. */
static bool turn(struct worker *w)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int n = epoll_wait(w->epoll_fd, events, EVENTS_PER_TURN, -1);

    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == TICKET_OF_BELL)
            return false;
        if (work(w, events[i].data.u64))
            w->all->wake(w->all->ctx);
    }
    return true;
}

static void *run(void *ctx)
{
    while (turn(ctx))
        continue;
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
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

DEFINE_FREEP(struct worker *, worker_free);

static int add_worker(struct tftp_workers *all)
{
    struct epoll_event bell = {.events = EPOLLIN, .data.u64 = TICKET_OF_BELL};
    OWN(worker_freep) struct worker *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return ERR(-ENOMEM);
    w->all = all;
    (void)pthread_mutex_init(&w->lock, NULL); /* cannot fail on Linux */
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll_fd < 0 || epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, all->bell_fd, &bell) != 0)
        return ERR(-errno);
    r = start_thread(w);
    if (r < 0)
        return TRACE(r);
    all->workers[all->n++] = TAKE(w);
    return 0;
}

void tftp_workers_free(struct tftp_workers *workers)
{
    if (!workers)
        return;
    if (workers->n > 0 && eventfd_write(workers->bell_fd, 1) != 0)
        abort(); /* the threads would go on in memory that is no more */
    for (unsigned i = 0; i < workers->n; i++)
        (void)pthread_join(workers->workers[i]->thread, NULL);
    for (unsigned i = 0; i < workers->n; i++)
        worker_free(workers->workers[i]);
    fd_closep(&workers->bell_fd);
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
    workers->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (workers->bell_fd < 0)
        return ERR(-errno);
    r = add_worker(workers);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(workers);
    return 0;
}

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

int tftp_workers_add(struct tftp_workers *workers, struct tftp_session *s)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = s->ticket};
    unsigned number = choose_worker(workers);
    struct worker *w = workers->workers[number];
    bool is_over;

    assert(s->is_running && s->ticket % TFTP_TABLE_ROWS == s->row && s->ticket != TICKET_OF_BELL);

    if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, s->fd, &event) != 0)
        return ERR(-errno);
    s->worker = number;
    w->n_sessions++;
    lock(&w->lock);
    assert(!w->sessions[s->row]);
    w->sessions[s->row] = s;
    is_over = pump(w, s);
    unlock(&w->lock);
    if (is_over)
        workers->wake(workers->ctx);
    return 0;
}

void tftp_workers_remove(struct tftp_workers *workers, struct tftp_session *s)
{
    struct worker *w = workers->workers[s->worker];

    lock(&w->lock);
    assert(w->sessions[s->row] == s);
    w->sessions[s->row] = NULL;
    fd_closep(&s->fd); /* and so nobody waits for it any more */
    unlock(&w->lock);
    delist(workers, s);
    w->n_sessions--;
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
    if (!s->is_over && now >= s->deadline_us)
        is_over = pump(w, s);
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
