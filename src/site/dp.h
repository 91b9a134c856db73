/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Distribution points: the site's own, DP00001, and remote ones that have joined (docs/protocol/content.md)
 *
 * @which, where it stands, is an id or a name.
 */

#include <stdbool.h>
#include <stdint.h>

#include "plat/random.h"
#include "site/named.h"
#include "site/rows.h"
#include "site/site.h"

#define DP_OWN_ID        "DP00001"
#define DP_JOIN_TOKEN_US (UINT64_C(24) * 3600 * 1000000)
#define DP_SILENCE_US    (UINT64_C(90) * 1000000) /* one that was silent so long is not online */

enum {
    DP_ID_MAX = 16,   /* "DP00002" and the NUL */
    DP_NAME_MAX = 50, /* characters */
    DP_SOURCES_MAX = 32,
    DP_ADDRESSES_MAX = 16,
    DP_URL_MAX_BYTES = 255,
};

/* The time since which who was heard of is online. */
uint64_t dp_online_since(const struct site *site);

extern const struct named dp_named;

/* Return: 0 or SITE_E_REFUSED. */
int dp_find(struct site *site, const char *which, char ret[static DP_ID_MAX]);

int dp_list(struct site *site, const struct page *page, json_t **ret);

/* With its sources and its content. */
int dp_get(struct site *site, const char *which, json_t **ret);

/**
 * dp_set() - PATCH /distribution-points/{id}; what is absent stays
 *
 * Members: name, comment, is_disabled, reserve_bytes, schedule, rate_limits, validation_schedule (dp_schedule.h), sources
 * ([{"distribution_point", "priority"}], the smallest number first).
 */
int dp_set(struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/**
 * dp_remove() - forget a distribution point
 * @is_forced: also if it has content; its own host keeps the files
 */
int dp_remove(struct site *site, const char *who, const char *which, bool is_forced);

/* POST /distribution-point-tokens: {"name"}; @ret: {"token", "expires_at", "pin"} */
int dp_create_token(struct site *site, const char *who, const json_t *body, json_t **ret);

/**
 * dp_join() - a host becomes a distribution point; its token is then used up
 * @body:        {"token", "name", "addresses", "http_port", "version", "key"}; "key": a proof of PROOF_DP_KEY about "token"
 * @certificate: the site's, as PEM
 * @ret:         {"id", "site_name", "token", "certificate"}; "token": NULL with a key, which gets others (dp_key.h)
 */
int dp_join(struct site *site, const json_t *body, const char *certificate, json_t **ret);

/**
 * dp_seen() - it asks for work, and says how it is: {"free_bytes", "total_bytes", "version", "http_base"}, all optional
 * @body: NULL: it said nothing
 */
int dp_seen(struct site *site, const char *dp_id, const json_t *body);

/* What time does: tokens end, validation begins; part of site_tick(). */
int dp_tick(struct site *site);

/* Base URLs of the site's own distribution point, the one a client came by (@host, may be NULL or "") first, appended. */
int dp_put_own_urls(const struct site *site, const char *host, json_t *dst);
