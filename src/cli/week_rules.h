/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Rules for the hours of a week, as they are typed: "mon-fri 8-18 high-only; sat,sun 0-24 open"
 *
 * Days (one, several with commas, a span, or "all"), hours from-to, and a value; rules are separated by ';'. "none" is no
 * rule at all. As the site has them: [{"days", "from_hour", "to_hour", …}].
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum week_rules_value {
    WEEK_RULES_ALLOW,   /* a word, which the site checks */
    WEEK_RULES_RATE,    /* bytes per second: size_parse() */
    WEEK_RULES_NOTHING, /* days and hours are all */
};

/**
 * week_rules_parse() - read them
 * @ret: a list, owned by the caller; set if true is returned
 * @why: what is wrong, in one line, otherwise
 */
bool week_rules_parse(const char *text, enum week_rules_value value, json_t **ret, struct buf *why);

/* A number of bytes: digits and perhaps K, M, G or T, each 1024 times the one before. */
bool size_parse(const char *text, uint64_t *ret);
