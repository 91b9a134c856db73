/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * fetch_tree() for whoever has the manifest already: fetch.h
 */

#include <stdint.h>

#include "base/text.h"
#include "format/manifest/manifest.h"
#include "rt/transfer/transfer.h"

/* @id: of @manifest. Return: as fetch_tree(). */
int tree_fetch(struct transfer *transfer,
               const struct manifest *manifest,
               const uint8_t id[static SHA256_BYTES],
               const char *target);
