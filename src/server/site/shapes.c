/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/shapes.h"

#include "base/own.h"
#include "server/site/api.h"

int shape_list(void *ctx, struct http_exchange *x, shape_list_rule *rule)
{
    struct api *api = ctx;
    struct page page;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, false, &page);
    if (r == 0)
        r = rule(api->site, &page, &answer);
    return api_finish(api, x, r, 200, answer);
}

int shape_get(void *ctx, struct http_exchange *x, const char *param, shape_get_rule *rule)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = rule(api->site, http_param(x, param), &answer);
    return api_finish(api, x, r, 200, answer);
}

int shape_create(void *ctx, struct http_exchange *x, unsigned status, shape_create_rule *rule)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = rule(api->site, api->who, body, &answer);
    return api_finish(api, x, r, status, answer);
}

int shape_change(void *ctx, struct http_exchange *x, unsigned status, shape_change_rule *rule)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = rule(api->site, api->who, http_param(x, "id"), body, &answer);
    return api_finish(api, x, r, status, answer);
}

int shape_delete(void *ctx, struct http_exchange *x, shape_delete_rule *rule)
{
    struct api *api = ctx;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = rule(api->site, api->who, http_param(x, "id"));
    return api_finish(api, x, r, 204, NULL);
}
