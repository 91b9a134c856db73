/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The registered user and organization of a Linux system: REGISTERED_USER and REGISTERED_ORGANIZATION of
 * /etc/machine-info, where a system says such things of itself
 */

#include "base/buf.h"

#define REGISTRATION_USER         "REGISTERED_USER"
#define REGISTRATION_ORGANIZATION "REGISTERED_ORGANIZATION"

/* @root: inside_open(); @value: one line; "": take it away. What else the file says stays. Return: 0 or -errno. */
int registration_write(int root, const char *key, const char *value);

/* @ret: appended; nothing if it does not say. Return: 0 or -errno. */
int registration_read(int root, const char *key, struct buf *ret);
