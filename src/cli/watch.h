/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A deployment as text: redrawn lines for a terminal, one line per change for anything else
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct watch_view {
    unsigned width;  /* cells of the terminal */
    unsigned height; /* lines; devices that do not fit are counted in the last one */
    bool has_colour;
    uint64_t now_us; /* since 1970 */
};

enum watch_result {
    WATCH_GOING, /* a device is not done, or there is none yet */
    WATCH_SUCCEEDED,
    WATCH_PARTIAL, /* all are done, not all succeeded */
};

/**
 * watch_put_screen() - heading, a line per device, a summary
 * @deployment: answer of GET /deployments/{id}
 *
 * Return: lines written, never more than view->height.
 */
unsigned watch_put_screen(struct buf *dst, const json_t *deployment, const struct watch_view *view);

/* A line for each device whose state, step or attempt differs from @before (NULL: all). */
void watch_put_changes(struct buf *dst, const json_t *before, const json_t *now, uint64_t now_us);

/* "2 of 3 succeeded, 1 failed", and a line per failed device with its cause. */
void watch_put_summary(struct buf *dst, const json_t *deployment);

enum watch_result watch_result(const json_t *deployment);
