/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What those share who use wimlib: it is started once, and its messages are caught
 *
 * wimlib writes warnings and errors as text to one stream per process. They are kept here, because a
 * warning may mean that something was not restored, and an error's text says which file it was about.
 */

#include <stddef.h>

#include "base/buf.h"

/**
 * wim_start() - before a task for wimlib: starts the library once, and drops what it said before
 *
 * Not for two threads at once.
 */
int wim_start(void);

/**
 * wim_messages_take() - what wimlib has said since the last call
 * @ret: appended, one line each; at most a few KiB are kept
 *
 * Return: how many lines were warnings or errors.
 */
size_t wim_messages_take(struct buf *ret);

/**
 * wim_explain() - why a call of wimlib failed: the errors among what it has said, or else what its code means
 * @code: of enum wimlib_error_code
 * @ret:  appended, on one line
 */
void wim_explain(int code, struct buf *ret);
