/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/admin.h"

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "server/site/api.h"
#include "server/site/shapes.h"
#include "site/content.h"
#include "site/task_sequence.h"

int admin_list_task_sequences(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, task_sequence_list);
}

int admin_create_task_sequence(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, task_sequence_create);
}

static int validate(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    (void)who;
    return task_sequence_validate(site, body, ret);
}

int admin_validate_task_sequence(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 200, validate);
}

/* Every {id} may be a name. */
static int find(struct site *site, const char *id_or_name, char id[static SITE_ID_MAX])
{
    return content_find(site, CONTENT_FIND_TASK_SEQUENCES, id_or_name, id);
}

static int get_it(struct site *site, const char *id_or_name, json_t **ret)
{
    char id[SITE_ID_MAX];
    int r = find(site, id_or_name, id);

    return r == 0 ? TRACE(task_sequence_get(site, id, ret)) : TRACE(r);
}

int admin_get_task_sequence(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", get_it);
}

static int get_validation(struct site *site, const char *id_or_name, json_t **ret)
{
    char id[SITE_ID_MAX];
    int r = find(site, id_or_name, id);

    return r == 0 ? TRACE(task_sequence_validation(site, id, ret)) : TRACE(r);
}

int admin_get_task_sequence_validation(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", get_validation);
}

static int get_versions(struct site *site, const char *id_or_name, json_t **ret)
{
    char id[SITE_ID_MAX];
    int r = find(site, id_or_name, id);

    return r == 0 ? TRACE(task_sequence_versions(site, id, ret)) : TRACE(r);
}

int admin_list_task_sequence_versions(void *ctx, struct http_exchange *x)
{
    return shape_get(ctx, x, "id", get_versions);
}

/* ?version= of the request; 0: the newest. */
static int read_version(struct api *api, struct http_exchange *x, uint64_t *ret)
{
    const char *text = http_query(x, "version");

    *ret = 0;
    if (text && !bytes_parse_u64(bytes_of(text), 1, INT32_MAX, ret))
        return refuse(api->site, REFUSAL_INVALID, "version is a number from 1.");
    return 0;
}

static int export(void *ctx, struct http_exchange *x, enum task_sequence_spelling spelling)
{
    static const char *const types[] = {
        [TASK_SEQUENCE_XML] = "application/xml",
        [TASK_SEQUENCE_YAML] = "application/yaml",
        [TASK_SEQUENCE_ZIP] = "application/zip",
    };
    struct api *api = ctx;
    OWN(buf_fini) struct buf text = BUF_INIT(TASK_SEQUENCE_EXPORT_MAX_BYTES);
    char id[SITE_ID_MAX];
    uint64_t version;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = read_version(api, x, &version);
    if (r == 0)
        r = find(api->site, http_param(x, "id"), id);
    if (r == 0)
        r = task_sequence_export(api->site, id, version, spelling, &text);
    if (r == 0)
        return http_reply_bytes(x, 200, types[spelling], buf_bytes(&text));
    return api_finish(api, x, r, 200, NULL);
}

int admin_get_task_sequence_xml(void *ctx, struct http_exchange *x)
{
    return export(ctx, x, TASK_SEQUENCE_XML);
}

int admin_get_task_sequence_yaml(void *ctx, struct http_exchange *x)
{
    return export(ctx, x, TASK_SEQUENCE_YAML);
}

int admin_get_task_sequence_zip(void *ctx, struct http_exchange *x)
{
    return export(ctx, x, TASK_SEQUENCE_ZIP);
}

static int
change(struct site *site, const char *who, const char *id_or_name, const json_t *body, json_t **ret)
{
    char id[SITE_ID_MAX];
    int r = find(site, id_or_name, id);

    return r == 0 ? TRACE(task_sequence_set(site, who, id, body, ret)) : TRACE(r);
}

int admin_change_task_sequence(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, change);
}

static int delete (struct site *site, const char *who, const char *id_or_name)
{
    char id[SITE_ID_MAX];
    int r = find(site, id_or_name, id);

    return r == 0 ? TRACE(task_sequence_delete(site, who, id)) : TRACE(r);
}

int admin_delete_task_sequence(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, delete);
}

static int
edit(struct site *site, const char *who, const char *id_or_name, const json_t *body, json_t **ret)
{
    char id[SITE_ID_MAX];
    int r = find(site, id_or_name, id);

    return r == 0 ? TRACE(task_sequence_edit(site, who, id, body, ret)) : TRACE(r);
}

int admin_edit_task_sequence(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, edit);
}

static int compare(
    struct site *site, const char *who, const char *id_or_name, const json_t *body, json_t **ret)
{
    char id[SITE_ID_MAX];
    int r = find(site, id_or_name, id);

    (void)who;
    return r == 0 ? TRACE(task_sequence_diff(site, id, body, ret)) : TRACE(r);
}

int admin_compare_task_sequence(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 200, compare);
}

static int
copy(struct site *site, const char *who, const char *id_or_name, const json_t *body, json_t **ret)
{
    char id[SITE_ID_MAX];
    int r = find(site, id_or_name, id);

    return r == 0 ? TRACE(task_sequence_copy(site, who, id, body, ret)) : TRACE(r);
}

int admin_copy_task_sequence(void *ctx, struct http_exchange *x)
{
    return shape_change(ctx, x, 201, copy);
}
