/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "site/boot_image.h"
#include "site/content_source.h"
#include "site/content_version.h"
#include "site/fields.h"
#include "site/job.h"
#include "site/prestart.h"

static const struct {
    const char *name;
    const char *action; /* of the audit log */
} kinds[N_CONTENT_KINDS + 1] = {
    [CONTENT_OS_IMAGE] = {"os-image", "os-image.create"},
    [CONTENT_OS_UPGRADE_PACKAGE] = {"os-upgrade-package", "os-upgrade-package.create"},
    [CONTENT_BOOT_IMAGE] = {"boot-image", "boot-image.create"},
    [CONTENT_DRIVER_PACKAGE] = {"driver-package", "driver-package.create"},
    [CONTENT_PACKAGE] = {"package", "package.create"},
    [N_CONTENT_KINDS] = {"", ""}, /* any */
};

const char *content_kind_name(enum content_kind kind)
{
    return kinds[kind].name;
}

/* What a package is called and how it is kept; all borrowed. */
struct labels {
    const char *name;
    const char *version;
    const char *comment;
    const char *source_path;
    const char *priority;
    uint64_t keep_versions;
    const char *prestart_command; /* of a boot image; "": none */
};

static int check_name(struct site *site, const char *kind, const char *id, const struct labels *l)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db,
                     SQL_PACKAGE_SAME_NAME,
                     DB_ARGS(db_text(kind), db_text(l->name), db_text(l->version), db_text(id)),
                     &rows);

    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW)
        return refuse(
            site,
            REFUSAL_DUPLICATE,
            "The %s %s has the name \"%s\"%s%s%s already; choose another name or version, or "
            "update that one.",
            kind,
            db_get_text(&rows, 0),
            l->name,
            l->version[0] ? " and the version \"" : "",
            l->version,
            l->version[0] ? "\"" : "");
    return 0;
}

static struct labels read_labels(const json_t *body, const struct labels *before)
{
    return (struct labels){
        .name = field_text(body, "name", before->name),
        .version = field_text(body, "version", before->version),
        .comment = field_text(body, "comment", before->comment),
        .source_path = field_text(body, "source_path", before->source_path),
        .priority = field_text(body, "priority", before->priority),
        .keep_versions = field_number(body, "keep_versions", before->keep_versions),
        .prestart_command = field_text(body, "prestart_command", before->prestart_command),
    };
}

/* A package to be. */
struct creation {
    enum content_kind kind;
    const char *who;
    struct labels labels;
    const char *arch; /* "" but for a boot image, as the next one */
    const char *flavour;
    bool is_custom;
    const char *job_kind;
    json_t *args; /* owned */
};

static void creation_fini(struct creation *c)
{
    json_decref(c->args);
}

static int add_package(struct site *site, const struct creation *c, const char *id)
{
    const struct labels *l = &c->labels;

    return TRACE(db_must(site->db,
                         SQL_PACKAGE_ADD,
                         DB_ARGS(db_text(id),
                                 db_text(kinds[c->kind].name),
                                 db_text(l->name),
                                 db_text(l->version),
                                 db_text(l->comment),
                                 db_text(l->source_path),
                                 db_text(l->priority),
                                 db_u64(l->keep_versions),
                                 db_text(c->kind == CONTENT_BOOT_IMAGE ? "building" : "importing"),
                                 db_u64(c->is_custom ? 1 : 0),
                                 db_text(c->arch),
                                 db_text(c->flavour),
                                 db_u64(site->now_us),
                                 db_text(l->prestart_command))));
}

