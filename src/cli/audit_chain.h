/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The chain of an exported audit log, without the site (docs/security-roles.md, Audit log)
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/text.h"

/* A zeroed one is before the first record. */
struct audit_chain {
    json_int_t number;          /* of the last record that follows */
    char head[SHA256_TEXT_MAX]; /* its hash */
    const char *why;            /* what is wrong with the one behind it; NULL: nothing yet */
};

/* The next record, as `slipway audit export` writes one in a line. Return: whether it follows. */
bool audit_chain_add(struct audit_chain *chain, const json_t *record);
