/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "site/oidc_fixture.h"
#include "site/oidc_token.h"
#include "site/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *keys; /* of an issuer, as long as the program runs */

static void make_keys(void)
{
    struct oidc_fixture_key *made[] = {oidc_fixture_key_new("rsa", true),
                                       oidc_fixture_key_new("ec", false)};
    OWN(freep) char *text = oidc_fixture_keys(made, 2);
    char why[OIDC_WHY_MAX];

    if (oidc_keys_parse(bytes_of(text), &keys, why) != 0)
        abort();
    oidc_fixture_key_free(made[0]);
    oidc_fixture_key_free(made[1]);
}

/* Nobody signs by accident. */
static void check_token(struct bytes token, const json_t *with)
{
    static const struct oidc_expected expected = {
        .issuer = "https://id.example.org",
        .client_id = "slipway",
        .groups_claim = "groups",
        .name_claim = "name",
        .now_us = UINT64_C(1800000000) * 1000000,
    };
    struct oidc_claims claims = {.groups = NULL};
    char why[OIDC_WHY_MAX] = "";

    if (oidc_token_check(token, with, &expected, &claims, why) == 0 || !why[0])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(json_freep) json_t *parsed = NULL;
    const uint8_t *border = memchr(data, '\n', size);
    struct bytes text = {data, border ? (size_t)(border - data) : size};
    struct bytes token = {data + text.len + (border ? 1 : 0), size - text.len - (border ? 1 : 0)};
    char why[OIDC_WHY_MAX] = "";

    if (!keys)
        make_keys();
    /* a document of keys, a line's end, and a token that may go with them; or a token alone */
    if (oidc_keys_parse(text, &parsed, why) == 0)
        check_token(token, parsed);
    else if (!why[0])
        abort();
    check_token((struct bytes){data, size}, keys);
    return 0;
}
