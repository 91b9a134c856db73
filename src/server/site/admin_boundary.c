/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin_boundary.h"

#include "base/err.h"
#include "base/own.h"
#include "server/site/api.h"
#include "server/site/shapes.h"
#include "site/boundary.h"
#include "site/boundary_sources.h"

static int add(void *ctx, struct http_exchange *x, enum boundary_part part)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = boundary_group_add(api->site, api->who, http_param(x, "id"), part, body, &answer);
    return api_finish(api, x, r, 201, answer);
}

static int take(void *ctx, struct http_exchange *x, enum boundary_part part)
{
    struct api *api = ctx;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = boundary_group_take(
            api->site, api->who, http_param(x, "id"), part, http_param(x, "part"));
    return api_finish(api, x, r, 204, NULL);
}

int admin_list_boundaries(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, boundary_list);
}

int admin_create_boundary(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, boundary_create);
}

int admin_delete_boundary(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, boundary_delete);
}

int admin_list_boundary_groups(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, boundary_group_list);
}

int admin_create_boundary_group(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, boundary_group_create);
}

int admin_get_boundary_group(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", boundary_group_get);
}

int admin_set_boundary_group(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, boundary_group_set);
}

int admin_delete_boundary_group(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, boundary_group_delete);
}

int admin_add_boundary_group_boundary(void *ctx, struct http_exchange *x)
{
    return add(ctx, x, BOUNDARY_PART_BOUNDARY);
}

int admin_remove_boundary_group_boundary(void *ctx, struct http_exchange *x)
{
    return take(ctx, x, BOUNDARY_PART_BOUNDARY);
}

int admin_add_boundary_group_distribution_point(void *ctx, struct http_exchange *x)
{
    return add(ctx, x, BOUNDARY_PART_DP);
}

int admin_remove_boundary_group_distribution_point(void *ctx, struct http_exchange *x)
{
    return take(ctx, x, BOUNDARY_PART_DP);
}

int admin_add_boundary_group_neighbour(void *ctx, struct http_exchange *x)
{
    return add(ctx, x, BOUNDARY_PART_NEIGHBOUR);
}

int admin_remove_boundary_group_neighbour(void *ctx, struct http_exchange *x)
{
    return take(ctx, x, BOUNDARY_PART_NEIGHBOUR);
}

int admin_explain_boundary(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "address", boundary_explain);
}
