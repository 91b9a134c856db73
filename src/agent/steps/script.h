/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What runs a script: its first line, or PowerShell
 *
 * A script that begins with #! is run by the program named there, whatever it is; it is started by us, so that it
 * may lie on a volume from which nothing can be executed. Anything else is for PowerShell.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    SCRIPT_WORDS_MAX = 128,
    SCRIPT_TEXT_MAX = 64 * 1024,
};

/* An argument vector with the texts in it. */
struct script_words {
    const char *words[SCRIPT_WORDS_MAX +
                      1]; /* ends with NULL; borrowed from @texts and from who added them */
    size_t n;
    char texts[SCRIPT_TEXT_MAX]; /* for script_words_split() */
    size_t n_used;
};

/* Borrowed. Return: false if there are too many. */
bool script_words_add(struct script_words *w, const char *word);

/**
 * script_words_split() - parameters as people write them: 'one word' "another" third
 *
 * Nothing is replaced in them, and a quote that stands twice within quotes of its kind is one.
 *
 * Return: false if a quote does not end, or there are too many.
 */
bool script_words_split(struct script_words *w, const char *text);

/**
 * script_find_interpreter() - begin the command for a script
 * @text: of the script; its first line counts
 * @name: of the script, for its ending when it has no #!: ".sh" is /bin/sh's; may be ""
 * @policy: PowerShell's execution policy; ""
 *
 * Return: false if it is for PowerShell, and there is none.
 */
bool script_find_interpreter(struct script_words *w,
                             struct bytes text,
                             const char *name,
                             const char *policy);

/* The source of a step: Base64 of UTF-16 or UTF-8. Return: whether it is that; @ret holds UTF-8 with Unix' line ends
   if it begins with #!. */
bool script_decode(const char *source, struct buf *ret);
