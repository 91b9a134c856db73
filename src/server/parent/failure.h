/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Why the server does not start or does not go on: one line, an exit status, an error id with a page
 *
 * slipwayd(8) lists the statuses.
 */

enum parent_exit {
    PARENT_EXIT_OK = 0,
    PARENT_EXIT_INTERNAL = 1,         /* SLW-0018 */
    PARENT_EXIT_USAGE = 2,            /* SLW-0019 */
    PARENT_EXIT_ALREADY_RUNNING = 10, /* SLW-0010 */
    PARENT_EXIT_PORT_IN_USE = 11,     /* SLW-0011 */
    PARENT_EXIT_NO_PERMISSION = 12,   /* SLW-0012 */
    PARENT_EXIT_DISK_FULL = 13,       /* SLW-0013 */
    PARENT_EXIT_NEWER_SCHEMA = 14,    /* SLW-0014 */
    PARENT_EXIT_BAD_CONFIG = 15,      /* SLW-0015 */
    PARENT_EXIT_NO_NGINX = 16,        /* SLW-0016 */
    PARENT_EXIT_BAD_KEYS = 17,        /* SLW-0017 */
    PARENT_EXIT_JOIN_TOKEN = 20,      /* SLW-0340; of slipwayd join, like the next four */
    PARENT_EXIT_JOINED = 21,          /* SLW-0341 */
    PARENT_EXIT_JOIN_PIN = 22,        /* SLW-0342 */
    PARENT_EXIT_JOIN_AWAY = 23,       /* SLW-0343 */
    PARENT_EXIT_JOIN_REFUSED = 24,    /* SLW-0344 */
    PARENT_EXIT_EXTRACT = 25,         /* something in the file was left out; the id says why */
    PARENT_EXIT_STORE_FORMAT = 26,    /* SLW-0360 */
    PARENT_EXIT_DATABASE = 27,        /* SLW-0020; of migrate-database, backup and restore */
};

/* "slipwayd: SLW-0011: ..." on standard error. Return: @status. */
__attribute__((format(printf, 2, 3))) int
parent_fail(enum parent_exit status, const char *format, ...);

/**
 * parent_fail_errno() - the same for an operation that ended with @r, a negative errno
 * @what: "cannot make the folder /var/lib/slipway/dp"
 *
 * Return: the status that fits the errno: no permission, disk full, or internal.
 */
int parent_fail_errno(int r, const char *what, const char *on);
