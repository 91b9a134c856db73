/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* Facts as a file, and as the agent registers them: docs/protocol/sequencer.md */

#include <jansson.h>

#include "base/buf.h"
#include "base/bytes.h"

struct ts_table;
struct ts_vars;

enum {
    TS_FACTS_MAX_BYTES = 16 * 1024 * 1024,
    TS_FACTS_REGISTERED_MAX_BYTES = 128 * 1024, /* of a registration, written without spaces */
};

/* Outcome beside 0 */
enum {
    TS_FACTS_E_MALFORMED = 1,
};

/* What such a file holds beside the table. */
struct ts_facts_file {
    struct ts_table *table; /* owned by the caller */
    struct ts_vars *vars;   /* "variables"; owned by the caller */
    unsigned environment;   /* of enum ts_run_in; 0: not said */
};

/**
 * ts_facts_parse() - read it
 * @why: on TS_FACTS_E_MALFORMED, what is wrong is appended
 *
 * Return: 0, TS_FACTS_E_MALFORMED or -ENOMEM.
 */
int ts_facts_parse(struct bytes text, struct ts_facts_file *ret, struct buf *why);

/* The same of what is parsed already. */
int ts_facts_read(const json_t *json, struct ts_facts_file *ret, struct buf *why);

/**
 * ts_facts_put() - the text of such a file, appended
 * @vars: may be NULL; values of secret variables are left out
 */
int ts_facts_put(const struct ts_facts_file *file, struct buf *ret);

/* The same as JSON. @ret: owned by the caller */
int ts_facts_json(const struct ts_facts_file *file, json_t **ret);

/**
 * ts_facts_bound() - leave out classes, the largest first, until the rest fits
 * @json: of ts_facts_json()
 *
 * What is left out cannot be asked for, which is said then; half a class would give wrong answers.
 * Return: how many were left out, or -ENOMEM.
 */
int ts_facts_bound(json_t *json, size_t max_bytes);
