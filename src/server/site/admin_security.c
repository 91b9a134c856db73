/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin_security.h"

#include "base/err.h"
#include "server/site/api.h"
#include "server/site/shapes.h"
#include "site/administrator.h"
#include "site/audit.h"
#include "site/security_role.h"
#include "site/security_scope.h"

int admin_list_administrators(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, administrator_list);
}

int admin_create_administrator(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, administrator_create);
}

int admin_get_administrator(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", administrator_get);
}

int admin_change_administrator(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, administrator_set);
}

int admin_delete_administrator(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, administrator_delete);
}

int admin_grant(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 201, administrator_grant);
}

int admin_revoke(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = administrator_revoke(api->site,
                                 api->who,
                                 http_param(x, "id"),
                                 http_param(x, "role"),
                                 http_param(x, "target"));
    return api_finish(api, x, r, 204, NULL);
}

int admin_list_audit_log(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    const char *object = http_query(x, "object");
    struct page page;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, true, &page);
    if (r == 0)
        r = audit_list(api->site, object ? object : "", &page, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_verify_audit_log(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = audit_verify(api->site, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_list_security_roles(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, security_role_list);
}

int admin_create_security_role(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, security_role_create);
}

int admin_get_security_role(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", security_role_get);
}

int admin_change_security_role(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, security_role_set);
}

int admin_delete_security_role(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, security_role_delete);
}

int admin_list_security_scopes(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, security_scope_list);
}

int admin_create_security_scope(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, security_scope_create);
}

int admin_get_security_scope(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", security_scope_get);
}

int admin_delete_security_scope(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, security_scope_delete);
}

int admin_add_security_scope_object(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 201, security_scope_add);
}

int admin_remove_security_scope_object(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = security_scope_remove(api->site,
                                  api->who,
                                  http_param(x, "id"),
                                  http_param(x, "class"),
                                  http_param(x, "object"));
    return api_finish(api, x, r, 204, NULL);
}
