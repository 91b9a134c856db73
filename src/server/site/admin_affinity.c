/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin.h"

#include "server/site/api.h"
#include "server/site/shapes.h"
#include "site/affinity.h"

int admin_list_device_users(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", affinity_list);
}

int admin_add_device_user(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 201, affinity_add);
}

int admin_remove_device_user(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = affinity_remove(api->site, api->who, http_param(x, "id"), http_param(x, "user"));
    return api_finish(api, x, r, 204, NULL);
}

static int decide(struct api *api, struct http_exchange *x, bool is_approved)
{
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = affinity_decide(
            api->site, api->who, http_param(x, "id"), http_param(x, "user"), is_approved);
    return api_finish(api, x, r, 204, NULL);
}

int admin_approve_device_user(void *ctx, struct http_exchange *x)
{
    return decide(ctx, x, true);
}

int admin_deny_device_user(void *ctx, struct http_exchange *x)
{
    return decide(ctx, x, false);
}

int admin_list_user_affinity_requests(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, affinity_requests);
}

int admin_import_user_affinities(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 200, affinity_import);
}

int admin_get_user_affinity_mode(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "none", affinity_mode_get);
}

int admin_set_user_affinity_mode(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, affinity_mode_set);
}
