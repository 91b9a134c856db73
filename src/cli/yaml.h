/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * JSON values as YAML 1.2, block style, which a YAML 1.1 reader understands the same way
 */

#include <jansson.h>

#include "base/buf.h"

/**
 * yaml_put() - a document without "---", ending in a newline
 * @value: not changed (jansson walks no const object)
 *
 * Text that could be taken for anything else is quoted; control characters are escaped.
 */
void yaml_put(struct buf *dst, json_t *value);
