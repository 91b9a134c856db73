/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content_job.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "site/content.h"
#include "site/content_version.h"
#include "site/fields.h"
#include "site/job.h"

#define SIZE_MAX_BYTES   (UINT64_C(1) << 44)
#define REMOVAL_RETRY_US (UINT64_C(3600) * 1000000)

static bool is_sha256(const char *text)
{
    uint8_t bytes[SHA256_BYTES];

    return hex_parse(bytes_of(text), SHA256_BYTES, bytes);
}

/* NULL if the worker did not say. */
static struct db_value known_bool(const json_t *index, const char *name)
{
    return json_is_boolean(json_object_get(index, name)) ? db_u64(field_bool(index, name) ? 1 : 0)
                                                         : db_null();
}

static int save_manifest(struct site *site,
                         const struct job *job,
                         uint64_t part,
                         const char *manifest,
                         uint64_t size_bytes)
{
    if (!is_sha256(manifest))
        return refuse(site, REFUSAL_INVALID, "\"manifest\" must be a SHA-256.");
    return TRACE(db_must(site->db,
                         SQL_MANIFEST_ADD,
                         DB_ARGS(db_text(job->package_id),
                                 db_u64(job->version),
                                 db_u64(part),
                                 db_text(manifest),
                                 db_u64(size_bytes))));
}

static int add_index(struct site *site, const struct job *job, const json_t *index)
{
    int r = db_run(site->db,
                   SQL_PACKAGE_INDEX_ADD,
                   DB_ARGS(db_text(job->package_id),
                           db_u64(job->version),
                           db_u64(field_number(index, "index", 0)),
                           db_text(field_text(index, "name", "")),
                           db_text(field_text(index, "description", "")),
                           db_text(field_text(index, "arch", "")),
                           db_text(field_text(index, "languages", "")),
                           db_text(field_text(index, "default_language", "")),
                           db_text(field_text(index, "build", "")),
                           db_text(field_text(index, "edition", "")),
                           db_u64(field_number(index, "size_bytes", 0)),
                           db_u64(field_number(index, "file_count", 0)),
                           db_text(field_text(index, "manifest", "")),
                           known_bool(index, "has_unix_data"),
                           known_bool(index, "is_windows")),
                   NULL);

    if (r > 0)
        return refuse(site, REFUSAL_INVALID, "Two indexes have the same number.");
    return TRACE(r);
}

static int save_index(struct site *site, const struct job *job, const json_t *index)
{
    static const struct field fields[] = {
        {"index", FIELD_NUMBER, true, 1, CONTENT_INDEXES_MAX, NULL},
        {"name", FIELD_TEXT, false, 0, 1024, NULL},
        {"description", FIELD_TEXT, false, 0, 4096, NULL},
        {"arch", FIELD_TEXT, false, 0, 64, NULL},
        {"languages", FIELD_TEXT, false, 0, 4096, NULL},
        {"default_language", FIELD_TEXT, false, 0, 64, NULL},
        {"build", FIELD_TEXT, false, 0, 64, NULL},
        {"edition", FIELD_TEXT, false, 0, 256, NULL},
        {"size_bytes", FIELD_NUMBER, true, 0, SIZE_MAX_BYTES, NULL},
        {"file_count", FIELD_NUMBER, false, 0, UINT32_MAX, NULL},
        {"manifest", FIELD_TEXT, true, SHA256_TEXT_MAX - 1, SHA256_TEXT_MAX - 1, NULL},
        {"has_unix_data", FIELD_BOOL, false, 0, 0, NULL},
        {"is_windows", FIELD_BOOL, false, 0, 0, NULL},
        {0},
    };
    int r = fields_check(site, index, fields, true, REFUSAL_INVALID);

    if (r == 0)
        r = add_index(site, job, index);
    if (r != 0)
        return TRACE(r);
    return TRACE(save_manifest(site,
                               job,
                               field_number(index, "index", 0),
                               field_text(index, "manifest", ""),
                               field_number(index, "size_bytes", 0)));
}

