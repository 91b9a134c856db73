/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/random.h"
#include "site/access.h"
#include "site/boot_gate.h"
#include "site/boot_target.h"
#include "site/boundary_sources.h"
#include "site/device_change.h"
#include "site/fields.h"
#include "site/order_end.h"
#include "site/order_state.h"
#include "site/rows.h"
#include "site/summary.h"
#include "site/task_sequence_parts.h"
#include "site/unknown_name.h"
#include "site/unknown_request.h"
#include "site/variable.h"
#include "ts/object.h"

DEFINE_FREEP(struct boundary_sources *, boundary_sources_free);
DEFINE_FREEP(struct ts_document *, ts_document_free);

#define HOUR_US (UINT64_C(3600) * 1000000)

enum {
    CAUSE_MAX_BYTES = 128,
    PROGRESS_TEXT_MAX_BYTES = 4 * 255, /* of 255 characters */
};

struct beginning {
    struct site *site;
    const char *order_id;
};

static int add_sequence(void *ctx, const char *id, const struct ts_document *doc)
{
    const struct beginning *order = ctx;

    (void)doc;
    return TRACE(db_must(
        order->site->db, SQL_ORDER_SEQUENCE_ADD, DB_ARGS(db_text(order->order_id), db_text(id))));
}

/* Which versions of which task sequences the order is for; and what they want now, for a nested one may have been
 * changed after the deployment was made. */
