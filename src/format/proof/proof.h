/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What is signed to prove that one has a key (docs/protocol/client-api.md, Device keys)
 *
 * Five lines: a name that no other text signed by these keys begins with, then for what, in answer to which challenge, to which
 * site, and about whom. The last one alone may be any text, so no two proofs have the same bytes.
 */

#include <stdbool.h>

#include "base/bytes.h"

#define PROOF_REGISTRATION \
    "registration"              /* about the boot ticket and the address it was given to */
#define PROOF_TOKEN    "token"  /* about the device that the token is to be for */
#define PROOF_DP_KEY   "dp-key" /* about the token that the distribution point registers it with */
#define PROOF_DP_TOKEN "dp-token" /* about the key itself, which a distribution point is known by */

enum {
    PROOF_MAX_BYTES = 1024,
};

struct proof {
    const char *purpose;   /* PROOF_... */
    const char *challenge; /* as the site gave it */
    const char *pin; /* of the site, 64 hexadecimal digits; "": it is known by its certificate */
    const char *subject;
};

/**
 * proof_put() - the text that is to be signed
 *
 * Return: false if it does not fit, or a line but the last one has a line break in it.
 */
bool proof_put(const struct proof *proof, struct sink *dst);
