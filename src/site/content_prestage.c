/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/fields.h"
#include "site/job.h"

enum {
    CONTENTS_MAX = 256,
};

/* {"package_id", "version", "manifests"} of a content's current version. */
static int add_package(struct site *site, const char *id, json_t *packages)
{
    OWN(json_freep) json_t *manifests = NULL;
    uint64_t version = 0;
    int r = content_current_version(site, id, &version);

    if (r == 0)
        r = content_manifests(site, id, version, &manifests);
    if (r != 0)
        return TRACE(r);
    if (version == 0 || json_array_size(manifests) == 0)
        return refuse(site,
                      REFUSAL_NOT_READY,
                      "%s has no content version that is ready, so there is nothing to carry.",
                      id);
    return json_array_append_new(packages,
                                 json_pack("{s:s,s:I,s:O}",
                                           "package_id",
                                           id,
                                           "version",
                                           (json_int_t)version,
                                           "manifests",
                                           manifests)) == 0
               ? 0
               : ERR(-ENOMEM);
}

static int make_args(struct site *site, const json_t *contents, json_t **ret)
{
    OWN(json_freep) json_t *packages = json_array();
    int r = packages ? 0 : ERR(-ENOMEM);

    for (size_t i = 0; r == 0 && i < json_array_size(contents); i++) {
        const char *name = json_string_value(json_array_get(contents, i));
        char id[SITE_ID_MAX];

        r = name ? content_find(site, CONTENT_FIND_ANY, name, id)
                 : refuse(site, REFUSAL_INVALID, "\"contents\" must be a list of ids or names.");
        if (r == 0)
            r = add_package(site, id, packages);
    }
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:O}", "packages", packages);
    return *ret ? 0 : ERR(-ENOMEM);
}

int content_prestage(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"contents", FIELD_ARRAY, true, 1, CONTENTS_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *args = NULL;
    struct job_order order = {.kind = "prestage-export"};
    char job_id[UUID_TEXT_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = make_args(site, json_object_get(body, "contents"), &args);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r != 0)
        return TRACE(r);
    order.args = args;
    r = job_add(site, &order, job_id);
    if (r == 0)
        r = site_audit(site, who, "content.prestage", job_id, "");
    if (r == 0)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:s}", "operation_id", job_id);
    return *ret ? 0 : ERR(-ENOMEM);
}
