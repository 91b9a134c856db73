/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Asking a person, at the controlling terminal whatever the standard streams are
 */

#include <stdbool.h>

#include "base/buf.h"

/* Outcomes of terminal_ask() beside 0 */
enum {
    TERMINAL_E_NONE = 1,      /* there is no terminal */
    TERMINAL_E_CANCELLED = 2, /* Ctrl-C, Ctrl-D, or too long */
};

/**
 * terminal_ask() - print @question, read one line
 * @is_secret: do not show what is typed
 * @ret:       the line without its end
 *
 * Return: 0, an outcome, or -errno.
 */
int terminal_ask(const char *question, bool is_secret, struct buf *ret);
