/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "site/content_source.h"
#include "site/content_version.h"
#include "site/fields.h"
#include "site/job.h"

static int make_args(struct site *site, const json_t *package, const json_t *body, json_t **ret)
{
    const char *kind = field_text(package, "kind", "");

    if (strcmp(kind, "boot-image") != 0)
        return TRACE(
            content_source_import(site, kind, body, field_text(package, "source_path", ""), ret));
    if (json_object_size(body) > 0)
        return refuse(site,
                      REFUSAL_KIND,
                      "%s is a boot image: it is built on the server, from no source path and no "
                      "upload.",
                      field_text(package, "id", ""));
    return TRACE(content_source_build(
        site, field_text(package, "arch", ""), field_text(package, "flavour", ""), ret));
}

int content_update_begin(struct site *site,
                         const char *who,
                         const json_t *package,
                         const struct content_making *making,
                         json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char job_id[UUID_TEXT_MAX];
    uint64_t version = 0;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = content_version_begin(site, making, &version, job_id);
    if (r == 0)
        r = site_audit(
            site, who, "content.update", making->package_id, field_text(package, "name", ""));
    if (r == 0)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:I}", "operation_id", job_id, "version", (json_int_t)version);
    return *ret ? 0 : ERR(-ENOMEM);
}

/* The same request again, because its answer was lost: an upload is used once. @ret: NULL if it is not the same. */
static int find_begun(struct site *site, const char *id, const json_t *body, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(id), db_text(field_text(body, "upload_id", "")));
    int r = db_first(site->db, SQL_JOB_OF_UPLOAD, args, &rows);

    if (r != DB_ROW)
        return TRACE(r);
    *ret = json_pack("{s:s,s:I}",
                     "operation_id",
                     db_get_text(&rows, 0),
                     "version",
                     (json_int_t)db_get_u64(&rows, 1));
    return *ret ? 0 : ERR(-ENOMEM);
}

int content_update(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {CONTENT_SOURCE_FIELDS, {0}};
    OWN(json_freep) json_t *package = NULL;
    OWN(json_freep) json_t *args = NULL;
    struct content_making making = {.package_id = id, .built_for = ""};
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    *ret = NULL;
    if (r == 0)
        r = content_get(site, N_CONTENT_KINDS, id, &package);
    if (r == 0)
        r = make_args(site, package, body, &args);
    if (r == 0)
        r = find_begun(site, id, body, ret);
    if (r != 0 || *ret)
        return TRACE(r);
    making.job_kind = content_source_job_kind(field_text(package, "kind", ""));
    making.args = args;
    return TRACE(content_update_begin(site, who, package, &making, ret));
}

int content_versions(struct site *site, const char *id, const struct page *page, json_t **ret)
{
    OWN(json_freep) json_t *package = NULL;
    const json_t *items;
    int r = content_get(site, N_CONTENT_KINDS, id, &package);

    if (r != 0)
        return TRACE(r);
    r = rows_page(site->db,
                  SQL_VERSION_LIST,
                  DB_ARGS(page_after(page), page_limit(page), db_text(id)),
                  page,
                  ret);
    if (r < 0)
        return TRACE(r);
    items = json_object_get(*ret, "items");
    for (size_t i = 0; i < json_array_size(items); i++)
        (void)json_object_del(json_array_get(items, i), "id"); /* it was the cursor */
    return 0;
}

/* Refused unless the version is there in full. */
static int check_ready(struct site *site, const char *id, uint64_t version)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_VERSION_STATE, DB_ARGS(db_text(id), db_u64(version)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site, REFUSAL_VERSION, "%s has no content version %" PRIu64 ".", id, version);
    if (strcmp(db_get_text(&rows, 0), "ready") != 0)
        return refuse(site,
                      REFUSAL_VERSION,
                      "Content version %" PRIu64 " of %s is not there: %s.",
                      version,
                      id,
                      db_get_text(&rows, 0));
    return 0;
}

/* There is one folder for a boot image's plain files: they are made again of what the library has. */
static int lay_out(struct site *site, const json_t *package, uint64_t version)
{
    OWN(json_freep) json_t *manifests = NULL;
    OWN(json_freep) json_t *args = NULL;
    const char *id = field_text(package, "id", "");
    char job_id[UUID_TEXT_MAX];
    int r;

    if (strcmp(field_text(package, "kind", ""), "boot-image") != 0)
        return 0;
    r = content_manifests(site, id, version, &manifests);
    if (r < 0)
        return TRACE(r);
    if (json_array_size(manifests) == 0)
        return refuse(site,
                      REFUSAL_VERSION,
                      "Content version %" PRIu64 " of %s is from before its files were kept.",
                      version,
                      id);
    args = json_pack("{s:s,s:I,s:O,s:b,s:{s:s}}",
                     "package_id",
                     id,
                     "version",
                     (json_int_t)version,
                     "manifests",
                     manifests,
                     "is_again",
                     0,
                     "boot",
                     "arch",
                     field_text(package, "arch", ""));
    if (!args)
        return ERR(-ENOMEM);
    return TRACE(job_add(site,
                         &(struct job_order){
                             .kind = "replicate",
                             .package_id = id,
                             .version = version,
                             .args = args,
                         },
                         job_id));
}

static int roll_back(struct site *site, const char *who, const json_t *package, uint64_t version)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *id = field_text(package, "id", "");
    char text[24];
    int r = db_begin(site->db, &tx);

    (void)snprintf(text, sizeof(text), "%" PRIu64, version);
    if (r == 0)
        r = check_ready(site, id, version);
    if (r == 0)
        r = content_version_make_current(site, id, version);
    if (r == 0)
        r = lay_out(site, package, version);
    if (r == 0)
        r = site_audit(site, who, "content.rollback", id, text);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

