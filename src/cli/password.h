/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A password from the terminal or a file, never from the command line
 */

#include <stdbool.h>

#include "base/buf.h"
#include "cli/session.h"

enum {
    PASSWORD_ASK_MAX_BYTES = 4096,
};

/**
 * password_read() - from where the option says, or the terminal
 * @from:     "@FILE", "@-" (standard input), or NULL: ask
 * @question: "Password of ada: "
 * @is_new:   ask twice
 * @ret:      password_wipe()
 */
bool password_read(
    struct session *s, const char *from, const char *question, bool is_new, struct buf *ret);

/* Fits OWN(). */
void password_wipe(struct buf *password);
