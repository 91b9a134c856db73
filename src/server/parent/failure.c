/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The error id of a status: not every number in between is taken. */
static unsigned id_of(enum parent_exit status)
{
    switch (status) {
    case PARENT_EXIT_USAGE:
        return 19;
    case PARENT_EXIT_ALREADY_RUNNING:
    case PARENT_EXIT_PORT_IN_USE:
    case PARENT_EXIT_NO_PERMISSION:
    case PARENT_EXIT_DISK_FULL:
    case PARENT_EXIT_NEWER_SCHEMA:
    case PARENT_EXIT_BAD_CONFIG:
    case PARENT_EXIT_NO_NGINX:
    case PARENT_EXIT_BAD_KEYS:
        return (unsigned)status;
    case PARENT_EXIT_JOIN_TOKEN:
        return 340;
    case PARENT_EXIT_JOINED:
        return 341;
    case PARENT_EXIT_JOIN_PIN:
        return 342;
    case PARENT_EXIT_JOIN_AWAY:
        return 343;
    case PARENT_EXIT_JOIN_REFUSED:
        return 344;
    case PARENT_EXIT_STORE_FORMAT:
        return 360;
    case PARENT_EXIT_DATABASE:
        return 20;
    case PARENT_EXIT_EXTRACT:
    case PARENT_EXIT_OK:
    case PARENT_EXIT_INTERNAL:
    default:
        return 18;
    }
}

int parent_fail(enum parent_exit status, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    va_end(args);
    (void)fprintf(stderr, "slipwayd: SLW-%04u: %s\n", id_of(status), text);
    return (int)status;
}

static enum parent_exit status_of(int e)
{
    switch (e) {
    case EACCES:
    case EPERM:
    case EROFS:
        return PARENT_EXIT_NO_PERMISSION;
    case ENOSPC:
    case EDQUOT:
        return PARENT_EXIT_DISK_FULL;
    default:
        return PARENT_EXIT_INTERNAL;
    }
}

int parent_fail_errno(int r, const char *what, const char *on)
{
    return parent_fail(status_of(-r), "%s %s: %s", what, on, strerrordesc_np(-r));
}
