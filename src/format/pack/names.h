/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A table in memory: SHA-256 to a number
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct names {                /* all zero: empty */
    struct names_slot *slots; /* owned */
    size_t cap;               /* a power of two, or 0 */
    size_t n;
};

/* Release, and empty it; may be called twice. Fits OWN(). */
void names_fini(struct names *names);

/* @number: below UINT64_MAX; replaces the one that is there. Return: 0, or -ENOMEM. */
int names_put(struct names *names, const uint8_t name[static SHA256_BYTES], uint64_t number);

/* Return: whether it is there. */
bool names_get(const struct names *names, const uint8_t name[static SHA256_BYTES], uint64_t *ret);
