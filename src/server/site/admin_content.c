/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin_content.h"

#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "server/site/api.h"
#include "server/site/shapes.h"
#include "site/content.h"
#include "site/job.h"

/* Who calls, and the content that the path names. */
static int begin(struct api *api,
                 struct http_exchange *x,
                 enum content_kind kind,
                 char ret_id[static SITE_ID_MAX])
{
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = content_find(api->site, kind, http_param(x, "id"), ret_id);
    return TRACE(r);
}

static int list(void *ctx, struct http_exchange *x, enum content_kind kind)
{
    struct api *api = ctx;
    struct page page;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, false, &page);
    if (r == 0)
        r = content_list(api->site, kind, &page, &answer);
    return api_finish(api, x, r, 200, answer);
}

static int get(void *ctx, struct http_exchange *x, enum content_kind kind)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    char id[SITE_ID_MAX];
    int r = begin(api, x, kind, id);

    if (r == 0)
        r = content_get(api->site, kind, id, &answer);
    return api_finish(api, x, r, 200, answer);
}

static int create(void *ctx, struct http_exchange *x, enum content_kind kind)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = content_create(api->site, kind, api->who, body, &answer);
    return api_finish(api, x, r, 202, answer);
}

static int change(void *ctx, struct http_exchange *x, unsigned status, shape_change_rule *rule)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    char id[SITE_ID_MAX];
    int r = begin(api, x, N_CONTENT_KINDS, id);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = rule(api->site, api->who, id, body, &answer);
    return api_finish(api, x, r, status, answer);
}

int admin_list_os_images(void *ctx, struct http_exchange *x)
{
    return list(ctx, x, CONTENT_OS_IMAGE);
}

int admin_create_os_image(void *ctx, struct http_exchange *x)
{
    return create(ctx, x, CONTENT_OS_IMAGE);
}

int admin_get_os_image(void *ctx, struct http_exchange *x)
{
    return get(ctx, x, CONTENT_OS_IMAGE);
}

int admin_list_os_upgrade_packages(void *ctx, struct http_exchange *x)
{
    return list(ctx, x, CONTENT_OS_UPGRADE_PACKAGE);
}

int admin_create_os_upgrade_package(void *ctx, struct http_exchange *x)
{
    return create(ctx, x, CONTENT_OS_UPGRADE_PACKAGE);
}

int admin_get_os_upgrade_package(void *ctx, struct http_exchange *x)
{
    return get(ctx, x, CONTENT_OS_UPGRADE_PACKAGE);
}

int admin_list_boot_images(void *ctx, struct http_exchange *x)
{
    return list(ctx, x, CONTENT_BOOT_IMAGE);
}

int admin_create_boot_image(void *ctx, struct http_exchange *x)
{
    return create(ctx, x, CONTENT_BOOT_IMAGE);
}

int admin_get_boot_image(void *ctx, struct http_exchange *x)
{
    return get(ctx, x, CONTENT_BOOT_IMAGE);
}

int admin_list_driver_packages(void *ctx, struct http_exchange *x)
{
    return list(ctx, x, CONTENT_DRIVER_PACKAGE);
}

int admin_create_driver_package(void *ctx, struct http_exchange *x)
{
    return create(ctx, x, CONTENT_DRIVER_PACKAGE);
}

int admin_get_driver_package(void *ctx, struct http_exchange *x)
{
    return get(ctx, x, CONTENT_DRIVER_PACKAGE);
}

int admin_list_packages(void *ctx, struct http_exchange *x)
{
    return list(ctx, x, CONTENT_PACKAGE);
}

int admin_create_package(void *ctx, struct http_exchange *x)
{
    return create(ctx, x, CONTENT_PACKAGE);
}

int admin_get_package(void *ctx, struct http_exchange *x)
{
    return get(ctx, x, CONTENT_PACKAGE);
}

int admin_list_content(void *ctx, struct http_exchange *x)
{
    return list(ctx, x, N_CONTENT_KINDS);
}

int admin_get_content(void *ctx, struct http_exchange *x)
{
    return get(ctx, x, N_CONTENT_KINDS);
}

int admin_change_content(void *ctx, struct http_exchange *x)
{
    return change(ctx, x, 200, content_set);
}

int admin_delete_content(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    char id[SITE_ID_MAX];
    int r = begin(api, x, N_CONTENT_KINDS, id);

    if (r == 0)
        r = content_delete(api->site, api->who, id);
    return api_finish(api, x, r, 204, NULL);
}

int admin_list_content_versions(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct page page;
    json_t *answer = NULL;
    char id[SITE_ID_MAX];
    int r = begin(api, x, N_CONTENT_KINDS, id);

    if (r == 0)
        r = api_page(api, x, false, &page);
    if (r == 0)
        r = content_versions(api->site, id, &page, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_update_content(void *ctx, struct http_exchange *x)
{
    return change(ctx, x, 202, content_update);
}

int admin_roll_back_content(void *ctx, struct http_exchange *x)
{
    return change(ctx, x, 200, content_rollback);
}

int admin_export_content(void *ctx, struct http_exchange *x)
{
    return change(ctx, x, 202, content_export);
}

int admin_prestage_content(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 202, content_prestage);
}

int admin_list_operations(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    const char *state = http_query(x, "state");
    struct page page;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = api_page(api, x, false, &page);
    if (r == 0 && state && strcmp(state, "open") != 0)
        r = refuse(api->site, REFUSAL_INVALID, "\"state\" can only be \"open\".");
    if (r == 0)
        r = operation_list(api->site, &page, state != NULL, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_get_operation(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", operation_get);
}

int admin_cancel_operation(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = job_cancel(api->site, api->who, http_param(x, "id"), &answer);
    return api_finish(api, x, r, 200, answer);
}
