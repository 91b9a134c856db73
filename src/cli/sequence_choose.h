/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which of several task sequences in a file is meant
 */

#include <stdbool.h>
#include <stddef.h>

#include "ts/container.h"

struct session;

/* Whether the one at @i runs the one at @k. */
bool sequence_runs(const struct ts_imports *imports, size_t i, size_t k);

/* Refuse --sequence, if it was said (@wanted), of what the site has. */
bool sequence_choose_from_file(struct session *s, const char *wanted);

/**
 * sequence_choose() - the one that is meant
 * @file:   its name, for messages
 * @wanted: name or id; NULL: the one that no other one of the file runs
 * @ret:    its place in @imports
 *
 * Return: whether there is one, and only one; otherwise it is told which there are (SLW-0717).
 */
bool sequence_choose(struct session *s,
                     const char *file,
                     const struct ts_imports *imports,
                     const char *wanted,
                     size_t *ret);
