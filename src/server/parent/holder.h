/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which process has a port, from /proc
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"

struct holder {
    pid_t pid;
    char name[64]; /* of its program, fit to be shown */
};

/**
 * holder_find_inode() - the socket that has a port, in the text of /proc/net/udp or tcp
 * @table:         the whole text
 * @is_listening:  only a socket that accepts connections counts (TCP)
 * @ret:           inode number of the socket
 *
 * Return: false if none has it.
 */
bool holder_find_inode(struct bytes table, uint16_t port, bool is_listening, uint64_t *ret);

/**
 * holder_find() - the process
 *
 * Return: false if nobody has the port, or we may not see who.
 */
bool holder_find(bool is_tcp, uint16_t port, struct holder *ret);

/* Whether the working directory of a process is @folder. */
bool holder_works_in(pid_t pid, const char *folder);
