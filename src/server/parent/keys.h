/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The site's TLS key, its certificate and its pin, made once
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct keys_options {
    const char *folder; /* STATE/keys */
    const char *site_name;
    const char *addresses; /* separated by spaces: names in the certificate */
    uint32_t owner_uid;    /* who may read the key: nginx */
    uint32_t owner_gid;
};

/* Outcome beside 0 */
enum {
    KEYS_E_DAMAGED = 1, /* there is a key, but it cannot be read or the certificate is not of it */
};

/* A name that every site's certificate has, whatever addresses: who trusts nothing but that certificate asks for it. */
#define KEYS_SITE_NAME "site.slipway.internal"

/**
 * keys_pin_of_certificate() - the pin of a certificate's key
 * @pem: the certificate
 *
 * Return: 0, KEYS_E_DAMAGED, or -errno.
 */
int keys_pin_of_certificate(struct bytes pem, uint8_t ret_pin[static SHA256_BYTES]);

/**
 * keys_ensure() - make key, certificate and pin where they are missing; check them where they are
 * @ret_pin: SHA-256 of the key's SubjectPublicKeyInfo
 */
int keys_ensure(const struct keys_options *options, uint8_t ret_pin[static SHA256_BYTES]);
