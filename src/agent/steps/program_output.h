/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a program prints: lines for the log while it runs, and the end of it for a variable
 *
 * Bytes that are no text (zero bytes, what is not UTF-8, control characters but tabs and line ends) become '?'. Nothing
 * grows with the output.
 */

#include "agent/steps/step.h"
#include "base/buf.h"
#include "base/bytes.h"

struct program_output {
    struct step_context *c; /* borrowed */
    bool is_silent;         /* not into the log */
    size_t n_logged;
    bool is_full;    /* the log has had all it gets */
    struct buf line; /* begun, not yet in the log */
    struct buf tail; /* at least as much as a variable takes */
};

void program_output_begin(struct program_output *out, struct step_context *c, bool is_silent);
void program_output_feed(struct program_output *out, struct bytes piece);

/* The last line, though it has no end. */
void program_output_end(struct program_output *out);
void program_output_fini(struct program_output *out);

/* The end as text, at least PROGRAM_OUTPUT_TOLD_MAX bytes if there were as many. Nothing of it is taken away. */
void program_output_copy(const struct program_output *out, struct buf *dst);

/* The last characters without the line ends at the end; borrowed. */
const char *program_output_tail(struct program_output *out);
