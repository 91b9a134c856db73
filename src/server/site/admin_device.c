/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin.h"

#include "server/site/api.h"
#include "server/site/shapes.h"
#include "site/device_change.h"
#include "site/device_import.h"
#include "site/device_search.h"
#include "site/duplicate_id.h"
#include "site/machine_facts.h"
#include "site/wake_on_lan.h"

int admin_list_devices(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct page page;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, false, &page);
    if (r == 0)
        r = device_search(api->site, http_query(x, "filter"), &page, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_create_device(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, device_import);
}

int admin_import_devices(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 200, device_import_file);
}

int admin_change_device(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, device_change);
}

int admin_delete_device(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, device_delete);
}

int admin_get_device_facts(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", machine_facts_get);
}

int admin_get_device_history(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct page page;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, true, &page);
    if (r == 0)
        r = device_history(api->site, http_param(x, "id"), &page, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_wake_device(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = wake_on_lan_ask(api->site, api->who, http_param(x, "id"), &answer);
    return api_finish(api, x, r, 202, answer);
}

int admin_list_duplicate_hardware_ids(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, duplicate_id_list);
}

int admin_add_duplicate_hardware_id(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, duplicate_id_add);
}

int admin_remove_duplicate_hardware_id(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, duplicate_id_remove);
}
