/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/random.h"
#include "site/content_result.h"
#include "site/fields.h"

struct new_package {
    const char *kind;
    const char *name;
    const char *version;
    const char *comment;
    const char *state;
    const char *arch;
    const char *flavour;
    const char *job;    /* what the distribution point has to do for it */
    const char *action; /* for the audit log */
};

static int add_package(struct site *site, const char *id, const struct new_package *p)
{
    struct db_args args = DB_ARGS(db_text(id),
                                  db_text(p->kind),
                                  db_text(p->name),
                                  db_text(p->version),
                                  db_text(p->comment),
                                  db_text(p->state),
                                  db_text(p->arch),
                                  db_text(p->flavour),
                                  db_u64(site->now_us));

    return TRACE(db_must(site->db, SQL_PACKAGE_ADD, args));
}

static int add_job(struct site *site, const char *kind, const char *package_id, const json_t *args)
{
    OWN(freep) char *text = json_dumps(args, JSON_COMPACT);
    char id[UUID_TEXT_MAX];

    if (!text)
        return ERR(-ENOMEM);
    random_uuid(id, site->now_us);
    return TRACE(db_must(
        site->db,
        SQL_JOB_ADD,
        DB_ARGS(
            db_text(id), db_text(kind), db_text(package_id), db_text(text), db_u64(site->now_us))));
}

/* @args: taken over; what the job has to know beside the package's id. */
static int create(struct site *site,
                  const char *who,
                  const struct new_package *package,
                  json_t *args,
                  char id[static SITE_ID_MAX])
{
    OWN(json_freep) json_t *owned = args;
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = db_begin(site->db, &tx);

    if (r < 0)
        return TRACE(r);
    r = site_take_id(site, SITE_ID_OBJECT, id);
    if (r != 0)
        return TRACE(r);
    if (json_object_set_new(owned, "package_id", json_string(id)) < 0)
        return ERR(-ENOMEM);
    r = add_package(site, id, package);
    if (r == 0)
        r = add_job(site, package->job, id, owned);
    if (r == 0)
        r = site_audit(site, who, package->action, id, package->name);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

int os_image_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_TEXT, true, 1, 255, NULL},
        {"version", FIELD_TEXT, false, 0, 64, NULL},
        {"comment", FIELD_TEXT, false, 0, 4096, NULL},
        {"upload_id", FIELD_TEXT, true, 1, 64, NULL},
        {0},
    };
    struct new_package package = {
        .kind = "os-image",
        .state = "importing",
        .arch = "",
        .flavour = "",
        .job = "import-os-image",
        .action = "os-image.create",
    };
    const char *upload_id = field_text(body, "upload_id", "");
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    package.name = field_text(body, "name", "");
    package.version = field_text(body, "version", "");
    package.comment = field_text(body, "comment", "");
    r = create(site, who, &package, json_pack("{s:s}", "upload_id", upload_id), id);
    if (r != 0)
        return TRACE(r);
    return TRACE(os_image_get(site, id, ret));
}

static json_t *boot_image_args(const struct site *site, const struct new_package *p)
{
    OWN(json_freep) json_t *urls = json_array();
    const char *at = site->settings.addresses;

    while (*at) {
        size_t n = strcspn(at, " ");

        (void)json_array_append_new(
            urls, json_sprintf("https://%.*s:%u", (int)n, at, site->settings.https_port));
        at += n + (at[n] == ' ' ? 1 : 0);
    }
    return json_pack("{s:s,s:s,s:O,s:s}",
                     "arch",
                     p->arch,
                     "flavour",
                     p->flavour,
                     "site_urls",
                     urls,
                     "pin",
                     site->settings.pin);
}

int boot_image_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"arch", FIELD_CHOICE, true, 0, 0, "x64"},
        {"flavour", FIELD_CHOICE, false, 0, 0, "generic|virtual"},
        {"name", FIELD_TEXT, false, 1, 255, NULL},
        {0},
    };
    struct new_package package = {
        .kind = "boot-image",
        .state = "building",
        .version = "",
        .comment = "",
        .job = "build-boot-image",
        .action = "boot-image.create",
    };
    char name[64];
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    package.arch = field_text(body, "arch", "x64");
    package.flavour = field_text(body, "flavour", "generic");
    (void)snprintf(name, sizeof(name), "Boot image (%s, %s)", package.arch, package.flavour);
    package.name = field_text(body, "name", name);
    r = create(site, who, &package, boot_image_args(site, &package), id);
    if (r != 0)
        return TRACE(r);
    return TRACE(boot_image_get(site, id, ret));
}

/* @list: what the member @member is made of. */
static int get_with(struct site *site,
                    enum db_sql sql,
                    enum db_sql list,
                    const char *member,
                    const char *id,
                    json_t **ret)
{
    OWN(json_freep) json_t *object = NULL;
    OWN(json_freep) json_t *items = NULL;
    int r = rows_one(site->db, sql, DB_ARGS(db_text(id)), &object);

    if (r < 0)
        return TRACE(r);
    if (!object)
        return refuse(site, REFUSAL_MISSING, "There is no such image: \"%.100s\".", id);
    r = rows_array(site->db, list, DB_ARGS(db_text(id)), &items);
    if (r < 0)
        return TRACE(r);
    if (json_object_set(object, member, items) < 0)
        return ERR(-ENOMEM);
    *ret = TAKE(object);
    return 0;
}

int os_image_get(struct site *site, const char *id, json_t **ret)
{
    return TRACE(get_with(site, SQL_OS_IMAGE_GET, SQL_PACKAGE_INDEX_LIST, "indexes", id, ret));
}

int boot_image_get(struct site *site, const char *id, json_t **ret)
{
    return TRACE(get_with(site, SQL_BOOT_IMAGE_GET, SQL_PACKAGE_FILE_LIST, "files", id, ret));
}

int os_image_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_OS_IMAGE_LIST, args, page, ret));
}

int boot_image_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_BOOT_IMAGE_LIST, args, page, ret));
}

int operation_get(struct site *site, const char *id, json_t **ret)
{
    int r = rows_one(site->db, SQL_OPERATION_GET, DB_ARGS(db_text(id)), ret);

    if (r < 0)
        return TRACE(r);
    if (!*ret)
        return refuse(site, REFUSAL_MISSING, "There is no operation \"%.100s\".", id);
    return 0;
}

static int take_job(struct site *site, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(json_freep) json_t *args = NULL;
    int r = db_first(site->db, SQL_JOB_CLAIM, DB_ARGS(db_u64(site->now_us)), &rows);

    if (r != DB_ROW)
        return TRACE(r);
    args = json_loads(db_get_text(&rows, 2), JSON_REJECT_DUPLICATES, NULL);
    *ret = json_pack(
        "{s:s,s:s,s:O}", "id", db_get_text(&rows, 0), "kind", db_get_text(&rows, 1), "args", args);
    return *ret ? 0 : ERR(-ENOMEM);
}

/* In a transaction, because a claim that could not be written (disk full) must not be handed out. */
int content_claim_job(struct site *site, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *job = NULL;
    int r = db_begin(site->db, &tx);

    *ret = NULL;
    if (r == 0)
        r = take_job(site, &job);
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        *ret = TAKE(job);
    return TRACE(r);
}
