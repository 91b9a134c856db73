/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What one of several site servers on the same database does: it holds a lease, and another takes it when it is over
 *
 * Time is the database's, since hosts may differ. Who is stopped for longer than its lease may go on for a moment beside the next
 * holder, so what is done under one looks again, in its transaction, at what it changes.
 */

#include <stdbool.h>

#include "site/site.h"

#define LEASE_TICK   "tick"
#define LEASE_TICK_S 15

/**
 * lease_hold() - take it, keep it, or find that another has it
 * @seconds: how long it is good for; renewed when a third of it is over
 * @ret:     whether this site has it now
 */
int lease_hold(struct site *site, const char *name, uint64_t seconds, bool *ret);

/* Another may have it at once. */
int lease_drop(struct site *site, const char *name);
