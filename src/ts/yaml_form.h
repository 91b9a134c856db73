/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A task sequence as YAML, for version control: docs/protocol/task-sequence.md
 */

#include "base/buf.h"
#include "base/bytes.h"

struct ts_diags;
struct ts_document;

enum {
    TS_YAML_MAX_BYTES = 8 * 1024 * 1024,
};

/**
 * ts_yaml_put() - write it
 * @ret: appended to
 *
 * What is written has been read again and is equal to the document in canonical form.
 *
 * Return: 0, TS_E_MALFORMED if the document has no canonical form, or -ENOMEM.
 */
int ts_yaml_put(const struct ts_document *doc, struct buf *ret);

/**
 * ts_yaml_parse() - read it
 * @diags: errors on TS_E_MALFORMED, with line and column
 *
 * Return: 0, TS_E_MALFORMED or -ENOMEM.
 */
int ts_yaml_parse(struct bytes text, struct ts_document **ret, struct ts_diags *diags);
