/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What runs a script: its first line, or PowerShell
 *
 * A script that begins with #! is run by the program named there, whatever it is; it is started by us, so that it
 * may lie on a volume from which nothing can be executed. Anything else is for PowerShell.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"

struct ts_script_words; /* ts/script_words.h */

/**
 * script_find_interpreter() - begin the command for a script
 * @text: of the script; its first line counts
 * @name: of the script, for its ending when it has no #!: ".sh" is /bin/sh's; may be ""
 * @policy: PowerShell's execution policy; ""
 *
 * Return: false if it is for PowerShell, and there is none.
 */
bool script_find_interpreter(struct ts_script_words *w,
                             struct bytes text,
                             const char *name,
                             const char *policy);

/* The source of a step: Base64 of UTF-16 or UTF-8. Return: whether it is that; @ret holds UTF-8 with Unix' line ends
   if it begins with #!. */
bool script_decode(const char *source, struct buf *ret);
