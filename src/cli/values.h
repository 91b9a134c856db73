/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * NAME=VALUE as it is typed; a value that nobody may see comes from a file, since everybody can read command lines
 *
 *     NAME=VALUE      NAME=@FILE      NAME=@- (standard input)      NAME=@@VALUE (which begins with @)
 */

#include <stdbool.h>

#include "base/buf.h"
#include "cli/session.h"

enum {
    VALUES_NAME_MAX_BYTES = 1024,
    VALUES_VALUE_MAX_BYTES = 1024 * 1024,
};

/**
 * values_read() - the two parts
 * @name, @value:  appended; a line end at the end of a file is no part of the value
 * @ret_is_hidden: whether the value stood in a file
 */
bool values_read(
    struct session *s, const char *text, struct buf *name, struct buf *value, bool *ret_is_hidden);

/* Report that a secret value was given on the command line. Return: false. */
bool values_refuse_open(struct session *s, const char *name);
