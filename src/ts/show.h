/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a group or step is set to, as people may see it
 */

#include <stdbool.h>

#include "ts/tree.h"

struct ts_secret_names;

/* One setting; all borrowed for the call. */
struct ts_shown {
    const char *name;  /* "ImageIndex": what slipway ts step set takes */
    const char *label; /* "Image index" */
    const char *value; /* "***" if it is secret; the text of a script that is kept as Base64 */
    bool is_secret;
};

/* Return: 0 to go on. */
typedef int ts_show_visit(void *ctx, const struct ts_shown *setting);

/**
 * ts_show() - all settings that are there and not what holds anyway
 * @names: of the document (ts/secret_names.h); NULL: what is secret by its name
 *
 * Attributes first, then the condition as one line, then the variables.
 *
 * Return: 0, what @visit ended it with, or -ENOMEM.
 */
int ts_show(const struct ts_secret_names *names,
            const struct ts_tree_item *item,
            ts_show_visit *visit,
            void *ctx);
