/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/backoff.h"

uint64_t backoff_next(uint64_t last_us, uint64_t lived_us)
{
    if (last_us == 0 || lived_us >= BACKOFF_FORGET_US)
        return BACKOFF_FIRST_US;
    if (last_us >= BACKOFF_MOST_US / 2)
        return BACKOFF_MOST_US;
    return last_us * 2;
}
