/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How far a task sequence is, in words
 */

#include <stddef.h>

#include "base/buf.h"

struct ts_sequence;

/**
 * ts_progress_put() - append the counter of a step that runs
 * @index: of its instruction
 * @level: the value of TSProgressInfoLevel: "1": "2 of 10", "2": "2 of 10 (20% complete)", "3": "(20% complete)", counted as
 *         ts_sequence_count() does; anything else: "2 of 14", of all instructions
 */
void ts_progress_put(const struct ts_sequence *sequence,
                     size_t index,
                     const char *level,
                     struct buf *ret);
