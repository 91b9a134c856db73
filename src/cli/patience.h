/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Asking again and again: a site that restarts does not end the watching of it
 */

#include "cli/session.h"

enum {
    PATIENCE_US = 60 * 1000 * 1000, /* without an answer, then it is an error */
};

struct patience {
    uint64_t silent_since_us; /* 0: the last question was answered */
};

/**
 * patience_get() - GET below /api/v1
 * @ret: the answer; NULL if there was none, and it is to be asked again
 *
 * Return: false if it failed for good, which has been reported.
 */
bool patience_get(struct patience *p, struct session *s, const char *path, json_t **ret);
