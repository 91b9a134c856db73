/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/own.h"
#include "server/site/admin.h"
#include "server/site/api.h"
#include "site/alert.h"

int admin_list_alerts(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct page page;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, true, &page);
    if (r == 0)
        r = alert_list(api->site, http_query(x, "state"), &page, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_change_alert(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = alert_change(api->site, api->who, http_param(x, "number"), body, &answer);
    return api_finish(api, x, r, 200, answer);
}
