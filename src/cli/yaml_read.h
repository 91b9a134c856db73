/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * YAML 1.2 (of which JSON is a part) as JSON values: what people write in files for "slipway apply"
 *
 * Scalars without quotes are null, truth values and numbers as the core schema of YAML 1.2 has them; everything
 * else is text, "yes" and "on" too. Anchors, aliases, tags of one's own and keys that are no text are refused: a
 * file says what it says at the place where it says it.
 */

#include <jansson.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    YAML_READ_MAX_BYTES = 16 * 1024 * 1024,
    YAML_READ_DEPTH_MAX = 32,
    YAML_READ_VALUES_MAX = 1000000,
};

/**
 * yaml_read() - every document of a text
 * @ret: an array with a value per document, owned by the caller; set on 0. Documents that are empty are left out.
 * @why: on outcome 1: "line 7: ..."
 *
 * Return: 0, 1: it cannot be read, or -ENOMEM.
 */
int yaml_read(struct bytes text, json_t **ret, struct buf *why);
