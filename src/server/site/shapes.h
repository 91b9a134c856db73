/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The shapes that most handlers for administrators have: who calls, page or body, a rule of src/site, the answer
 */

#include "rt/http_server.h"
#include "site/rows.h"
#include "site/site.h"

typedef int shape_list_rule(struct site *site, const struct page *page, json_t **ret);
typedef int shape_get_rule(struct site *site, const char *id, json_t **ret);
typedef int shape_create_rule(struct site *site, const char *who, const json_t *body, json_t **ret);
typedef int shape_change_rule(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret);
typedef int shape_delete_rule(struct site *site, const char *who, const char *id);

int shape_list(void *ctx, struct http_exchange *x, shape_list_rule *rule);

/* @param: of the path, what the rule looks up */
int shape_get(void *ctx, struct http_exchange *x, const char *param, shape_get_rule *rule);

/* @status: of an answer that is not a refusal; here and below */
int shape_create(void *ctx, struct http_exchange *x, unsigned status, shape_create_rule *rule);

/* For {id}. */
int shape_change(void *ctx, struct http_exchange *x, unsigned status, shape_change_rule *rule);
int shape_delete(void *ctx, struct http_exchange *x, shape_delete_rule *rule);
