/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Names of computers by pattern: "PC-%serial:6%" (docs/unknown-computers.md). Pure: what is taken is the caller's matter
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NAME_PATTERN_MAX_BYTES = 128,
    NAME_MAX_BYTES = 63,
    NAME_BASE_MAX = 1024,
};

enum name_value {
    NAME_SERIAL,
    NAME_ASSET,
    NAME_MODEL,
    NAME_MANUFACTURER,
    NAME_MAC,
    NAME_ARCH,
    NAME_VALUES,
};

/* Each borrowed; NULL or "": firmware does not say. */
struct name_facts {
    const char *values[NAME_VALUES];
};

struct name_wish {
    const char *pattern;
    unsigned max;    /* bytes, 1..NAME_MAX_BYTES */
    uint64_t number; /* of %counter%, at least 1 */
    unsigned twin;   /* 2 and more: put "-2" behind it, because the name itself is taken */
};

/* Outcomes beside 0 */
enum {
    NAME_RULE_E_PATTERN = 1, /* it is none */
    NAME_RULE_E_EMPTY = 2,   /* a value that it uses is empty */
    NAME_RULE_E_BAD = 3,     /* what comes out is no name of a computer */
};

/**
 * name_rule_check() - is it a pattern, and has it a counter
 * @ret_why: a sentence for people on NAME_RULE_E_PATTERN; static
 */
int name_rule_check(const char *pattern, bool *ret_has_counter, const char **ret_why);

/**
 * name_rule_make() - the name
 *
 * Too long a name loses characters at the beginning of its longest value, never of a counter.
 */
int name_rule_make(const struct name_wish *wish,
                   const struct name_facts *facts,
                   char ret[static NAME_MAX_BYTES + 1]);

/* What a counter counts: the name, uncut and with '#' for the number. Return: as name_rule_make(). */
int name_rule_base(const char *pattern,
                   const struct name_facts *facts,
                   char ret[static NAME_BASE_MAX]);

/**
 * name_rule_why_not() - can a computer be called this, by the rules of Windows, NetBIOS and host names
 *
 * Return: NULL, or what is wrong, a sentence for people; static.
 */
const char *name_rule_why_not(const char *name, unsigned max);
