/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * That one has a key, as the site wants it shown (docs/protocol/client-api.md, Device keys)
 */

#include <jansson.h>
#include <stdint.h>

#include "format/proof/proof.h"
#include "plat/signature.h"

/* Outcome beside 0 */
enum {
    PROVE_E_UNFIT = 1, /* there is no challenge, or one that cannot be signed */
};

/**
 * prove() - sign
 * @about: its challenge may be NULL
 * @ret:   {"public", "challenge", "signature"}; owned
 */
int prove(const uint8_t secret[static SIGNATURE_KEY_BYTES],
          const struct proof *about,
          json_t **ret);
