/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Following what changes at the site (docs/api/events.md), over broken connections
 */

#include "cli/session.h"
#include "cli/sse.h"

struct follow_options {
    const char *topics; /* separated by commas; NULL: all */
    const char *since;  /* number of the last event that is known; NULL: from now on */
    bool (*take)(void *ctx, const struct sse_event *event); /* false: enough */
    bool (*idle)(
        void *ctx,
        bool
            is_begun); /* about once a second; false: enough. @is_begun: what changes now will be told */
    void *ctx;
};

/**
 * follow_events() - until take() or idle() has enough
 *
 * A stream that breaks is begun again where it was; it is an error when that does not succeed for PATIENCE_US.
 */
bool follow_events(struct session *s, const struct follow_options *options);

/**
 * follow_command() - run a command, and again when something that it shows has changed
 *
 * Its row says by which topics, and when it is over (args_command).
 */
bool follow_command(struct session *s, const struct args *args);
