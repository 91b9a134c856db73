/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin.h"

#include "server/site/api.h"
#include "server/site/shapes.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/maintenance_window.h"

int admin_list_collections(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, collection_list);
}

int admin_create_collection(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, collection_create);
}

int admin_get_collection(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", collection_get);
}

int admin_change_collection(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, collection_change);
}

int admin_delete_collection(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, collection_delete);
}

int admin_add_collection_member(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 201, collection_add_member);
}

int admin_list_collection_rules(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", collection_rule_list);
}

int admin_add_collection_rule(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 201, collection_rule_add);
}

int admin_remove_collection_rule(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = collection_rule_remove(
            api->site, api->who, http_param(x, "id"), http_param(x, "type"), http_param(x, "rule"));
    return api_finish(api, x, r, 204, NULL);
}

int admin_list_collection_windows(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", maintenance_window_list);
}

int admin_set_collection_window(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 201, maintenance_window_set);
}

int admin_remove_collection_window(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = maintenance_window_remove(
            api->site, api->who, http_param(x, "id"), http_param(x, "window"));
    return api_finish(api, x, r, 204, NULL);
}

int admin_evaluate_collection(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 202, collection_evaluate);
}