int content_rollback(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"version", FIELD_NUMBER, true, 1, INT32_MAX, NULL},
        {0},
    };
    OWN(json_freep) json_t *package = NULL;
    uint64_t version = field_number(body, "version", 0);
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = content_get(site, N_CONTENT_KINDS, id, &package);
    if (r != 0)
        return TRACE(r);
    if (field_number(package, "current_version", 0) == version)
        return refuse(site,
                      REFUSAL_VERSION,
                      "Content version %" PRIu64 " is the current one of %s already.",
                      version,
                      id);
    r = roll_back(site, who, package, version);
    if (r != 0)
        return TRACE(r);
    return TRACE(content_get(site, N_CONTENT_KINDS, id, ret));
}

/* An export: what of which image, and how it is compressed. */
struct export
{
    const char *id;
    uint64_t version;
    const json_t *wanted; /* NULL or empty: every index */
    const char *compress;
    bool is_solid;
};

static bool is_wanted(const json_t *wanted, const json_t *index)
{
    for (size_t i = 0; i < json_array_size(wanted); i++)
        if (json_equal(json_array_get(wanted, i), json_object_get(index, "index")))
            return true;
    return json_array_size(wanted) == 0;
}

/* [{"manifest", "size_bytes"}] of the wanted ones. */
static int choose_indexes(struct site *site, const struct export *e, json_t **ret)
{
    OWN(json_freep) json_t *all = NULL;
    OWN(json_freep) json_t *chosen = json_array();
    int r = rows_array(
        site->db, SQL_PACKAGE_INDEX_LIST, DB_ARGS(db_text(e->id), db_u64(e->version)), &all);

    if (r < 0)
        return TRACE(r);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *index = json_array_get(all, i);

        if (is_wanted(e->wanted, index))
            (void)json_array_append_new(chosen,
                                        json_pack("{s:O,s:O}",
                                                  "manifest",
                                                  json_object_get(index, "manifest"),
                                                  "size_bytes",
                                                  json_object_get(index, "size_bytes")));
    }
    if (json_array_size(chosen) == 0 || json_array_size(chosen) < json_array_size(e->wanted))
        return refuse(site,
                      REFUSAL_MISSING,
                      "%s, content version %" PRIu64
                      ", does not have each of these indexes; it has %zu.",
                      e->id,
                      e->version,
                      json_array_size(all));
    *ret = TAKE(chosen);
    return 0;
}

static int add_export(struct site *site, const char *who, const struct export *e, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *indexes = NULL;
    OWN(json_freep) json_t *args = NULL;
    struct job_order order = {
        .kind = "export-os-image", .package_id = e->id, .version = e->version};
    char job_id[UUID_TEXT_MAX];
    int r = choose_indexes(site, e, &indexes);

    if (r != 0)
        return TRACE(r);
    args = json_pack("{s:s,s:I,s:O,s:s,s:b}",
                     "package_id",
                     e->id,
                     "version",
                     (json_int_t)e->version,
                     "indexes",
                     indexes,
                     "compress",
                     e->compress,
                     "is_solid",
                     (int)e->is_solid);
    if (!args)
        return ERR(-ENOMEM);
    order.args = args;
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = job_add(site, &order, job_id);
    if (r == 0)
        r = site_audit(site, who, "content.export", e->id, e->compress);
    if (r == 0)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:s}", "operation_id", job_id);
    return *ret ? 0 : ERR(-ENOMEM);
}

int content_export(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"indexes", FIELD_ARRAY, false, 0, CONTENT_INDEXES_MAX, NULL},
        {"compress", FIELD_CHOICE, false, 0, 0, "none|xpress|lzx|lzms"},
        {"is_solid", FIELD_BOOL, false, 0, 0, NULL},
        {"version", FIELD_NUMBER, false, 1, INT32_MAX, NULL},
        {0},
    };
    OWN(json_freep) json_t *package = NULL;
    struct export e = {
        .id = id,
        .wanted = json_object_get(body, "indexes"),
        .compress = field_text(body, "compress", "lzx"),
        .is_solid = field_bool(body, "is_solid"),
    };
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = content_source_check_indexes(site, e.wanted);
    if (r == 0)
        r = content_get(site, N_CONTENT_KINDS, id, &package);
    if (r != 0)
        return TRACE(r);
    if (strcmp(field_text(package, "kind", ""), "os-image") != 0)
        return refuse(site, REFUSAL_KIND, "%s is no OS image; only these are exported.", id);
    if (e.is_solid && strcmp(e.compress, "none") == 0)
        return refuse(
            site, REFUSAL_INVALID, "\"is_solid\" wants a compression other than \"none\".");
    e.version = field_number(body, "version", field_number(package, "current_version", 0));
    r = check_ready(site, id, e.version);
    if (r != 0)
        return TRACE(r);
    return TRACE(add_export(site, who, &e, ret));
}

/* @ret: whether there was one. */
static int prune_one(struct site *site, bool *ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(db_rows_fini) struct db_rows rows = {0};
    char id[SITE_ID_MAX];
    char text[24];
    uint64_t version;
    int r = db_first(site->db, SQL_VERSION_PRUNABLE, DB_NO_ARGS, &rows);

    *ret = r == DB_ROW;
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(id, sizeof(id), "%s", db_get_text(&rows, 0));
    version = db_get_u64(&rows, 1);
    db_rows_fini(&rows);
    (void)snprintf(text, sizeof(text), "%" PRIu64, version);
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = content_version_remove(site, id, version, NULL);
    if (r == 0)
        r = site_audit(site, "site", "content.remove-version", id, text);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

int content_prune(struct site *site)
{
    bool is_more = true;
    int r = 0;

    while (r == 0 && is_more)
        r = prune_one(site, &is_more);
    return TRACE(r);
}