static int add(struct site *site, const struct creation *c, char id[static SITE_ID_MAX])
{
    OWN(db_rollbackp) struct db *tx = NULL;
    struct content_making making = {
        .package_id = id, .job_kind = c->job_kind, .args = c->args, .built_for = ""};
    char job_id[UUID_TEXT_MAX];
    uint64_t version;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = check_name(site, kinds[c->kind].name, "", &c->labels);
    if (r == 0)
        r = site_take_id(site, SITE_ID_OBJECT, id);
    if (r == 0)
        r = add_package(site, c, id);
    if (r == 0)
        r = content_version_begin(site, &making, &version, job_id);
    if (r == 0)
        r = site_audit(site, c->who, kinds[c->kind].action, id, c->labels.name);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

/* "Boot image (x64, generic)", with a number behind it if there is one. */
static int name_boot_image(struct site *site, struct creation *c, char *dst, size_t cap)
{
    for (unsigned n = 1; n <= CONTENT_NAMESAKES_MAX; n++) {
        OWN(db_rows_fini) struct db_rows rows = {0};
        char number[16] = "";
        int r;

        if (n > 1)
            (void)snprintf(number, sizeof(number), " %u", n);
        (void)snprintf(dst, cap, "Boot image (%s, %s)%s", c->arch, c->flavour, number);
        r = db_first(site->db,
                     SQL_PACKAGE_SAME_NAME,
                     DB_ARGS(db_text("boot-image"), db_text(dst), db_text(""), db_text("")),
                     &rows);
        if (r != DB_ROW) {
            c->labels.name = dst;
            return TRACE(r);
        }
    }
    return refuse(
        site, REFUSAL_DUPLICATE, "There are very many boot images; give this one a name.");
}

static int create_boot_image(struct site *site,
                             const char *who,
                             const json_t *body,
                             char id[static SITE_ID_MAX])
{
    static const struct field fields[] = {
        {"arch", FIELD_CHOICE, true, 0, 0, "x64|x86"},
        {"flavour", FIELD_CHOICE, false, 0, 0, "generic|virtual"},
        {"name", FIELD_NAME, false, 1, CONTENT_NAME_MAX, NULL},
        {"version", FIELD_LINE, false, 0, CONTENT_VERSION_MAX, NULL},
        {"comment", FIELD_LINE, false, 0, CONTENT_COMMENT_MAX, NULL},
        {"priority", FIELD_CHOICE, false, 0, 0, "high|medium|low"},
        {"keep_versions", FIELD_NUMBER, false, 1, CONTENT_KEEP_MAX, NULL},
        {"is_custom", FIELD_BOOL, false, 0, 0, NULL},
        {"prestart_command", FIELD_LINE, false, 0, PRESTART_COMMAND_MAX, NULL},
        {0},
    };
    static const struct labels usual = {NULL, "", "", "", "medium", CONTENT_KEEP, ""};
    OWN(creation_fini)
    struct creation c = {
        .kind = CONTENT_BOOT_IMAGE,
        .who = who,
        .labels = read_labels(body, &usual),
        .arch = field_text(body, "arch", ""),
        .flavour = field_text(body, "flavour", "generic"),
        .is_custom = field_bool(body, "is_custom"),
        .job_kind = "build-boot-image",
    };
    char name[64];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = boot_image_check_arch(site, c.arch, c.flavour);
    if (r == 0 && !c.labels.name)
        r = name_boot_image(site, &c, name, sizeof(name));
    if (r == 0)
        r = content_source_build(site, c.arch, c.flavour, &c.args);
    if (r != 0)
        return TRACE(r);
    return TRACE(add(site, &c, id));
}

/* The same request again, because its answer was lost: an upload is used once. @id: set if it was. */
static int
find_made(struct site *site, const struct creation *c, const json_t *body, char id[SITE_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db,
                     SQL_PACKAGE_OF_UPLOAD,
                     DB_ARGS(db_text(kinds[c->kind].name),
                             db_text(c->labels.name),
                             db_text(c->labels.version),
                             db_text(field_text(body, "upload_id", ""))),
                     &rows);

    id[0] = '\0';
    if (r == DB_ROW)
        (void)snprintf(id, SITE_ID_MAX, "%s", db_get_text(&rows, 0));
    return r < 0 ? TRACE(r) : 0;
}

static int create_imported(struct site *site,
                           enum content_kind kind,
                           const char *who,
                           const json_t *body,
                           char id[static SITE_ID_MAX])
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, true, 1, CONTENT_NAME_MAX, NULL},
        {"version", FIELD_LINE, false, 0, CONTENT_VERSION_MAX, NULL},
        {"comment", FIELD_LINE, false, 0, CONTENT_COMMENT_MAX, NULL},
        {"priority", FIELD_CHOICE, false, 0, 0, "high|medium|low"},
        {"keep_versions", FIELD_NUMBER, false, 1, CONTENT_KEEP_MAX, NULL},
        CONTENT_SOURCE_FIELDS,
        {0},
    };
    static const struct labels usual = {"", "", "", "", "medium", CONTENT_KEEP, ""};
    OWN(creation_fini)
    struct creation c = {
        .kind = kind,
        .who = who,
        .labels = read_labels(body, &usual),
        .arch = "",
        .flavour = "",
        .job_kind = content_source_job_kind(kinds[kind].name),
    };
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = content_source_import(site, kinds[kind].name, body, "", &c.args);
    if (r == 0)
        r = find_made(site, &c, body, id);
    if (r != 0 || id[0])
        return TRACE(r);
    return TRACE(add(site, &c, id));
}

