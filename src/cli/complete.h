/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What may stand next on a command line: the one source of the completions of bash, zsh and fish
 */

#include "base/buf.h"
#include "cli/args.h"

/**
 * complete_put() - the words that may stand where the last of @words stands
 * @words: what is typed behind the program's name; the last one is the word to be completed, perhaps ""
 * @n:     at least 1
 * @dst:   a line per candidate: the word, a tab, what it is; the line ":file" stands for names of files.
 *         Candidates that do not begin as the last word does are left out.
 */
void complete_put(struct buf *dst,
                  const struct args_command *table,
                  const char *const *words,
                  size_t n);
