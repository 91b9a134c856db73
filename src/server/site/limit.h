/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How many requests one administrator, or one address, may make: a bucket of tokens for each, filled at a steady rate
 *
 * In memory, and shared by the threads of this process; of several site servers each has its own.
 */

#include <stdbool.h>
#include <stdint.h>

struct limit;

enum {
    LIMIT_BURST_S = 10, /* a full bucket is what comes in so many seconds */
    LIMIT_NAME_MAX = 72,
};

/* @per_s: tokens in a second; 0: no limit */
int limit_new(uint64_t per_s, struct limit **ret);
void limit_free(struct limit *limit);

/**
 * limit_take() - one more request
 * @name:   whose bucket
 * @now_us: monotonic
 *
 * Return: whether there was a token.
 */
bool limit_take(struct limit *limit, const char *name, uint64_t now_us);