static int add_sequences(struct site *site, const char *order_id, const char *deployment_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    struct beginning order = {site, order_id};
    char id[SITE_ID_MAX];
    int r = db_first(site->db, SQL_ORDER_DEPLOYED_SEQUENCE, DB_ARGS(db_text(deployment_id)), &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    (void)snprintf(id, sizeof(id), "%s", db_get_text(&rows, 0));
    r = task_sequence_read(site, id, 0, &doc);
    if (r == 0)
        r = add_sequence(&order, id, doc);
    if (r == 0)
        r = task_sequence_each_nested(site, id, doc, add_sequence, &order);
    if (r == 0 ||
        r == -E2BIG) /* too many for an order: the deployment fails at the first that is missing */
        r = task_sequence_refresh_packages(site, id, doc);
    return r > 0 ? ERR(-EIO) : TRACE(r);
}

/* One that runs a disabled task sequence fails for certain: so here, before anything is done to the device. */
static int fail_if_disabled(struct site *site, const char *order_id, const char *device_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char cause[CAUSE_MAX_BYTES];
    int r = db_first(site->db, SQL_ORDER_DISABLED_SEQUENCE, DB_ARGS(db_text(order_id)), &rows);

    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(cause,
                   sizeof(cause),
                   "It runs the task sequence %.16s, which is disabled.",
                   db_get_text(&rows, 0));
    db_rows_fini(&rows);
    return TRACE(order_end_failed(site, order_id, device_id, SITE_ERROR_DISABLED, cause));
}

/* @is_client: in the installed system. */
static int begin_order(struct site *site,
                       const char *device_id,
                       const char *deployment_id,
                       const char *boot_image_id,
                       bool is_client)
{
    char id[UUID_TEXT_MAX];
    int r;

    random_uuid(id, site->now_us);
    r = db_must(site->db,
                SQL_ORDER_ADD,
                DB_ARGS(db_text(id),
                        db_text(deployment_id),
                        db_text(device_id),
                        db_u64(site->now_us),
                        db_u64(site->now_us + site->settings.order_life_us),
                        db_u64(is_client ? 1 : 0)));
    if (r == 0)
        r = add_sequences(site, id, deployment_id);
    if (r == 0)
        r = db_must(site->db,
                    SQL_ORDER_CONTENT_ADD,
                    DB_ARGS(db_text(id), db_text(deployment_id), db_text(boot_image_id)));
    if (r == 0)
        r = summary_order_changed(site, id);
    if (r == 0)
        r = boot_gate_drop(site, device_id);
    if (r < 0)
        return TRACE(r);
    r = site_audit(site, device_id, "order.begin", id, deployment_id);
    return r == 0 ? TRACE(fail_if_disabled(site, id, device_id)) : TRACE(r);
}

int order_begin(struct site *site,
                const char *device_id,
                const char *boot_image_id,
                bool *ret_is_open)
{
    struct boot_target target = {0};
    bool may_begin = false;
    int r = boot_target_find(site, device_id, NULL, NULL, NULL, &target);

    *ret_is_open = r == 0 && boot_target_is_open(&target);
    if (r == 0 && *ret_is_open)
        r = unknown_gate(site, device_id, boot_image_id, &target, &may_begin);
    if (r < 0 || !may_begin)
        return TRACE(r);
    return TRACE(begin_order(site, device_id, target.deployment_id, boot_image_id, false));
}

int order_begin_client(struct site *site, const char *device_id, const char *deployment_id)
{
    return TRACE(begin_order(site, device_id, deployment_id, "", true));
}

static int begin_if_not_asked(struct site *site, const char *device_id, const char *boot_image_id)
{
    bool may_begin = false;
    bool is_open;
    int r = boot_gate_open(site, device_id, boot_image_id, &may_begin);

    if (r < 0 || !may_begin)
        return TRACE(r);
    return TRACE(order_begin(site, device_id, boot_image_id, &is_open));
}

int order_end_held(struct site *site, const char *id, const char *device_id)
{
    return TRACE(order_end_failed(
        site,
        id,
        device_id,
        SITE_ERROR_SILENT,
        "The site was restored from a backup that was made while the device ran it; "
        "it may have ended since, and does not begin anew by itself."));
}

int order_at_registration(struct site *site, const char *device_id, const char *boot_image_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char id[UUID_TEXT_MAX];
    uint64_t attempt;
    bool is_on_purpose;
    bool is_held;
    int r = db_first(site->db, SQL_ORDER_IN_PROGRESS, DB_ARGS(db_text(device_id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return TRACE(begin_if_not_asked(site, device_id, boot_image_id));
    (void)snprintf(id, sizeof(id), "%s", db_get_text(&rows, 0));
    attempt = db_get_u64(&rows, 2);
    is_on_purpose = db_get_bool(&rows, 4);
    is_held = db_get_bool(&rows, 9);
    db_rows_fini(&rows);

    if (is_held)
        return TRACE(order_end_held(site, id, device_id));
    if (attempt < ORDER_ATTEMPTS_MAX || is_on_purpose) {
        r = db_must(site->db, SQL_ORDER_NEXT_ATTEMPT, DB_ARGS(db_text(id), db_u64(site->now_us)));
        return r < 0 ? TRACE(r) : TRACE(summary_order_changed(site, id));
    }
    return TRACE(
        order_end_failed(site,
                         id,
                         device_id,
                         SITE_ERROR_ATTEMPTS,
                         "The device has started the deployment five times without finishing "
                         "it; it loses power or crashes on the way."));
}

int order_reopen(struct site *site, const char *device_id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"boot_image", FIELD_TEXT, true, 0, SITE_ID_MAX - 1, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = fields_check(site, body, fields, false, REFUSAL_CLIENT_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = db_first(site->db,
                     SQL_ORDER_OF_DEVICE_SINCE,
                     DB_ARGS(db_text(device_id), db_u64(site->now_us - HOUR_US)),
                     &rows);
    if (r != DB_ROW)
        return TRACE(r);
    if (db_get_u64(&rows, 0) > 0)
        return refuse(site, REFUSAL_NOT_ASKED, "An order is in progress on this computer.");
    if (db_get_u64(&rows, 1) >= ORDER_REOPENED_MAX)
        return refuse(site,
                      REFUSAL_NOT_ASKED,
                      "%d orders have begun on this computer within an hour; start it again.",
                      (int)ORDER_REOPENED_MAX);
    db_rows_fini(&rows);
    r = device_check_open(site, device_id);
    if (r == 0)
        r = begin_if_not_asked(site, device_id, field_text(body, "boot_image", ""));
    if (r == 0)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    *ret = json_object();
    return *ret ? 0 : ERR(-ENOMEM);
}

/* The boot image's files by name, as docs/protocol/client-api.md has them. */
static json_t *files_by_name(const json_t *list)
{
    json_t *files = json_object();

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *file = json_array_get(list, i);

        (void)json_object_set_new(files,
                                  json_string_value(json_object_get(file, "name")),
                                  json_pack("{s:O,s:O}",
                                            "size",
                                            json_object_get(file, "size_bytes"),
                                            "sha256",
                                            json_object_get(file, "sha256")));
    }
    return files;
}

/* @kind, and @package_id at @version: what has to be fetched for it, into @dst. */
static int put_parts(
    struct site *site, const char *kind, const char *package_id, uint64_t version, json_t *dst)
{
    struct db_args args = DB_ARGS(db_text(package_id), db_u64(version));
    OWN(json_freep) json_t *list = NULL;
    bool is_boot_image = strcmp(kind, "boot-image") == 0;
    bool is_os_image = strcmp(kind, "os-image") == 0;
    int r;

    if (!is_boot_image && !is_os_image) {
        r = rows_one(site->db, SQL_MANIFEST_TREE, args, &list);
        return r < 0 || !list || json_object_update(dst, list) == 0 ? TRACE(r) : ERR(-ENOMEM);
    }
    r = rows_array(
        site->db, is_boot_image ? SQL_PACKAGE_FILE_LIST : SQL_ORDER_INDEX_LIST, args, &list);
    if (r < 0)
        return TRACE(r);
    if (is_boot_image)
        return json_object_set_new(dst, "files", files_by_name(list)) == 0 ? 0 : ERR(-ENOMEM);
    return json_object_set(dst, "indexes", list) == 0 ? 0 : ERR(-ENOMEM);
}

static int put_sources(struct boundary_sources *where,
                       const char *package_id,
                       uint64_t version,
                       json_t *package)
{
    json_t *urls = NULL;
    int r = boundary_sources_of(where, package_id, version, &urls);

    if (r < 0)
        return TRACE(r);
    return json_object_set_new(package, "sources", urls) < 0 ? ERR(-ENOMEM) : 0;
}

/* {"SLP00002": {…}}: each package of the order in the version it got. */
static int
put_content(struct site *site, const char *order_id, struct boundary_sources *where, json_t *dst)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_ORDER_PACKAGES, DB_ARGS(db_text(order_id)), &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        const char *id = db_get_text(&rows, 0);
        const char *kind = db_get_text(&rows, 1);
        uint64_t version = db_get_u64(&rows, 3);
        OWN(json_freep)
        json_t *package = json_pack("{s:s,s:s,s:I}",
                                    "kind",
                                    kind,
                                    "name",
                                    db_get_text(&rows, 2),
                                    "version",
                                    (json_int_t)version);

        r = put_parts(site, kind, id, version, package);
        if (r == 0)
            r = put_sources(where, id, version, package);
        if (r < 0)
            return TRACE(r);
        if (json_object_set(dst, id, package) < 0)
            return ERR(-ENOMEM);
    }
    return TRACE(r);
}

/* {"id", "name", "xml", "children"} */
static int put_sequence(struct site *site, const struct db_rows *row, json_t **ret)
{
    OWN(json_freep) json_t *children = NULL;
    int r =
        rows_array(site->db, SQL_ORDER_CHILDREN, DB_ARGS(db_text(db_get_text(row, 0))), &children);

    if (r < 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:s,s:s}",
                     "id",
                     db_get_text(row, 7),
                     "name",
                     db_get_text(row, 8),
                     "xml",
                     db_get_text(row, 9));
    if (!*ret || (json_array_size(children) > 0 && json_object_set(*ret, "children", children) < 0))
        return ERR(-ENOMEM);
    return 0;
}

/* What the progress window is to say, if an export brought that along. */
static int put_progress_text(const char *object, json_t *variables)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TS_OBJECT_PART_MAX_BYTES);
    int r = ts_object_text(object, "CustomProgressMsg", &text);

    if (r < 0 || text.len == 0 || text.len > PROGRESS_TEXT_MAX_BYTES)
        return TRACE(r);
    return json_object_set_new(
               variables, "_SMSTSCustomProgressDialogMessage", json_string(buf_str(&text))) < 0
               ? ERR(-ENOMEM)
               : 0;
}

