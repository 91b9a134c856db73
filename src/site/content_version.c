/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content_version.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/content.h"
#include "site/distribution.h"
#include "site/job.h"

static int check_idle(struct site *site, const char *package_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_VERSION_MAKING, DB_ARGS(db_text(package_id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW)
        return refuse(site,
                      REFUSAL_BUSY,
                      "Content version %" PRIu64
                      " of %s is being made by the operation %s; wait for it or cancel it.",
                      db_get_u64(&rows, 0),
                      package_id,
                      db_get_text(&rows, 1));
    return 0;
}

static int add_version(struct site *site, const struct content_making *making, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(
        site->db,
        SQL_VERSION_ADD,
        DB_ARGS(db_text(making->package_id), db_text(making->built_for), db_u64(site->now_us)),
        &rows);

    if (r < 0)
        return TRACE(r);
    *ret = db_get_u64(&rows, 0);
    return 0;
}

int content_version_begin(struct site *site,
                          const struct content_making *making,
                          uint64_t *ret_version,
                          char ret_job_id[static UUID_TEXT_MAX])
{
    int r = check_idle(site, making->package_id);

    if (r == 0)
        r = db_must(site->db,
                    SQL_VERSION_TRIM,
                    DB_ARGS(db_text(making->package_id), db_u64(CONTENT_HISTORY_MAX)));
    if (r == 0)
        r = add_version(site, making, ret_version);
    if (r != 0)
        return TRACE(r);
    if (json_object_set_new(making->args, "package_id", json_string(making->package_id)) < 0 ||
        json_object_set_new(making->args, "version", json_integer((json_int_t)*ret_version)) < 0)
        return ERR(-ENOMEM);
    return TRACE(job_add(site,
                         &(struct job_order){
                             .kind = making->job_kind,
                             .package_id = making->package_id,
                             .version = *ret_version,
                             .args = making->args,
                         },
                         ret_job_id));
}

int content_version_ready(struct site *site,
                          const char *package_id,
                          uint64_t version,
                          const struct content_totals *totals)
{
    int r = db_must(site->db,
                    SQL_VERSION_READY,
                    DB_ARGS(db_text(package_id),
                            db_u64(version),
                            db_u64(totals->size_bytes),
                            db_u64(totals->new_bytes),
                            db_u64(totals->file_count),
                            db_text(totals->kernel_version),
                            db_text(totals->agent_version),
                            db_u64(site->now_us)));

    if (r < 0)
        return TRACE(r);
    return TRACE(content_version_make_current(site, package_id, version));
}

int content_version_make_current(struct site *site, const char *package_id, uint64_t version)
{
    int r = db_must(site->db, SQL_PACKAGE_CURRENT, DB_ARGS(db_text(package_id), db_u64(version)));

    if (r < 0)
        return TRACE(r);
    return TRACE(distribution_version_ready(site, package_id, version));
}

int content_version_failed(struct site *site, const char *package_id, uint64_t version)
{
    struct db_args package = DB_ARGS(db_text(package_id));
    int r = db_must(site->db,
                    SQL_VERSION_SET_STATE,
                    DB_ARGS(db_text(package_id), db_u64(version), db_text("failed")));

    if (r == 0)
        r = db_must(site->db, SQL_PACKAGE_DROP_FAILED, package);
    if (r == 0)
        r = db_must(site->db, SQL_PACKAGE_FAILED, package);
    return TRACE(r);
}

/* One job for the site's own distribution point. */
static int order_removal(struct site *site,
                         const char *package_id,
                         uint64_t version,
                         const json_t *manifests,
                         const char *boot_arch)
{
    OWN(json_freep) json_t *boot = boot_arch ? json_pack("{s:s}", "arch", boot_arch) : json_null();
    OWN(json_freep)
    json_t *args = json_pack("{s:s,s:I,s:O,s:O}",
                             "package_id",
                             package_id,
                             "version",
                             (json_int_t)version,
                             "manifests",
                             manifests,
                             "boot",
                             boot);
    char id[UUID_TEXT_MAX];

    if (!args)
        return ERR(-ENOMEM);
    return TRACE(job_add(site,
                         &(struct job_order){
                             .kind = "remove",
                             .package_id = package_id,
                             .version = version,
                             .args = args,
                         },
                         id));
}

int content_version_remove(struct site *site,
                           const char *package_id,
                           uint64_t version,
                           const char *boot_arch)
{
    OWN(json_freep) json_t *manifests = NULL;
    struct db_args args = DB_ARGS(db_text(package_id), db_u64(version));
    int r = content_manifests(site, package_id, version, &manifests);

    if (r == 0 && (json_array_size(manifests) > 0 || boot_arch))
        r = order_removal(site, package_id, version, manifests, boot_arch);
    if (r == 0)
        r = distribution_version_gone(site, package_id, version, boot_arch);
    if (r == 0)
        r = db_must(site->db, SQL_MANIFEST_DROP, args);
    if (r == 0)
        r = db_must(site->db, SQL_PACKAGE_INDEX_DROP, args);
    if (r == 0)
        r = db_must(site->db, SQL_PACKAGE_FILE_DROP, args);
    if (r == 0)
        r = db_must(site->db,
                    SQL_VERSION_SET_STATE,
                    DB_ARGS(db_text(package_id), db_u64(version), db_text("removed")));
    return TRACE(r);
}
