/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin.h"

#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "server/site/api.h"
#include "server/site/shapes.h"
#include "site/boot_decision.h"
#include "site/client_policy.h"
#include "site/deployment.h"
#include "site/device.h"
#include "site/fields.h"
#include "site/status_message.h"

int admin_get_status(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    uint64_t uptime_us = clock_monotonic_us() - api->started_us;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = site_status(api->site, &answer);
    if (r == 0) {
        (void)json_object_set_new(answer, "version", json_string(SITE_VERSION));
        (void)json_object_set_new(
            answer, "uptime_s", json_integer((json_int_t)(uptime_us / 1000000)));
    }
    return api_finish(api, x, r, 200, answer);
}

int admin_get_device(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", device_get);
}

int admin_explain_device_boot(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = boot_explain(api->site, http_param(x, "id"), true, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_explain_device_client(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = client_policy_explain(api->site, http_param(x, "id"), &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_explain_boot(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = boot_explain(api->site, http_param(x, "mac_or_uuid"), false, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_get_device_log(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct page page;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, true, &page);
    if (r == 0)
        r = device_log_list(api->site, http_param(x, "id"), &page, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_list_deployments(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, deployment_list);
}

int admin_create_deployment(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, deployment_create);
}

int admin_get_deployment(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", deployment_get);
}

int admin_cancel_deployment(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = deployment_cancel(api->site, api->who, http_param(x, "id"), &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_list_status_messages(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct page page;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, true, &page);
    if (r == 0)
        r = status_message_list(api->site,
                                &(struct status_message_query){
                                    .device = http_query(x, "device"),
                                    .deployment = http_query(x, "deployment"),
                                    .severity = http_query(x, "severity"),
                                },
                                &page,
                                &answer);
    return api_finish(api, x, r, 200, answer);
}