/* After the first attempt: what the device told last. */
static int put_mirror(struct site *site, json_t *order)
{
    OWN(json_freep) json_t *state = NULL;
    int r = order_state_load(site, field_text(order, "order_id", ""), &state);

    if (r < 0)
        return TRACE(r);
    return state && json_object_set(order, "mirror", state) < 0 ? ERR(-ENOMEM) : 0;
}

static int put_order(struct site *site,
                     const struct db_rows *row,
                     const struct order_client *client,
                     json_t **ret)
{
    OWN(boundary_sources_freep) struct boundary_sources *where = NULL;
    OWN(json_freep) json_t *content = json_object();
    OWN(json_freep) json_t *sources = NULL;
    OWN(json_freep) json_t *sequence = NULL;
    OWN(json_freep) json_t *variables = NULL;
    OWN(json_freep) json_t *secrets = NULL;
    const char *name = db_get_text(row, 3);
    const struct boundary_reach reach = {.may_use_neighbours = db_get_bool(row, 14),
                                         .may_use_default_group = db_get_bool(row, 15)};
    int r = boundary_sources_new(site, client->address, client->host, reach, &where);

    if (r == 0)
        r = put_content(site, db_get_text(row, 0), where, content);
    if (r == 0)
        r = boundary_sources_of_all(where, &sources);
    if (r == 0)
        r = put_sequence(site, row, &sequence);
    if (r == 0)
        r = variable_put_order(
            site, db_get_text(row, 2), db_get_text(row, 1), name, &variables, &secrets);
    if (r == 0)
        r = unknown_name_put_order(site, db_get_text(row, 2), name, variables);
    if (r == 0)
        r = put_progress_text(db_get_text(row, 12), variables);
    if (r < 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:O,s:O,s:O,s:O,s:O,s:i,s:s,s:b}",
                     "order_id",
                     db_get_text(row, 0),
                     "deployment_id",
                     db_get_text(row, 1),
                     "device_id",
                     db_get_text(row, 2),
                     "device_name",
                     name,
                     "attempt",
                     (json_int_t)db_get_u64(row, 4),
                     "deadline_us",
                     (json_int_t)db_get_u64(row, 5),
                     "purpose",
                     db_get_text(row, 6),
                     "task_sequence",
                     sequence,
                     "variables",
                     variables,
                     "secret_variables",
                     secrets,
                     "content",
                     content,
                     "sources",
                     sources,
                     "failed_wait_s",
                     ORDER_FAILED_WAIT_S,
                     "content_option",
                     db_get_text(row, 11),
                     "is_progress_shown",
                     (int)db_get_bool(row, 13));
    return *ret ? TRACE(put_mirror(site, *ret)) : ERR(-ENOMEM);
}

int order_get(struct site *site,
              const char *device_id,
              const struct order_client *client,
              json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_ORDER_DOCUMENT, DB_ARGS(db_text(device_id)), &rows);

    *ret = NULL;
    if (r != DB_ROW)
        return TRACE(r);
    return TRACE(put_order(site, &rows, client, ret));
}
