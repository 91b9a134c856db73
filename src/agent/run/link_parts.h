/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the files of the link share; nobody else includes it
 */

#include <pthread.h>

#include "agent/run/link.h"

enum {
    LINK_CALL_TIMEOUT_US = 20 * 1000 * 1000,
};

struct link_identity {
    bool has_key;
    uint8_t secret[SIGNATURE_KEY_BYTES];
    char device_id[LINK_DEVICE_MAX]; /* that the key is registered for; "": not yet */
    char token[LINK_TOKEN_MAX];      /* "": none */
    uint64_t renew_us;               /* monotonic: when it is to be renewed; 0: now */
};

struct link {
    struct link_options options;
    struct http_client *client; /* owned; to urls[current]; NULL: to be made */
    char why[256];
    pthread_mutex_t lock; /* of what follows: a step may ask for the token in threads of its own */
    size_t current;       /* URL; changed by the thread that owns the link only */
    struct link_identity identity;
};

/**
 * link_forget_token() - the site does not take it
 * @token: which; kept if there is another one by now. NULL: as it is
 *
 * Return: whether there may be another one.
 */
bool link_forget_token(struct link *link, const char *token);

/**
 * link_get_token() - for a call at the current URL; renewed there if it is time
 * @dst: "" if there is none, nor will be
 *
 * Return: LINK_E_AWAY or LINK_E_PIN: there is none now.
 */
int link_get_token(struct link *link, char *dst, size_t cap);

/* On to the next URL. */
void link_turn(struct link *link);

/* A client for one of the URLs, without a token. */
int link_new_client(const struct link *link, size_t url, struct http_client **ret);
