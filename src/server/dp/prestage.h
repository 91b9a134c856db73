/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The names in a file of prestaged content (docs/protocol/content.md)
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define PRESTAGE_HEAD_NAME "slipway-prestage"
#define PRESTAGE_HEAD_LINE "slipway-prestage 1\n"

enum {
    PRESTAGE_NAME_MAX = 80,
    PRESTAGE_HEAD_MAX_BYTES = 4 * 1024 * 1024,
};

enum prestage_kind {
    PRESTAGE_OTHER,
    PRESTAGE_HEAD,
    PRESTAGE_PACK,
    PRESTAGE_MANIFEST,
};

/**
 * prestage_name_read() - what a member is
 * @ret_sha256: set for packs and manifests
 */
enum prestage_kind prestage_name_read(const char *name, uint8_t ret_sha256[static SHA256_BYTES]);

/* "packs/ab/abcd…" or "manifests/abcd…" */
void prestage_name_put(enum prestage_kind kind,
                       const uint8_t sha256[static SHA256_BYTES],
                       char dst[static PRESTAGE_NAME_MAX]);
