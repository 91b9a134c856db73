/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * wimlib without its lock
 *
 * wimlib locks a file that it appends to by flock(), and writes by another handle than the one that holds the lock. Of that
 * a client of SMB, and some of NFS, makes a lock at the server, which then refuses the write. wimlib has no
 * switch for it; so flock() is ours in whatever is linked with this, and is the system's but between these two calls.
 */

/* On this thread flock() succeeds and locks nothing, until wim_lock_on(). */
void wim_lock_off(void);
void wim_lock_on(void);
