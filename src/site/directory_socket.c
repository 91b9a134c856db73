/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/directory_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    PORT_TEXT_MAX = 8,
    US_PER_MS = 1000,
    US_PER_S = 1000000,
    NS_PER_US = 1000,
    NS_PER_S = 1000000000,
};

struct directory_dog {
    pthread_mutex_t lock;
    pthread_cond_t is_called;
    pthread_t thread;
    int fd; /* borrowed */
    uint64_t until_us;
    bool is_over;
    bool has_bitten;
};

static void addresses_freep(struct addrinfo **p)
{
    if (*p)
        freeaddrinfo(*p);
}

static int wait_for(int fd, uint64_t until_us)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    uint64_t now_us = clock_monotonic_us();
    int error = 0;
    socklen_t len = sizeof(error);

    if (now_us >= until_us || poll(&poll_fd, 1, (int)((until_us - now_us) / US_PER_MS) + 1) != 1)
        return -ETIMEDOUT;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return -errno;
    return -error;
}

/* Return: the socket, or -errno; that one of several is not reached is nothing to be noted. */
static int dial_one(const struct addrinfo *address, uint64_t until_us)
{
    OWN(fd_closep)
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = 0;
    int ret;

    if (fd < 0)
        return -errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
        r = errno == EINPROGRESS ? wait_for(fd, until_us) : -errno;
    if (r == 0 && fcntl(fd, F_SETFL, 0) != 0)
        r = -errno;
    if (r < 0)
        return r;
    ret = fd;
    fd = -1;
    return ret;
}

int directory_dial(const char *host, uint16_t port, uint64_t until_us)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    OWN(addresses_freep) struct addrinfo *addresses = NULL;
    char port_text[PORT_TEXT_MAX];
    int ret = -EHOSTUNREACH;

    (void)snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
    if (getaddrinfo(host, port_text, &hints, &addresses) != 0)
        return -EHOSTUNREACH;
    for (const struct addrinfo *at = addresses; at && ret < 0; at = at->ai_next)
        ret = dial_one(at, until_us);
    return ret;
}

/* By the clock that conditions know; ours goes on while the machine sleeps. */
static struct timespec until_time(uint64_t until_us)
{
    uint64_t now_us = clock_monotonic_us();
    uint64_t left_us = until_us > now_us ? until_us - now_us : 0;
    struct timespec ret;

    (void)clock_gettime(CLOCK_MONOTONIC, &ret);
    ret.tv_sec += (time_t)(left_us / US_PER_S);
    ret.tv_nsec += (long)(left_us % US_PER_S) * NS_PER_US;
    if (ret.tv_nsec >= NS_PER_S) {
        ret.tv_nsec -= NS_PER_S;
        ret.tv_sec++;
    }
    return ret;
}

static void *watch(void *arg)
{
    struct directory_dog *dog = arg;

    (void)pthread_mutex_lock(&dog->lock);
    while (!dog->is_over && clock_monotonic_us() < dog->until_us) {
        const struct timespec until = until_time(dog->until_us);

        (void)pthread_cond_timedwait(&dog->is_called, &dog->lock, &until);
    }
    if (!dog->is_over) {
        dog->has_bitten = true;
        (void)shutdown(dog->fd, SHUT_RDWR);
    }
    (void)pthread_mutex_unlock(&dog->lock);
    return NULL;
}

int directory_dog_new(int fd, uint64_t until_us, struct directory_dog **ret)
{
    struct directory_dog *dog = calloc(1, sizeof(*dog));
    pthread_condattr_t monotonic;
    sigset_t all;
    sigset_t before;
    int r;

    if (!dog)
        return ERR(-ENOMEM);
    dog->fd = fd;
    dog->until_us = until_us;
    (void)pthread_mutex_init(&dog->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&dog->is_called, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&dog->thread, NULL, watch, dog);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0) {
        free(dog);
        return ERR(-r);
    }
    *ret = dog;
    return 0;
}

void directory_dog_wait_until(struct directory_dog *dog, uint64_t until_us)
{
    (void)pthread_mutex_lock(&dog->lock);
    dog->until_us = until_us;
    (void)pthread_cond_signal(&dog->is_called);
    (void)pthread_mutex_unlock(&dog->lock);
}

bool directory_dog_has_bitten(struct directory_dog *dog)
{
    bool ret;

    (void)pthread_mutex_lock(&dog->lock);
    ret = dog->has_bitten;
    (void)pthread_mutex_unlock(&dog->lock);
    return ret;
}

void directory_dog_free(struct directory_dog *dog)
{
    if (!dog)
        return;
    (void)pthread_mutex_lock(&dog->lock);
    dog->is_over = true;
    (void)pthread_cond_signal(&dog->is_called);
    (void)pthread_mutex_unlock(&dog->lock);
    (void)pthread_join(dog->thread, NULL);
    (void)pthread_cond_destroy(&dog->is_called);
    (void)pthread_mutex_destroy(&dog->lock);
    free(dog);
}
