/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin_distribution.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "rt/log.h"
#include "server/site/api.h"
#include "server/site/shapes.h"
#include "site/content.h"
#include "site/distribution.h"
#include "site/dp.h"
#include "site/dp_group.h"
#include "site/fields.h"

enum {
    CERTIFICATE_MAX_BYTES = 16 * 1024,
    PATH_MAX_BYTES = 512,
};

/* Who calls, and the content that the path names: a package, or a task sequence for all it refers to. */
static int
begin(struct api *api, struct http_exchange *x, const char *param, char ret_id[static SITE_ID_MAX])
{
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = content_find(api->site, CONTENT_FIND_ALL, http_param(x, param), ret_id);
    return TRACE(r);
}

static int change_content(void *ctx, struct http_exchange *x, shape_change_rule *rule)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    char id[SITE_ID_MAX];
    int r = begin(api, x, "id", id);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = rule(api->site, api->who, id, body, &answer);
    return api_finish(api, x, r, 202, answer);
}

int admin_list_distribution_points(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, dp_list);
}

int admin_get_distribution_point(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", dp_get);
}

int admin_set_distribution_point(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, dp_set);
}

int admin_remove_distribution_point(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    const char *force = http_query(x, "force");
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = dp_remove(
            api->site, api->who, http_param(x, "id"), force && strcmp(force, "true") == 0);
    return api_finish(api, x, r, 204, NULL);
}

int admin_create_distribution_point_token(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, dp_create_token);
}

static int read_certificate(const struct api *api, struct buf *ret)
{
    char path[PATH_MAX_BYTES];
    int r;

    (void)snprintf(path, sizeof(path), "%s/keys/site.crt", api->options->state_folder);
    r = file_read(path, ret);
    return r > 0 ? ERR(-ENOENT) : TRACE(r);
}

int admin_join_distribution_point(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(buf_fini) struct buf certificate = BUF_INIT(CERTIFICATE_MAX_BYTES);
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin(api);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = read_certificate(api, &certificate);
    if (r == 0)
        r = dp_join(api->site, body, buf_str(&certificate), &answer);
    if (r == 0)
        log_info("a distribution point has joined", "dp=%s", field_text(answer, "id", ""));
    return api_finish(api, x, r, 201, answer);
}

int admin_list_distribution_point_groups(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, dp_group_list);
}

int admin_create_distribution_point_group(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, dp_group_create);
}

int admin_get_distribution_point_group(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", dp_group_get);
}

int admin_delete_distribution_point_group(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, dp_group_delete);
}

int admin_add_distribution_point_group_member(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 201, dp_group_add_member);
}

int admin_remove_distribution_point_group_member(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = dp_group_remove_member(
            api->site, api->who, http_param(x, "id"), http_param(x, "member"));
    return api_finish(api, x, r, 204, NULL);
}

/* {"content"}: the same as distributing it to the group. */
static int
add_content(struct site *site, const char *who, const char *group, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"content", FIELD_LINE, true, 1, CONTENT_NAME_MAX, NULL},
        {0},
    };
    OWN(json_freep) json_t *targets = json_pack("{s:[s]}", "groups", group);
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = content_find(site, CONTENT_FIND_ALL, field_text(body, "content", ""), id);
    if (r != 0)
        return TRACE(r);
    return TRACE(distribution_add(site, who, id, targets, ret));
}

int admin_add_distribution_point_group_content(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 202, add_content);
}

int admin_remove_distribution_point_group_content(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    char id[SITE_ID_MAX];
    int r = begin(api, x, "content", id);

    if (r == 0)
        r = distribution_remove_group(api->site, api->who, id, http_param(x, "id"), &answer);
    return api_finish(api, x, r, 202, answer);
}

int admin_get_distribution(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    char id[SITE_ID_MAX];
    int r = begin(api, x, "id", id);

    if (r == 0)
        r = distribution_list(api->site, id, &answer);
    return api_finish(api, x, r, 200, answer);
}

int admin_distribute_content(void *ctx, struct http_exchange *x)
{
    return change_content(ctx, x, distribution_add);
}

static int do_verb(void *ctx, struct http_exchange *x, enum distribution_verb verb)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    char id[SITE_ID_MAX];
    int r = begin(api, x, "id", id);

    if (r == 0)
        r = distribution_change(api->site, api->who, id, http_param(x, "dp"), verb, &answer);
    return api_finish(api, x, r, 202, answer);
}

int admin_redistribute_content(void *ctx, struct http_exchange *x)
{
    return do_verb(ctx, x, DISTRIBUTION_REDISTRIBUTE);
}

int admin_validate_content(void *ctx, struct http_exchange *x)
{
    return do_verb(ctx, x, DISTRIBUTION_VALIDATE);
}

int admin_cancel_distribution(void *ctx, struct http_exchange *x)
{
    return do_verb(ctx, x, DISTRIBUTION_CANCEL);
}

int admin_remove_content(void *ctx, struct http_exchange *x)
{
    return do_verb(ctx, x, DISTRIBUTION_REMOVE);
}

int admin_get_distribution_history(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    char id[SITE_ID_MAX];
    int r = begin(api, x, "id", id);

    if (r == 0)
        r = distribution_history(api->site, id, http_param(x, "dp"), &answer);
    return api_finish(api, x, r, 200, answer);
}
