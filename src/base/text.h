/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Names of machines and things as text: hexadecimal, MAC addresses, UUIDs; what is UTF-8
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    MAC_BYTES = 6,
    MAC_TEXT_MAX = 18, /* "52:54:00:12:34:56" and the NUL */
    UUID_BYTES = 16,
    UUID_TEXT_MAX = 37, /* "00112233-4455-6677-8899-aabbccddeeff" and the NUL */
    SHA1_BYTES = 20,
    SHA256_BYTES = 32,
    SHA256_TEXT_MAX = 65,
    REQUEST_ID_MAX = 65, /* and the NUL */
};

/**
 * hex_put() - lower-case hexadecimal, with a NUL
 * @dst: room for 2 * @src.len + 1 bytes
 */
void hex_put(char *dst, struct bytes src);

/**
 * hex_parse() - the reverse
 * @src: exactly 2 * @n digits, either case, nothing else
 * @ret: room for @n bytes; untouched unless true is returned
 */
bool hex_parse(struct bytes src, size_t n, uint8_t *ret);

/* "52:54:00:12:34:56", lower case. */
void mac_put(char dst[static MAC_TEXT_MAX], const uint8_t mac[static MAC_BYTES]);

/* Two digits six times, all separated by ':' or all by '-', or by nothing. */
bool mac_parse(struct bytes src, uint8_t ret[static MAC_BYTES]);

/* "00112233-4455-6677-8899-aabbccddeeff", bytes in the order of the text (RFC 9562). */
void uuid_put(char dst[static UUID_TEXT_MAX], const uint8_t uuid[static UUID_BYTES]);
bool uuid_parse(struct bytes src, uint8_t ret[static UUID_BYTES]);

/* Bytes of the character of UTF-8 (RFC 3629) at the beginning of @src, 1 to 4; 0: none that is valid and whole. */
size_t utf8_len(struct bytes src);

bool text_is_utf8(struct bytes src);

/* Whether a request may be called so: 1 to 64 of A-Z a-z 0-9 . _ - */
bool request_id_is_fit(const char *text);

/* How many characters a text of UTF-8 has. */
size_t text_count_characters(const char *text);

/**
 * text_make_utf8() - make text that was cut, or that anybody may have written, UTF-8
 * @text: changed in place, never longer: a character that its end cuts is dropped, each other one that is none becomes '?'
 */
void text_make_utf8(char *text);