int content_create(
    struct site *site, enum content_kind kind, const char *who, const json_t *body, json_t **ret)
{
    char id[SITE_ID_MAX];
    int r = kind == CONTENT_BOOT_IMAGE ? create_boot_image(site, who, body, id)
                                       : create_imported(site, kind, who, body, id);

    if (r != 0)
        return TRACE(r);
    return TRACE(content_get(site, kind, id, ret));
}

/* Members that another kind of content has. */
static void leave_out(json_t *package)
{
    static const char *const of_boot_images[] = {
        "is_custom", "arch", "flavour", "kernel_version", "agent_version", "prestart_command"};
    const char *kind = field_text(package, "kind", "");
    bool is_boot_image = strcmp(kind, "boot-image") == 0;

    for (size_t i = 0; !is_boot_image && i < sizeof(of_boot_images) / sizeof(*of_boot_images); i++)
        (void)json_object_del(package, of_boot_images[i]);
    if (is_boot_image)
        (void)json_object_del(package, "source_path");
    if (strcmp(kind, "os-image") == 0)
        (void)json_object_del(package, "manifest");
}

/* "indexes" or "files" of the current version. */
static int add_parts(struct site *site, json_t *package)
{
    OWN(json_freep) json_t *parts = NULL;
    const char *kind = field_text(package, "kind", "");
    bool is_boot_image = strcmp(kind, "boot-image") == 0;
    int r;

    if (!is_boot_image && strcmp(kind, "os-image") != 0)
        return 0;
    r = rows_array(site->db,
                   is_boot_image ? SQL_PACKAGE_FILE_LIST : SQL_PACKAGE_INDEX_LIST,
                   DB_ARGS(db_text(field_text(package, "id", "")),
                           db_u64(field_number(package, "current_version", 0))),
                   &parts);
    if (r < 0)
        return TRACE(r);
    if (json_object_set(package, is_boot_image ? "files" : "indexes", parts) < 0)
        return ERR(-ENOMEM);
    return 0;
}

int content_get(struct site *site, enum content_kind kind, const char *id, json_t **ret)
{
    OWN(json_freep) json_t *package = NULL;
    const char *what = kind == N_CONTENT_KINDS ? "content" : kinds[kind].name;
    int r = rows_one(
        site->db, SQL_PACKAGE_GET, DB_ARGS(db_text(id), db_text(kinds[kind].name)), &package);

    if (r < 0)
        return TRACE(r);
    if (!package)
        return refuse(site, REFUSAL_MISSING, "There is no %s \"%.100s\".", what, id);
    leave_out(package);
    r = add_parts(site, package);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(package);
    return 0;
}

