/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Strict INI: slipway.conf, read once into a table's destinations
 *
 *     [section]
 *     key = value      # a comment starts a line with # or ;
 *
 * An unknown section or key, a key given twice and a bad value are errors that name file, line and what
 * is allowed. The table is also what slipway.conf(5) is made from.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum config_type {
    CONFIG_BOOL,   /* yes or no -> bool */
    CONFIG_U64,    /* decimal in min..max -> uint64_t */
    CONFIG_TEXT,   /* -> char * (owned by the struct that holds it) */
    CONFIG_CHOICE, /* one of the words in choices, separated by '|' -> unsigned, its index */
    CONFIG_LIST,   /* words separated by spaces or commas -> char *, normalised to single spaces */
};

struct config_key {
    const char *section;
    const char *name;
    enum config_type type;
    size_t offset; /* of the destination in the struct being filled */
    uint64_t min;  /* CONFIG_U64: value; texts and lists: bytes */
    uint64_t max;
    const char *choices;
    const char *fallback; /* the default, as it would stand in the file; NULL: empty text */
    const char *help;     /* one sentence for the manual */
};

/**
 * config_parse() - fill @dst from @text
 * @keys: ends with .name == NULL
 * @file: name for messages
 * @dst:  a zeroed struct; every key gets its default first; config_fini() releases the texts
 * @why:  on outcome 1: "slipway.conf:12: [site] http-port: 99999 is not allowed: a number from 1 to 65535"
 *
 * Return: 0; 1 if the text is wrong; -ENOMEM.
 */
int config_parse(
    const struct config_key *keys, const char *file, struct bytes text, void *dst, struct buf *why);
void config_fini(const struct config_key *keys, void *dst);