static int save_indexes(struct site *site,
                        const struct job *job,
                        const json_t *result,
                        struct content_totals *totals)
{
    static const struct field fields[] = {
        {"indexes", FIELD_ARRAY, true, 0, CONTENT_INDEXES_MAX, NULL},
        {"new_bytes", FIELD_NUMBER, false, 0, SIZE_MAX_BYTES, NULL},
        {0},
    };
    const json_t *list = json_object_get(result, "indexes");
    int r = fields_check(site, result, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    if (json_array_size(list) == 0)
        return refuse(site, REFUSAL_INVALID, "The image file has no image in it.");
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
        const json_t *index = json_array_get(list, i);

        r = save_index(site, job, index);
        totals->size_bytes += field_number(index, "size_bytes", 0);
        totals->file_count += field_number(index, "file_count", 0);
    }
    totals->new_bytes = field_number(result, "new_bytes", 0);
    return TRACE(r);
}

static int save_tree(struct site *site,
                     const struct job *job,
                     const json_t *result,
                     struct content_totals *totals)
{
    static const struct field fields[] = {
        {"manifest", FIELD_TEXT, true, SHA256_TEXT_MAX - 1, SHA256_TEXT_MAX - 1, NULL},
        {"size_bytes", FIELD_NUMBER, true, 0, SIZE_MAX_BYTES, NULL},
        {"file_count", FIELD_NUMBER, false, 0, UINT32_MAX, NULL},
        {"new_bytes", FIELD_NUMBER, false, 0, SIZE_MAX_BYTES, NULL},
        {0},
    };
    int r = fields_check(site, result, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    totals->size_bytes = field_number(result, "size_bytes", 0);
    totals->new_bytes = field_number(result, "new_bytes", 0);
    totals->file_count = field_number(result, "file_count", 0);
    return TRACE(
        save_manifest(site, job, 0, field_text(result, "manifest", ""), totals->size_bytes));
}

static int save_file(struct site *site, const struct job *job, const char *name, const json_t *file)
{
    static const struct field fields[] = {
        {"size", FIELD_NUMBER, true, 0, SIZE_MAX_BYTES, NULL},
        {"sha256", FIELD_TEXT, true, SHA256_TEXT_MAX - 1, SHA256_TEXT_MAX - 1, NULL},
        {0},
    };
    int r = fields_check(site, file, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    if (strlen(name) > 128 || strchr(name, '/') || !is_sha256(field_text(file, "sha256", "")))
        return refuse(site, REFUSAL_INVALID, "A file of the boot image has a bad name or SHA-256.");
    return TRACE(db_must(site->db,
                         SQL_PACKAGE_FILE_ADD,
                         DB_ARGS(db_text(job->package_id),
                                 db_u64(job->version),
                                 db_text(name),
                                 db_u64(field_number(file, "size", 0)),
                                 db_text(field_text(file, "sha256", "")))));
}

static int check_boot_image(struct site *site, const json_t *result)
{
    static const char *const needed[] = {"vmlinuz", "initrd.img"};
    static const struct field fields[] = {
        {"files", FIELD_OBJECT, true, 0, 0, NULL},
        {"kernel_version", FIELD_TEXT, false, 0, 256, NULL},
        {"agent_version", FIELD_TEXT, false, 0, 256, NULL},
        {"manifest", FIELD_TEXT, false, SHA256_TEXT_MAX - 1, SHA256_TEXT_MAX - 1, NULL},
        {"new_bytes", FIELD_NUMBER, false, 0, SIZE_MAX_BYTES, NULL},
        {0},
    };
    const json_t *files = json_object_get(result, "files");
    int r = fields_check(site, result, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!json_object_get(files, needed[i]))
            return refuse(site, REFUSAL_INVALID, "The boot image has no %s.", needed[i]);
    if (json_object_size(files) > CONTENT_FILES_MAX)
        return refuse(site, REFUSAL_INVALID, "The boot image has too many files.");
    return 0;
}

static int save_boot_image(struct site *site,
                           const struct job *job,
                           const json_t *result,
                           struct content_totals *totals)
{
    json_t *files = json_object_get(result, "files");
    const char *manifest = field_text(result, "manifest", NULL);
    int r = check_boot_image(site, result);

    if (r != 0)
        return TRACE(r);
    for (void *at = json_object_iter(files); r == 0 && at; at = json_object_iter_next(files, at)) {
        r = save_file(site, job, json_object_iter_key(at), json_object_iter_value(at));
        totals->size_bytes += field_number(json_object_iter_value(at), "size", 0);
    }
    totals->file_count = json_object_size(files);
    totals->new_bytes = field_number(result, "new_bytes", totals->size_bytes);
    totals->kernel_version = field_text(result, "kernel_version", "");
    totals->agent_version = field_text(result, "agent_version", "");
    if (r != 0 || !manifest)
        return TRACE(r);
    return TRACE(save_manifest(site, job, 0, manifest, totals->size_bytes));
}

int content_job_succeeded(struct site *site, const struct job *job, const json_t *result)
{
    struct content_totals totals = {.kernel_version = "", .agent_version = ""};
    int r;

    if (strcmp(job->kind, "import-os-image") == 0)
        r = save_indexes(site, job, result, &totals);
    else if (strcmp(job->kind, "import-tree") == 0)
        r = save_tree(site, job, result, &totals);
    else
        r = save_boot_image(site, job, result, &totals);
    if (r == 0)
        r = db_must(site->db,
                    SQL_PACKAGE_SOURCE_OF_JOB,
                    DB_ARGS(db_text(job->package_id), db_text(job->id)));
    if (r != 0)
        return TRACE(r);
    return TRACE(content_version_ready(site, job->package_id, job->version, &totals));
}

static void add_manifest(json_t *list, const json_t *object)
{
    const char *manifest = field_text(object, "manifest", "");

    if (is_sha256(manifest))
        (void)json_array_append_new(list, json_string(manifest));
}

/* What the job was told, also of a package that is deleted since. */
static int load_args(struct site *site, const struct job *job, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_JOB_GET, DB_ARGS(db_text(job->id)), &rows);

    if (r < 0)
        return TRACE(r);
    *ret = json_loads(db_get_text(&rows, 6), JSON_REJECT_DUPLICATES, NULL);
    return *ret ? 0 : ERR(-ENOMEM);
}

int content_job_too_late(struct site *site, const struct job *job, const json_t *result)
{
    OWN(json_freep) json_t *manifests = json_array();
    OWN(json_freep) json_t *told = NULL;
    OWN(json_freep) json_t *args = NULL;
    const json_t *indexes = json_object_get(result, "indexes");
    char id[UUID_TEXT_MAX];
    int r;

    add_manifest(manifests, result);
    for (size_t i = 0; i < json_array_size(indexes) && i < CONTENT_INDEXES_MAX; i++)
        add_manifest(manifests, json_array_get(indexes, i));
    if (json_array_size(manifests) == 0)
        return 0;
    r = load_args(site, job, &told);
    if (r < 0)
        return TRACE(r);
    args = json_pack("{s:s,s:I,s:O,s:n}",
                     "package_id",
                     field_text(told, "package_id", ""),
                     "version",
                     (json_int_t)job->version,
                     "manifests",
                     manifests,
                     "boot");
    if (!args)
        return ERR(-ENOMEM);
    return TRACE(job_add(site,
                         &(struct job_order){
                             .kind = "remove",
                             .dp_id = job->dp_id,
                             .package_id = job->package_id[0] ? job->package_id : NULL,
                             .version = job->version,
                             .args = args,
                         },
                         id));
}

int content_job_failed(struct site *site,
                       const struct job *job,
                       const char *error_id,
                       const char *why)
{
    (void)why;
    (void)error_id;
    return TRACE(content_version_failed(site, job->package_id, job->version));
}

int content_job_exported(struct site *site, const struct job *job, const json_t *result)
{
    static const struct field fields[] = {
        {"export_id", FIELD_TEXT, true, 1, 64, NULL},
        {"size_bytes", FIELD_NUMBER, true, 0, SIZE_MAX_BYTES, NULL},
        {"sha256", FIELD_TEXT, true, SHA256_TEXT_MAX - 1, SHA256_TEXT_MAX - 1, NULL},
        {0},
    };

    (void)job;
    return TRACE(fields_check(site, result, fields, true, REFUSAL_INVALID));
}

int content_job_prepare_removal(struct site *site, const struct job *job, json_t *args)
{
    (void)job;
    return TRACE(content_drop_used(site, json_object_get(args, "manifests")));
}

int content_job_removal_failed(struct site *site,
                               const struct job *job,
                               const char *error_id,
                               const char *why)
{
    OWN(json_freep) json_t *args = NULL;
    char id[UUID_TEXT_MAX];
    int r;

    (void)why;
    (void)error_id;
    r = load_args(site, job, &args);
    if (r < 0)
        return TRACE(r);
    return TRACE(job_add(site,
                         &(struct job_order){
                             .kind = job->kind,
                             .dp_id = job->dp_id,
                             .package_id = job->package_id[0] ? job->package_id : NULL,
                             .version = job->version,
                             .args = args,
                             .due_us = site->now_us + REMOVAL_RETRY_US,
                         },
                         id));
}
