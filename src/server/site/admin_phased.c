/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin.h"
#include "server/site/api.h"
#include "server/site/shapes.h"
#include "site/phased_deployment.h"

int admin_list_phased_deployments(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, phased_deployment_list);
}

int admin_create_phased_deployment(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, phased_deployment_create);
}

int admin_get_phased_deployment(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", phased_deployment_get);
}

int admin_delete_phased_deployment(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, phased_deployment_delete);
}

static int suspend(void *ctx, struct http_exchange *x, bool is_suspended)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = phased_deployment_suspend(
            api->site, api->who, http_param(x, "id"), is_suspended, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_pause_phased_deployment(void *ctx, struct http_exchange *x)
{
    return suspend(ctx, x, true);
}

int admin_resume_phased_deployment(void *ctx, struct http_exchange *x)
{
    return suspend(ctx, x, false);
}

int admin_begin_next_phase(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, phased_deployment_next);
}
