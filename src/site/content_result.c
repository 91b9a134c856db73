/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content_result.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"
#include "db/db.h"
#include "site/content.h"
#include "site/fields.h"

#define SIZE_MAX_BYTES (UINT64_C(1) << 44)

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

static int save_index(struct site *site, const char *package_id, const json_t *index)
{
    static const struct field fields[] = {
        {"index", FIELD_NUMBER, true, 1, CONTENT_INDEXES_MAX, NULL},
        {"name", FIELD_TEXT, false, 0, 1024, NULL},
        {"description", FIELD_TEXT, false, 0, 4096, NULL},
        {"arch", FIELD_TEXT, false, 0, 64, NULL},
        {"size_bytes", FIELD_NUMBER, true, 0, SIZE_MAX_BYTES, NULL},
        {"file_count", FIELD_NUMBER, false, 0, UINT32_MAX, NULL},
        {"manifest", FIELD_TEXT, true, SHA256_TEXT_MAX - 1, SHA256_TEXT_MAX - 1, NULL},
        {"has_unix_data", FIELD_BOOL, false, 0, 0, NULL},
        {"is_windows", FIELD_BOOL, false, 0, 0, NULL},
        {0},
    };
    int r = fields_check(site, index, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    if (!is_sha256(field_text(index, "manifest", "")))
        return refuse(site, REFUSAL_INVALID, "\"manifest\" must be a SHA-256.");
    r = db_run(site->db,
               SQL_PACKAGE_INDEX_ADD,
               DB_ARGS(db_text(package_id),
                       db_u64(field_number(index, "index", 0)),
                       db_text(field_text(index, "name", "")),
                       db_text(field_text(index, "description", "")),
                       db_text(field_text(index, "arch", "")),
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

static int save_indexes(struct site *site, const char *package_id, const json_t *result)
{
    static const struct field fields[] = {
        {"indexes", FIELD_ARRAY, true, 0, CONTENT_INDEXES_MAX, NULL},
        {0},
    };
    const json_t *list = json_object_get(result, "indexes");
    int r = fields_check(site, result, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    if (json_array_size(list) == 0)
        return refuse(site, REFUSAL_INVALID, "The image file has no image in it.");
    r = db_must(site->db, SQL_PACKAGE_INDEX_DROP, DB_ARGS(db_text(package_id)));
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
        r = save_index(site, package_id, json_array_get(list, i));
    return TRACE(r);
}

static int
save_file(struct site *site, const char *package_id, const char *name, const json_t *file)
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
                         DB_ARGS(db_text(package_id),
                                 db_text(name),
                                 db_u64(field_number(file, "size", 0)),
                                 db_text(field_text(file, "sha256", "")))));
}

static int save_files(struct site *site, const char *package_id, const json_t *result)
{
    static const char *const needed[] = {"vmlinuz", "initrd.img"};
    static const struct field fields[] = {
        {"files", FIELD_OBJECT, true, 0, 0, NULL},
        {"kernel_version", FIELD_TEXT, false, 0, 256, NULL},
        {"agent_version", FIELD_TEXT, false, 0, 256, NULL},
        {0},
    };
    json_t *files = json_object_get(result, "files");
    int r = fields_check(site, result, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!json_object_get(files, needed[i]))
            return refuse(site, REFUSAL_INVALID, "The boot image has no %s.", needed[i]);
    if (json_object_size(files) > CONTENT_FILES_MAX)
        return refuse(site, REFUSAL_INVALID, "The boot image has too many files.");
    r = db_must(site->db, SQL_PACKAGE_FILE_DROP, DB_ARGS(db_text(package_id)));
    for (void *at = json_object_iter(files); r == 0 && at; at = json_object_iter_next(files, at))
        r = save_file(site, package_id, json_object_iter_key(at), json_object_iter_value(at));
    return TRACE(r);
}

int content_result_save(struct site *site,
                        const char *kind,
                        const char *package_id,
                        const json_t *result)
{
    int r = strcmp(kind, "import-os-image") == 0 ? save_indexes(site, package_id, result)
                                                 : save_files(site, package_id, result);

    if (r != 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_PACKAGE_READY,
                         DB_ARGS(db_text(package_id),
                                 db_u64(site->now_us),
                                 db_text(field_text(result, "kernel_version", "")),
                                 db_text(field_text(result, "agent_version", "")))));
}