int content_list(struct site *site, enum content_kind kind, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page), db_text(kinds[kind].name));
    const json_t *items;
    int r = rows_page(site->db, SQL_PACKAGE_LIST, args, page, ret);

    if (r < 0)
        return TRACE(r);
    items = json_object_get(*ret, "items");
    for (size_t i = 0; i < json_array_size(items); i++)
        leave_out(json_array_get(items, i));
    return 0;
}

static int save_labels(struct site *site, const char *id, const struct labels *l)
{
    return TRACE(db_must(site->db,
                         SQL_PACKAGE_SET,
                         DB_ARGS(db_text(id),
                                 db_text(l->name),
                                 db_text(l->version),
                                 db_text(l->comment),
                                 db_text(l->source_path),
                                 db_text(l->priority),
                                 db_u64(l->keep_versions),
                                 db_text(l->prestart_command))));
}

static int
change(struct site *site, const char *who, const json_t *package, const struct labels *labels)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *id = field_text(package, "id", "");
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = check_name(site, field_text(package, "kind", ""), id, labels);
    if (r == 0)
        r = save_labels(site, id, labels);
    if (r == 0)
        r = site_audit(site, who, "content.set", id, labels->name);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

static int check_prestart(struct site *site, const json_t *package, const json_t *body)
{
    const char *kind = field_text(package, "kind", "");

    if (!json_object_get(body, "prestart_command") || strcmp(kind, "boot-image") == 0)
        return 0;
    return refuse(
        site, REFUSAL_INVALID, "Only a boot image has a prestart command; this is a %s.", kind);
}

int content_set(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, false, 1, CONTENT_NAME_MAX, NULL},
        {"version", FIELD_LINE, false, 0, CONTENT_VERSION_MAX, NULL},
        {"comment", FIELD_LINE, false, 0, CONTENT_COMMENT_MAX, NULL},
        {"source_path", FIELD_LINE, false, 0, CONTENT_PATH_MAX_BYTES, NULL},
        {"priority", FIELD_CHOICE, false, 0, 0, "high|medium|low"},
        {"keep_versions", FIELD_NUMBER, false, 1, CONTENT_KEEP_MAX, NULL},
        {"prestart_command", FIELD_LINE, false, 0, PRESTART_COMMAND_MAX, NULL},
        {0},
    };
    OWN(json_freep) json_t *before = NULL;
    struct labels labels;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = content_get(site, N_CONTENT_KINDS, id, &before);
    if (r == 0)
        r = check_prestart(site, before, body);
    if (r != 0)
        return TRACE(r);
    labels = read_labels(before, &(struct labels){"", "", "", "", "medium", CONTENT_KEEP, ""});
    labels = read_labels(body, &labels);
    r = content_source_check_path(site, field_text(before, "kind", ""), labels.source_path);
    if (r == 0)
        r = change(site, who, before, &labels);
    if (r != 0)
        return TRACE(r);
    return TRACE(content_get(site, N_CONTENT_KINDS, id, ret));
}

static int check_unused(struct site *site, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    const char *deployments;
    int r = db_first(site->db, SQL_PACKAGE_USERS, DB_ARGS(db_text(id)), &rows);

    if (r != DB_ROW)
        return TRACE(r);
    deployments = db_get_text(&rows, 2);
    return refuse(site,
                  REFUSAL_IN_USE,
                  "%s is used by the task sequence %s \"%s\"%s%s.",
                  id,
                  db_get_text(&rows, 0),
                  db_get_text(&rows, 1),
                  deployments[0] ? ", which is deployed: " : "",
                  deployments);
}

