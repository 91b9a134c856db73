/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/err.h"
#include "plat/clock.h"

enum {
    EVENTS_AT_ONCE = 256,
    FIRST_CAP = 1024,
    US_PER_MS = 1000,
};

int sim_loop_init(struct sim_loop *loop)
{
    *loop = (struct sim_loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    if (loop->epoll_fd < 0)
        return ERR(-errno);
    loop->now_us = clock_monotonic_us();
    return 0;
}

void sim_loop_fini(struct sim_loop *loop)
{
    if (loop->epoll_fd >= 0)
        (void)close(loop->epoll_fd);
    loop->epoll_fd = -1;
    free(loop->heap);
    loop->heap = NULL;
}

int sim_loop_watch(struct sim_loop *loop, struct sim_source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    int how = source->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (source->events == events)
        return 0;
    if (epoll_ctl(loop->epoll_fd, how, source->fd, &event) < 0)
        return ERR(-errno);
    source->events = events;
    return 0;
}

void sim_loop_close(struct sim_loop *loop, struct sim_source *source)
{
    if (source->fd < 0)
        return;
    if (source->events != 0)
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    (void)close(source->fd);
    source->fd = -1;
    source->events = 0;
}

static void put(struct sim_loop *loop, size_t place, struct sim_timer *timer)
{
    loop->heap[place] = timer;
    timer->place = place;
}

static void rise(struct sim_loop *loop, struct sim_timer *timer)
{
    size_t at = timer->place;

    for (; at > 1 && loop->heap[at / 2]->at_us > timer->at_us; at /= 2)
        put(loop, at, loop->heap[at / 2]);
    put(loop, at, timer);
}

static void sink(struct sim_loop *loop, struct sim_timer *timer)
{
    size_t at = timer->place;

    for (size_t child = 2 * at; child <= loop->n_timers; child = 2 * at) {
        if (child < loop->n_timers && loop->heap[child + 1]->at_us < loop->heap[child]->at_us)
            child++;
        if (loop->heap[child]->at_us >= timer->at_us)
            break;
        put(loop, at, loop->heap[child]);
        at = child;
    }
    put(loop, at, timer);
}

static int make_room(struct sim_loop *loop)
{
    size_t cap = loop->cap > 0 ? 2 * loop->cap : FIRST_CAP;
    struct sim_timer **heap;

    if (loop->n_timers + 1 < loop->cap)
        return 0;
    heap = reallocarray(loop->heap, cap, sizeof(struct sim_timer *));
    if (!heap)
        return ERR(-ENOMEM);
    loop->heap = heap;
    loop->cap = cap;
    return 0;
}

int sim_timer_set(struct sim_loop *loop, struct sim_timer *timer, uint64_t at_us)
{
    int r = timer->place == 0 ? make_room(loop) : 0;

    if (r < 0)
        return TRACE(r);
    timer->at_us = at_us;
    if (timer->place == 0)
        put(loop, ++loop->n_timers, timer);
    rise(loop, timer);
    sink(loop, timer);
    return 0;
}

void sim_timer_clear(struct sim_loop *loop, struct sim_timer *timer)
{
    size_t place = timer->place;
    struct sim_timer *last;

    if (place == 0)
        return;
    timer->place = 0;
    last = loop->heap[loop->n_timers--];
    if (last == timer)
        return;
    put(loop, place, last);
    rise(loop, last);
    sink(loop, last);
}

static void fire_due(struct sim_loop *loop)
{
    while (loop->n_timers > 0 && loop->heap[1]->at_us <= loop->now_us && !loop->is_over) {
        struct sim_timer *timer = loop->heap[1];

        sim_timer_clear(loop, timer);
        timer->fire(timer->ctx);
    }
}

static int wait_ms(const struct sim_loop *loop)
{
    if (loop->n_timers == 0)
        return -1;
    if (loop->heap[1]->at_us <= loop->now_us)
        return 0;
    return (int)((loop->heap[1]->at_us - loop->now_us + US_PER_MS - 1) / US_PER_MS);
}

int sim_loop_run(struct sim_loop *loop)
{
    struct epoll_event events[EVENTS_AT_ONCE];

    loop->is_over = false;
    while (!loop->is_over) {
        int n = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, wait_ms(loop));

        if (n < 0 && errno != EINTR)
            return ERR(-errno);
        loop->now_us = clock_monotonic_us();
        for (int i = 0; i < n; i++) {
            struct sim_source *source = events[i].data.ptr;

            if (source->fd >= 0)
                source->ready(source->ctx, events[i].events);
        }
        fire_due(loop);
    }
    return 0;
}
