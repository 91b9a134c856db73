/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A wire of a given length: wiredelay NETNS_A TAP_A NETNS_B TAP_B DELAY_US
 *
 * Makes a tap in each of two network namespaces and carries every frame from one to the other, DELAY_US later. For
 * kernels without netem. Says "ready" on standard output when both taps are there; ends with SIGTERM.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

enum {
    FRAME_MAX = 2048,
    FRAMES_MAX = 8192, /* under way in one direction; more are lost */
    FRAMES_PER_TURN = 64,
    DELAY_MAX_US = 1000 * 1000,
};

struct frame {
    uint64_t due_ns;
    size_t len;
    uint8_t bytes[FRAME_MAX];
};

/* One direction: a ring of frames, the oldest first; all have the same delay, so they are in order of time. */
struct direction {
    int from;
    int to;
    struct frame *ring;
    size_t head;
    size_t n;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int open_tap(const char *netns, const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    char path[256];
    int n = snprintf(path, sizeof(path), "/run/netns/%s", netns);

    if (n < 0 || (size_t)n >= sizeof(path) || strlen(name) >= sizeof(request.ifr_name))
        return -1;

    int ns = open(path, O_RDONLY | O_CLOEXEC);

    if (ns < 0 || setns(ns, CLONE_NEWNET) != 0)
        return -1;
    (void)close(ns);
    memcpy(request.ifr_name, name, strlen(name) + 1);

    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (tap < 0 || ioctl(tap, TUNSETIFF, &request) != 0)
        return -1;
    return tap;
}

static void take_in(struct direction *d, uint64_t delay_ns)
{
    for (unsigned i = 0; i < FRAMES_PER_TURN; i++) {
        struct frame lost;
        struct frame *f = d->n < FRAMES_MAX ? &d->ring[(d->head + d->n) % FRAMES_MAX] : &lost;
        ssize_t len = read(d->from, f->bytes, sizeof(f->bytes));

        if (len <= 0)
            return;
        if (f == &lost)
            continue;
        f->len = (size_t)len;
        f->due_ns = now_ns() + delay_ns;
        d->n++;
    }
}

static void let_out(struct direction *d)
{
    while (d->n > 0 && d->ring[d->head].due_ns <= now_ns()) {
        struct frame *f = &d->ring[d->head];

        if (write(d->to, f->bytes, f->len) < 0 && errno == EBADF)
            abort();
        d->head = (d->head + 1) % FRAMES_MAX;
        d->n--;
    }
}

static uint64_t next_due_ns(const struct direction *a, const struct direction *b)
{
    uint64_t due_a = a->n > 0 ? a->ring[a->head].due_ns : UINT64_MAX;
    uint64_t due_b = b->n > 0 ? b->ring[b->head].due_ns : UINT64_MAX;

    return due_a < due_b ? due_a : due_b;
}

static void turn(struct direction *a, struct direction *b, uint64_t delay_ns)
{
    struct pollfd fds[] = {{.fd = a->from, .events = POLLIN}, {.fd = b->from, .events = POLLIN}};
    uint64_t due = next_due_ns(a, b);
    uint64_t now = now_ns();
    uint64_t wait = due > now ? due - now : 0;
    struct timespec timeout = {(time_t)(wait / 1000000000u), (long)(wait % 1000000000u)};

    if (ppoll(fds, 2, due == UINT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR)
        abort();
    if (fds[0].revents)
        take_in(a, delay_ns);
    if (fds[1].revents)
        take_in(b, delay_ns);
    let_out(a);
    let_out(b);
}

int main(int argc, char **argv)
{
    uint64_t delay_us = 0;

    if (argc != 6 || !bytes_parse_u64(bytes_of(argv[5]), 0, DELAY_MAX_US, &delay_us)) {
        (void)fprintf(stderr, "usage: %s NETNS_A TAP_A NETNS_B TAP_B DELAY_US\n", argv[0]);
        return 2;
    }

    int a = open_tap(argv[1], argv[2]);
    int b = open_tap(argv[3], argv[4]);
    struct direction there = {a, b, calloc(FRAMES_MAX, sizeof(struct frame)), 0, 0};
    struct direction back = {b, a, calloc(FRAMES_MAX, sizeof(struct frame)), 0, 0};

    if (a < 0 || b < 0 || !there.ring || !back.ring) {
        perror("wiredelay");
        return 1;
    }
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    (void)puts("ready");
    (void)fflush(stdout);
    for (;;)
        turn(&there, &back, delay_us * 1000);
}
