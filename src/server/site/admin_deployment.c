/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/own.h"
#include "server/site/admin.h"
#include "server/site/api.h"
#include "site/deployment_change.h"
#include "site/deployment_status.h"

int admin_list_deployment_devices(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct page page;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, false, &page);
    if (r == 0)
        r = deployment_status_list(
            api->site, http_param(x, "id"), http_query(x, "category"), &page, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_change_deployment(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = deployment_change(api->site, api->who, http_param(x, "id"), body, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_delete_deployment(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = deployment_delete(api->site, api->who, http_param(x, "id"));
    return api_finish(api, x, r, 204, NULL);
}

int admin_clear_device_pxe(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = deployment_clear_device(api->site, api->who, http_param(x, "id"), &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_clear_collection_pxe(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = deployment_clear_collection(api->site, api->who, http_param(x, "id"), &answer);
    return api_finish(api, x, r, 200, answer);
}
