/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The entries of a tree, as lines of a manifest; for manifest.c only
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "format/manifest/manifest.h"

/* Split off a word and the space behind it. Return: false without one, or if there is no word. */
bool entry_take_word(struct bytes *line, struct bytes *ret);

/* Digits as they are written: "0" itself, else no leading zero. */
bool entry_parse_number(struct bytes src, uint64_t min, uint64_t max, uint64_t *ret);

/**
 * entry_parse() - read a line
 * @line: without its newline
 * @ret:  owned by the caller, manifest_entry_fini(); set on 0
 *
 * Return: 0, MANIFEST_E_MALFORMED, or -ENOMEM.
 */
int entry_parse(struct bytes line, struct manifest_entry *ret);

/* Append the line, with its newline. */
void entry_put(struct buf *dst, const struct manifest_entry *entry);
