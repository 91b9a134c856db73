/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The pin of whoever answers at an address, to be shown to a person and compared with dp's or site's
 */

#include <stdint.h>

#include "base/text.h"

/* Outcome of pin_fetch() beside 0 */
enum {
    PIN_E_UNREACHABLE = 1, /* nobody there who speaks TLS */
};

/**
 * pin_fetch() - SHA-256 of the SubjectPublicKeyInfo of the server's certificate
 * @url: credentials_url_is_fit(), "https://…"; port 443 if it names none
 *
 * Nothing is verified: that is what the pin is for.
 *
 * Return: 0, PIN_E_UNREACHABLE, or -errno.
 */
int pin_fetch(const char *url, uint8_t ret[static SHA256_BYTES]);
