/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/prove.h"

#include <errno.h>

#include "base/err.h"
#include "base/text.h"

int prove(const uint8_t secret[static SIGNATURE_KEY_BYTES], const struct proof *about, json_t **ret)
{
    uint8_t text[PROOF_MAX_BYTES];
    struct sink dst = {.ptr = text, .cap = sizeof(text)};
    uint8_t public_half[SIGNATURE_KEY_BYTES];
    uint8_t signature[SIGNATURE_BYTES];
    char public_text[SIGNATURE_KEY_TEXT_MAX];
    char signature_text[SIGNATURE_TEXT_MAX];
    int r;

    if (!about->challenge || !proof_put(about, &dst))
        return PROVE_E_UNFIT;
    r = signature_public(secret, public_half);
    if (r == 0)
        r = signature_make(secret, (struct bytes){text, dst.len}, signature);
    if (r < 0)
        return TRACE(r);
    hex_put(public_text, (struct bytes){public_half, sizeof(public_half)});
    hex_put(signature_text, (struct bytes){signature, sizeof(signature)});
    *ret = json_pack("{s:s, s:s, s:s}",
                     "public",
                     public_text,
                     "challenge",
                     about->challenge,
                     "signature",
                     signature_text);
    return *ret ? 0 : ERR(-ENOMEM);
}
