/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Manifests of the store that no content version of the site has: left by a worker that was killed between writing one and
 * its end, by a job that was cancelled then, or by a site that has forgotten them in another way
 *
 * The site is asked (docs/protocol/content.md), and since when it has not known one is kept in a file, so that an
 * administrator who has started a site with the wrong database has a day to find out.
 */

#include <jansson.h>
#include <stdint.h>

struct http_client;

#define UNNAMED_FILE \
    "dp/staging/unnamed.json" /* below the state folder: {"<sha256>": <seconds since 1970>} */

enum {
    UNNAMED_MAX = 4096,           /* of one collection; the others wait for the next */
    UNNAMED_AGE_S = 24 * 60 * 60, /* they are nobody's for so long before they go */
};

/* Outcome beside 0 */
enum {
    UNNAMED_E_AWAY = 1, /* the site does not say */
};

/**
 * unnamed_find() - those that may go
 * @now_s: seconds since 1970
 * @ret:   ["<sha256>"], owned by the caller; set on 0
 *
 * Return: 0, UNNAMED_E_AWAY, or -errno.
 */
int unnamed_find(const char *state_folder, struct http_client *site, uint64_t now_s, json_t **ret);
