/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin.h"

#include "server/site/shapes.h"
#include "site/unknown_name.h"
#include "site/unknown_request.h"
#include "site/unknown_rule.h"

int admin_list_unknown_computers(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, unknown_list);
}

int admin_forget_unknown_computer(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, unknown_forget);
}

int admin_approve_unknown_computer(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, unknown_approve);
}

int admin_deny_unknown_computer(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, unknown_deny);
}

int admin_preview_unknown_computer_name(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 200, unknown_name_preview);
}

int admin_list_unknown_computer_rules(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, unknown_rule_list);
}

int admin_get_unknown_computer_rule(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", unknown_rule_get);
}

int admin_change_unknown_computer_rule(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, unknown_rule_change);
}

int admin_remove_unknown_computer_rule(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, unknown_rule_remove);
}
