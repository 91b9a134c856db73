/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin.h"

#include "base/err.h"
#include "server/site/api.h"
#include "server/site/shapes.h"
#include "site/variable.h"

static int list_of_collection(struct site *site, const char *which, json_t **ret)
{
    return TRACE(variable_list(site, VARIABLE_OF_COLLECTION, which, ret));
}

int admin_list_collection_variables(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", list_of_collection);
}

static int list_of_device(struct site *site, const char *which, json_t **ret)
{
    return TRACE(variable_list(site, VARIABLE_OF_DEVICE, which, ret));
}

int admin_list_device_variables(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", list_of_device);
}

int admin_list_effective_variables(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", variable_list_effective);
}

static int set_of_collection(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    return TRACE(variable_set(site, VARIABLE_OF_COLLECTION, who, which, body, ret));
}

int admin_set_collection_variable(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, set_of_collection);
}

static int set_of_device(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    return TRACE(variable_set(site, VARIABLE_OF_DEVICE, who, which, body, ret));
}

int admin_set_device_variable(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, set_of_device);
}

static int remove_variable(struct api *api, struct http_exchange *x, enum variable_owner owner)
{
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = variable_remove(
            api->site, owner, api->who, http_param(x, "id"), http_param(x, "variable"));
    return api_finish(api, x, r, 204, NULL);
}

int admin_remove_collection_variable(void *ctx, struct http_exchange *x)
{
    return remove_variable(ctx, x, VARIABLE_OF_COLLECTION);
}

int admin_remove_device_variable(void *ctx, struct http_exchange *x)
{
    return remove_variable(ctx, x, VARIABLE_OF_DEVICE);
}
