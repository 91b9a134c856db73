/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin_order.h"

#include "base/own.h"
#include "server/site/api.h"
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
