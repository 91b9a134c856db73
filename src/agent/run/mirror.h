/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The state as the site has it: without the order, the key and the values of secrets (docs/protocol/state.md, The mirror)
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct state;
struct ts_step;

/**
 * mirror_make() - what the site is told
 * @step: next_step's; NULL: behind the last
 * @ret: owned by the caller
 */
int mirror_make(const struct state *state,
                size_t n_steps,
                const struct ts_step *step,
                json_t **ret);

/**
 * mirror_resume() - a machine without a state on its disks, whose site was told one before
 * @state: a fresh one with its order; gets position and variables if the rule says that it goes on there
 * @ret: whether it does. It keeps the debugger's break points in any case
 *
 * The rule: it starts over, unless it went down in Format and Partition Disk, and all secret values are in the order.
 */
int mirror_resume(const json_t *mirror, struct state *state, bool *ret);