/* The distribution points work for it no more. @ret: whether there was one. */
static int cancel_one_job(struct site *site, const char *who, const char *id, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(json_freep) json_t *operation = NULL;
    char job_id[UUID_TEXT_MAX];
    int r = db_first(site->db, SQL_JOB_OPEN_OF_PACKAGE, DB_ARGS(db_text(id)), &rows);

    *ret = r == DB_ROW;
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(job_id, sizeof(job_id), "%s", db_get_text(&rows, 0));
    db_rows_fini(&rows);
    return TRACE(job_cancel(site, who, job_id, &operation));
}

/* Older versions first; only the last one takes a boot image's plain files with it. */
static int remove_versions(struct site *site, const char *id, const char *boot_arch)
{
    OWN(json_freep) json_t *list = NULL;
    size_t n;
    int r = rows_array(site->db, SQL_VERSION_READY_LIST, DB_ARGS(db_text(id)), &list);

    n = json_array_size(list);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = content_version_remove(site,
                                   id,
                                   field_number(json_array_get(list, i), "number", 0),
                                   i + 1 == n ? boot_arch : NULL);
    return TRACE(r);
}

static int drop(struct site *site, const char *who, const json_t *package)
{
    const char *id = field_text(package, "id", "");
    bool is_boot_image = strcmp(field_text(package, "kind", ""), "boot-image") == 0;
    bool is_more = true;
    int r = 0;

    while (r == 0 && is_more)
        r = cancel_one_job(site, who, id, &is_more);
    if (r == 0)
        r = remove_versions(site, id, is_boot_image ? field_text(package, "arch", "") : NULL);
    if (r == 0)
        r = db_must(site->db, SQL_PACKAGE_DROP, DB_ARGS(db_text(id)));
    if (r == 0 && is_boot_image)
        r = boot_image_deleted(site, field_text(package, "arch", ""));
    if (r == 0)
        r = site_audit(site, who, "content.delete", id, field_text(package, "name", ""));
    return TRACE(r);
}

int content_delete(struct site *site, const char *who, const char *id)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *package = NULL;
    int r = content_get(site, N_CONTENT_KINDS, id, &package);

    if (r == 0)
        r = check_unused(site, id);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = drop(site, who, package);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

int content_manifests(struct site *site, const char *package_id, uint64_t version, json_t **ret)
{
    OWN(json_freep) json_t *list = json_array();
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(
        site->db, SQL_MANIFEST_LIST, DB_ARGS(db_text(package_id), db_u64(version)), &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW)
        if (json_array_append_new(list, json_string(db_get_text(&rows, 0))) < 0)
            return ERR(-ENOMEM);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(list);
    return 0;
}

int content_drop_used(struct site *site, json_t *manifests)
{
    for (size_t i = json_array_size(manifests); i > 0; i--) {
        OWN(db_rows_fini) struct db_rows rows = {0};
        const char *manifest = json_string_value(json_array_get(manifests, i - 1));
        int r = db_first(site->db, SQL_MANIFEST_USED, DB_ARGS(db_text(manifest)), &rows);

        if (r < 0)
            return TRACE(r);
        if (r == DB_ROW)
            (void)json_array_remove(manifests, i - 1);
    }
    return 0;
}

int content_unnamed(struct site *site, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"manifests", FIELD_ARRAY, true, 0, CONTENT_UNNAMED_MAX, NULL},
        {0},
    };
    OWN(json_freep) json_t *list = NULL;
    int r = fields_check(site, body, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    list = json_deep_copy(json_object_get(body, "manifests"));
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_string(json_array_get(list, i)))
            return refuse(site, REFUSAL_INVALID, "\"manifests\" must be a list of texts.");
    r = content_drop_used(site, list);
    if (r < 0)
        return TRACE(r);
    *ret = json_pack("{s:O}", "unnamed", list);
    return *ret ? 0 : ERR(-ENOMEM);
}

int content_current_version(struct site *site, const char *package_id, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_PACKAGE_STATE, DB_ARGS(db_text(package_id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site, REFUSAL_MISSING, "There is no content \"%.100s\".", package_id);
    *ret = db_get_u64(&rows, 6);
    return 0;
}
