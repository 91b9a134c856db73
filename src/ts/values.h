/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* Where the settings of a step come from: its own variables, or those of the task sequence when it runs. */

struct ts_values {
    /* The text of one, "" if it does not exist; borrowed until the step ends. */
    const char *(*get)(void *ctx, const char *name);
    void *ctx;
};
