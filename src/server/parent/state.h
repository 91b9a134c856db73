/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The state folder: its lock, its folders, who owns them (ARCHITECTURE.md)
 */

#include <stdbool.h>
#include <sys/types.h>

#include "server/parent/users.h"

/* Outcome of state_lock() beside 0 */
enum {
    STATE_E_LOCKED = 1,
};

/**
 * state_lock() - be the only server of this folder, for as long as the process lives
 * @ret_fd:    owned; closing it gives the lock back
 * @ret_owner: on STATE_E_LOCKED, process id of the other one; 0 if it did not say
 */
int state_lock(const char *folder, int *ret_fd, pid_t *ret_owner);

/**
 * state_make() - make what is missing, and give everything to its owner
 * @is_remote: without the role site: nginx serves run/roles.sock in its place
 * @ret_failed: on failure, what could not be made; a static string relative to @folder
 */
int state_make(const char *folder,
               const struct users *users,
               bool is_remote,
               const char **ret_failed);

/**
 * state_check_space() - whether a little can still be written
 *
 * Return: 0, or -ENOSPC, or another -errno.
 */
int state_check_space(const char *folder);
