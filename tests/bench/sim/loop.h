/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One epoll and the timers of thousands of clients, in one thread
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A descriptor and who is told. Its owner keeps it in place for as long as it is watched. */
struct sim_source {
    int fd;          /* owned by the owner of the source; -1: none */
    uint32_t events; /* of epoll_ctl(2), as they were last asked for */
    void (*ready)(void *ctx, uint32_t events);
    void *ctx;
};

struct sim_timer {
    uint64_t at_us; /* monotonic */
    size_t place;   /* in the heap, from 1; 0: not set */
    void (*fire)(void *ctx);
    void *ctx;
};

struct sim_loop {
    int epoll_fd;            /* owned */
    uint64_t now_us;         /* monotonic, since the last wait */
    struct sim_timer **heap; /* owned; [1] is due first */
    size_t n_timers;
    size_t cap;
    bool is_over; /* whoever sets it ends sim_loop_run() */
};

int sim_loop_init(struct sim_loop *loop);
void sim_loop_fini(struct sim_loop *loop);

/* Watch a descriptor, or watch it for something else. Return: 0 or -errno. */
int sim_loop_watch(struct sim_loop *loop, struct sim_source *source, uint32_t events);

/* Stop watching and close it. Does nothing without a descriptor. */
void sim_loop_close(struct sim_loop *loop, struct sim_source *source);

/* Fire once, at that time; a timer that is set is set anew. Return: 0 or -ENOMEM. */
int sim_timer_set(struct sim_loop *loop, struct sim_timer *timer, uint64_t at_us);
void sim_timer_clear(struct sim_loop *loop, struct sim_timer *timer);

/* Until loop->is_over. Return: 0 or -errno. */
int sim_loop_run(struct sim_loop *loop);
