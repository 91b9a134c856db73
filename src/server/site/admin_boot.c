/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/err.h"
#include "server/site/admin.h"
#include "server/site/password_request.h"
#include "server/site/shapes.h"
#include "site/boot_rule.h"

int admin_list_boot_rules(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, boot_rule_list);
}

int admin_get_boot_rule(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", boot_rule_get);
}

int admin_change_boot_rule(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, boot_rule_change);
}

int admin_remove_boot_rule(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, boot_rule_remove);
}

static int
begin_set(struct api *api, struct http_exchange *x, const json_t *body, struct password_work *ret)
{
    (void)x;
    return TRACE(boot_rule_begin_password(api->site, body, ret));
}

static int end_set(struct api *api,
                   struct http_exchange *x,
                   const json_t *body,
                   const struct password_work *work,
                   json_t **ret)
{
    (void)body;
    (void)ret;
    return TRACE(boot_rule_end_password(api->site, api->who, http_param(x, "id"), work));
}

int admin_set_boot_password(void *ctx, struct http_exchange *x)
{
    static const struct password_request request = {204, api_begin_admin, begin_set, end_set};

    return password_request_serve(ctx, x, &request);
}

int admin_remove_boot_password(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, boot_rule_remove_password);
}
