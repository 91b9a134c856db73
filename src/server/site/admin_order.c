/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin_order.h"

#include "base/own.h"
#include "server/site/api.h"
#include "site/order_debug.h"
#include "site/order_state.h"
#include "site/order_step.h"
#include "site/order_wish.h"

static int set_wish(struct api *api, struct http_exchange *x, enum order_wish wish)
{
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0 && wish == ORDER_WISH_PAUSE)
        r = api_body(x, &body);
    if (r == 0)
        r = order_wish_set(api->site,
                           &(struct order_wish_call){.who = api->who,
                                                     .deployment_id = http_param(x, "id"),
                                                     .device = http_param(x, "device"),
                                                     .wish = wish},
                           body,
                           &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_cancel_order(void *ctx, struct http_exchange *x)
{
    return set_wish(ctx, x, ORDER_WISH_CANCEL);
}

int admin_pause_order(void *ctx, struct http_exchange *x)
{
    return set_wish(ctx, x, ORDER_WISH_PAUSE);
}

int admin_resume_order(void *ctx, struct http_exchange *x)
{
    return set_wish(ctx, x, ORDER_WISH_RUN);
}

typedef int
order_get_rule(struct site *site, const char *deployment_id, const char *device, json_t **ret);

static int get(struct api *api, struct http_exchange *x, order_get_rule *rule)
{
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = rule(api->site, http_param(x, "id"), http_param(x, "device"), &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_list_order_steps(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct page page;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, true, &page);
    if (r == 0)
        r = order_step_list(
            api->site, http_param(x, "id"), http_param(x, "device"), &page, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_get_order_state(void *ctx, struct http_exchange *x)
{
    return get(ctx, x, order_state_get);
}

int admin_get_order_log(void *ctx, struct http_exchange *x)
{
    return get(ctx, x, order_log_get);
}

int admin_want_order_log(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = order_log_want(
            api->site, api->who, http_param(x, "id"), http_param(x, "device"), &answer);
    return api_finish(api, x, r, 200, answer);
}

static struct order_debug_call call_of(struct api *api, struct http_exchange *x)
{
    return (struct order_debug_call){
        .who = api->who,
        .deployment_id = http_param(x, "id"),
        .device = http_param(x, "device"),
    };
}

int admin_debug_order(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    struct order_debug_call call = call_of(api, x);
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = order_debug_admin(api->site, &call, body, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_enable_order_debugging(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct order_debug_call call = call_of(api, x);
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = order_debug_enable(api->site, &call, &answer);
    return api_finish(api, x, r, 200, answer);
}
