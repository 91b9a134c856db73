/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/distribution.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/job.h"

/* The site's library has what was imported into it. */
static int own_has(struct site *site, const char *package_id, uint64_t version)
{
    struct db_args done =
        DB_ARGS(db_text(DP_OWN_ID), db_text(package_id), db_text(""), db_u64(site->now_us));
    int r = db_must(site->db,
                    SQL_DISTRIBUTION_WANT,
                    DB_ARGS(db_text(DP_OWN_ID),
                            db_text(package_id),
                            db_u64(version),
                            db_text(""),
                            db_u64(site->now_us)));

    if (r == 0)
        r = db_must(site->db, SQL_DISTRIBUTION_DONE, done);
    if (r == 0)
        r = db_must(
            site->db,
            SQL_DISTRIBUTION_VERSION_ADD,
            DB_ARGS(
                db_text(DP_OWN_ID), db_text(package_id), db_u64(version), db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    return TRACE(distribution_note(site,
                                   &(struct distribution_event){.dp_id = DP_OWN_ID,
                                                                .package_id = package_id,
                                                                .version = version,
                                                                .event = "import",
                                                                .message = ""}));
}

static bool is_version_there(
    struct site *site, const char *dp_id, const char *package_id, uint64_t version, int *ret_r)
{
    OWN(db_rows_fini) struct db_rows rows = {0};

    *ret_r = db_first(site->db,
                      SQL_BOUNDARY_DP_HAS,
                      DB_ARGS(db_text(dp_id), db_text(package_id), db_u64(version)),
                      &rows);
    return *ret_r == DB_ROW;
}

static bool is_boot_image(struct site *site, const char *package_id, int *ret_r)
{
    OWN(db_rows_fini) struct db_rows rows = {0};

    *ret_r = db_first(site->db, SQL_PACKAGE_STATE, DB_ARGS(db_text(package_id)), &rows);
    return *ret_r == DB_ROW && strcmp(db_get_text(&rows, 0), "boot-image") == 0;
}

static int
update_one(struct site *site, const char *dp_id, const char *package_id, uint64_t version)
{
    int r = db_must(site->db,
                    SQL_DISTRIBUTION_JOB_STOP,
                    DB_ARGS(db_text(dp_id),
                            db_text(package_id),
                            db_text("There is another version"),
                            db_u64(site->now_us)));

    if (r == 0)
        r = db_must(site->db,
                    SQL_DISTRIBUTION_WANT,
                    DB_ARGS(db_text(dp_id),
                            db_text(package_id),
                            db_u64(version),
                            db_text("update"),
                            db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    /* after going back it may be there still, but for the plain files of a boot image */
    if (!is_boot_image(site, package_id, &r) &&
        is_version_there(site, dp_id, package_id, version, &r))
        r = db_must(
            site->db,
            SQL_DISTRIBUTION_DONE,
            DB_ARGS(db_text(dp_id), db_text(package_id), db_text(""), db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    return TRACE(distribution_note(site,
                                   &(struct distribution_event){.dp_id = dp_id,
                                                                .package_id = package_id,
                                                                .version = version,
                                                                .event = "update",
                                                                .message = ""}));
}

int distribution_version_ready(struct site *site, const char *package_id, uint64_t version)
{
    OWN(json_freep) json_t *dps = NULL;
    int r = own_has(site, package_id, version);

    if (r == 0)
        r = rows_array(site->db, SQL_DISTRIBUTION_DPS_OF, DB_ARGS(db_text(package_id)), &dps);
    for (size_t i = 0; r == 0 && i < json_array_size(dps); i++) {
        const json_t *row = json_array_get(dps, i);
        const char *dp_id = field_text(row, "dp_id", "");

        if (strcmp(dp_id, DP_OWN_ID) != 0 && strcmp(field_text(row, "work", ""), "remove") != 0)
            r = update_one(site, dp_id, package_id, version);
    }
    return TRACE(r);
}

struct removal {
    const char *dp_id;
    const char *package_id;
    uint64_t version;
    const char *boot_arch; /* NULL: no plain files go with it */
};

static json_t *names_of(const json_t *rows)
{
    json_t *names = json_array();

    for (size_t i = 0; i < json_array_size(rows); i++)
        (void)json_array_append(names, json_object_get(json_array_get(rows, i), "manifest"));
    return names;
}

/* Also for one that is away: the job waits for it. What it needs by then is left out when it asks. */
static int queue_removal(struct site *site, const struct removal *what, const json_t *manifests)
{
    OWN(json_freep)
    json_t *boot = what->boot_arch ? json_pack("{s:s}", "arch", what->boot_arch) : json_null();
    OWN(json_freep)
    json_t *args = json_pack("{s:s,s:I,s:o,s:O}",
                             "package_id",
                             what->package_id,
                             "version",
                             (json_int_t)what->version,
                             "manifests",
                             names_of(manifests),
                             "boot",
                             boot);
    char id[UUID_TEXT_MAX];

    if (!args)
        return ERR(-ENOMEM);
    return TRACE(job_add(site,
                         &(struct job_order){
                             .kind = "remove",
                             .dp_id = what->dp_id,
                             .package_id = what->package_id,
                             .version = what->version,
                             .args = args,
                         },
                         id));
}

/* The site's own library is emptied by the rules of content. */
static int drop_one(struct site *site, const struct removal *what)
{
    OWN(json_freep) json_t *manifests = NULL;
    struct db_args args =
        DB_ARGS(db_text(what->dp_id), db_text(what->package_id), db_u64(what->version));
    int r = rows_array(site->db, SQL_DISTRIBUTION_ONLY_MANIFESTS, args, &manifests);

    if (r == 0 && (json_array_size(manifests) > 0 || what->boot_arch) &&
        strcmp(what->dp_id, DP_OWN_ID) != 0)
        r = queue_removal(site, what, manifests);
    if (r == 0)
        r = db_must(site->db, SQL_DISTRIBUTION_VERSION_DROP, args);
    return TRACE(r);
}

int distribution_version_gone(struct site *site,
                              const char *package_id,
                              uint64_t version,
                              const char *boot_arch)
{
    OWN(json_freep) json_t *dps = NULL;
    int r = rows_array(site->db,
                       SQL_DISTRIBUTION_VERSION_DPS,
                       DB_ARGS(db_text(package_id), db_u64(version)),
                       &dps);

    for (size_t i = 0; r == 0 && i < json_array_size(dps); i++) {
        struct removal removal = {
            .dp_id = field_text(json_array_get(dps, i), "dp_id", ""),
            .package_id = package_id,
            .version = version,
            .boot_arch = boot_arch,
        };

        r = drop_one(site, &removal);
    }
    return TRACE(r);
}
