/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

#define US_PER_S UINT64_C(1000000)

static uint64_t now_us(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) != 0)
        return 0; /* both clocks exist on every Linux */
    return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
    return now_us(CLOCK_BOOTTIME);
}

uint64_t clock_wall_us(void)
{
    return now_us(CLOCK_REALTIME);
}

static struct timespec timespec_of(uint64_t us)
{
    return (struct timespec){
        .tv_sec = (time_t)(us / US_PER_S),
        .tv_nsec = (long)(us % US_PER_S * 1000),
    };
}

int clock_set_wall_us(uint64_t us)
{
    struct timespec when = timespec_of(us);

    if (clock_settime(CLOCK_REALTIME, &when) != 0)
        return ERR(-errno);
    return 0;
}

void clock_put_rfc3339(char dst[static CLOCK_TEXT_MAX], uint64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / US_PER_S);
    struct tm utc = {0};

    if (!gmtime_r(&seconds, &utc))
        memset(&utc, 0, sizeof(utc));
    if (strftime(dst, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        dst[0] = '\0';
}

void clock_sleep_us(uint64_t us)
{
    struct timespec left = timespec_of(us);

    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}
