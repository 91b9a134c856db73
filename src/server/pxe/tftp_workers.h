/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The threads that work the transfers of the TFTP service: docs/decisions/0004-threads-for-tftp.md
 *
 *     tftp_workers_new(0, wake, service, &workers);
 *     tftp_workers_add(workers, s);
 *     then, for each session now and then:   tftp_workers_tick(workers, s);
 *     and after each @wake:                  while ((s = tftp_workers_take_over(workers))) …
 *
 * A session is worked by one thread for its whole life, and while there are few sessions each has a thread to itself.
 * All of a session's state is behind its thread's lock, which is held for one packet of one client at a time. Whatever
 * is not a packet of a client (requests, deadlines, what became of a transfer) stays with the thread that calls these
 * functions, always the same one. Threads are started when they are first needed, and then stay.
 */

#include "server/pxe/tftp_session.h"
#include "server/pxe/tftp_table.h"

enum {
    TFTP_WORKERS_MAX = 64,
};

struct tftp_workers;

/* Sessions are over. Called in any of the threads; must not call back. */
typedef void tftp_workers_wake(void *ctx);

/**
 * tftp_workers_new() - start the first thread
 * @n_max: how many there may be; 0: TFTP_WORKERS_MAX, which is also the most
 */
int tftp_workers_new(unsigned n_max, tftp_workers_wake *wake, void *ctx, struct tftp_workers **ret);

/* Ends the threads, and drops the sessions that they have without freeing them. NULL does nothing. */
void tftp_workers_free(struct tftp_workers *workers);

/**
 * tftp_workers_add() - lend an opened session to the thread that has the fewest, and send its first packet
 *
 * Until tftp_workers_take_over() or _remove() nothing of @s may be read but what tftp_session_open() leaves alone.
 *
 * Return: 0, or -errno: then @s is still the caller's.
 */
int tftp_workers_add(struct tftp_workers *workers, struct tftp_session *s);

/* Take @s back, over or not. Waits until its thread has let go of it, which takes no longer than sending a window. */
void tftp_workers_remove(struct tftp_workers *workers, struct tftp_session *s);

/* Take back a session that is over. Return: NULL if there is none. */
struct tftp_session *tftp_workers_take_over(struct tftp_workers *workers);

/* Send again what was not answered in time. */
void tftp_workers_tick(struct tftp_workers *workers, struct tftp_session *s);

/* Whether the client has acknowledged anything; then @ret_us is when it last did. */
bool tftp_workers_is_proven(struct tftp_workers *workers,
                            const struct tftp_session *s,
                            uint64_t *ret_us);
