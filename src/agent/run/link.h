/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The way to the site: its URLs, its pin, our key and the token that we have for it (docs/protocol/client-api.md, Device keys)
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plat/signature.h"
#include "rt/http_client.h"

enum {
    LINK_URLS_MAX = 8,
    LINK_URL_MAX = 256,
    LINK_TOKEN_MAX = 256,
    LINK_DEVICE_MAX = 64,
};

struct link_options {
    char urls[LINK_URLS_MAX][LINK_URL_MAX]; /* "https://10.77.0.1:443" */
    size_t n_urls;
    bool has_pin; /* without it the system's certificate authorities are asked */
    uint8_t pin[SHA256_BYTES];
    const char *unix_socket; /* instead of the network; NULL */
};

struct link;

/* Outcomes of link_json() and link_text() beside 0 */
enum {
    LINK_E_AWAY = 1, /* nobody answers at any of the URLs: worth another try */
    LINK_E_PIN = 2,  /* somebody answers who does not have the site's key */
};

/* Split "https://a:443,https://b" into options. Return: whether it is a list of https (or http) URLs. */
bool link_options_set_urls(struct link_options *options, const char *list);

int link_new(const struct link_options *options, struct link **ret);
void link_free(struct link *link);

/* What it was made from. */
const struct link_options *link_get_options(const struct link *link);

/* Make a key of our own; take one that was kept, with the device that it is registered for. */
int link_make_key(struct link *link);
int link_set_key(struct link *link,
                 const uint8_t secret[static SIGNATURE_KEY_BYTES],
                 const char *device_id);

/* Its secret half, SIGNATURE_KEY_BYTES; NULL: there is none. */
const uint8_t *link_key(const struct link *link);

/**
 * link_prove() - that we have the key: {"public", "challenge", "signature"}
 * @purpose: PROOF_...
 * @subject: what it is about
 *
 * Return: 0, an outcome of link_json(), or -errno.
 */
int link_prove(struct link *link, const char *purpose, const char *subject, json_t **ret);

/**
 * link_take_token() - what all later calls carry
 * @answer: of the registration: "device_id", "token", "token_life_s"
 *
 * From then on it is renewed in time, and if the site does not take it any more.
 */
int link_take_token(struct link *link, const json_t *answer);

/* The token as it is at each moment, for somebody who calls the site by himself, in any thread: renewed in time, and if it is refused. */
struct http_tokens link_tokens(struct link *link);

/* Why the last call had an outcome: a sentence. */
const char *link_why(const struct link *link);

/**
 * link_json() - one call; a URL at which nobody answers is followed by the next, once around
 * @path: "/api/v1/client/..."
 * @body: borrowed; NULL: none
 * @ret_status: the HTTP status
 * @ret: owned by the caller; NULL when there is no body
 *
 * An answer that is not JSON counts as nobody answering: something stands between us and the site.
 */
int link_json(struct link *link,
              const char *method,
              const char *path,
              const json_t *body,
              unsigned *ret_status,
              json_t **ret);

/* The same with text/plain; the answer's body is dropped. */
int link_text(struct link *link,
              const char *method,
              const char *path,
              struct bytes text,
              unsigned *ret_status);
