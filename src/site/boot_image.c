/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/content.h"
#include "site/content_source.h"
#include "site/content_version.h"
#include "site/fields.h"
#include "site/rows.h"
#include "site/site.h"

enum {
    VERSION_MAX_BYTES = 256, /* of a kernel, of an agent */
    BUILT_FOR_MAX = 2 * VERSION_MAX_BYTES + 2,
    NAME_BYTES = 32,
};

/* What the distribution point would build of today. */
struct inputs {
    const char *arch;
    const char *flavour;
    const char *kernel_version; /* "": nothing */
    const char *agent_version;
};

static bool is_whole(const struct inputs *in)
{
    return in->kernel_version[0] && in->agent_version[0] &&
           strlen(in->kernel_version) <= VERSION_MAX_BYTES;
}

static uint64_t before(const struct site *site, uint64_t span_us)
{
    return site->now_us > span_us ? site->now_us - span_us : 0;
}

static int
order_rebuild(struct site *site, const char *id, const struct inputs *in, const char *built_for)
{
    OWN(json_freep) json_t *args = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *package = NULL;
    struct content_making making = {
        .package_id = id, .job_kind = "build-boot-image", .built_for = built_for};
    int r = content_source_build(site, in->arch, in->flavour, &args);

    making.args = args;
    if (r == 0)
        r = content_get(site, CONTENT_BOOT_IMAGE, id, &package);
    if (r == 0)
        r = content_update_begin(site, "site", package, &making, &answer);
    return TRACE(r);
}

/* @ret: whether there was one. */
static int rebuild_one(struct site *site, const struct inputs *in, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char built_for[BUILT_FOR_MAX];
    char id[SITE_ID_MAX];
    int r;

    (void)snprintf(built_for, sizeof(built_for), "%s %s", in->kernel_version, in->agent_version);
    r = db_first(site->db,
                 SQL_PACKAGE_REBUILD,
                 DB_ARGS(db_text(in->arch),
                         db_text(in->flavour),
                         db_text(in->kernel_version),
                         db_text(in->agent_version),
                         db_text(built_for),
                         db_u64(before(site, BOOT_IMAGE_REBUILD_US)),
                         db_u64(before(site, BOOT_IMAGE_RETRY_US))),
                 &rows);
    *ret = r == DB_ROW;
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(id, sizeof(id), "%s", db_get_text(&rows, 0));
    db_rows_fini(&rows);
    return TRACE(order_rebuild(site, id, in, built_for));
}

/* What it is to be built of, for later: whether it can be, and why not. Written only when it has changed. */
static int remember(struct site *site, const struct inputs *in)
{
    return TRACE(db_run(site->db,
                        SQL_BOOT_DEFAULT_HEARD,
                        DB_ARGS(db_text(in->arch),
                                db_text(in->flavour),
                                db_text(in->kernel_version),
                                db_text(in->agent_version),
                                db_u64(site->now_us)),
                        NULL));
}

/* It is made if it is due; that it was tried counts also if it cannot be. */
static int make_default(struct site *site, const struct inputs *in)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(json_freep) json_t *package = NULL;
    OWN(json_freep) json_t *body = NULL;
    char name[NAME_BYTES];
    int r = db_first(site->db,
                     SQL_BOOT_DEFAULT_DUE,
                     DB_ARGS(db_text(in->arch), db_u64(before(site, BOOT_IMAGE_RETRY_US))),
                     &rows);

    if (r != DB_ROW)
        return TRACE(r);
    db_rows_fini(&rows);
    (void)snprintf(name, sizeof(name), "Boot image (%s)", in->arch);
    body = json_pack("{s:s,s:s,s:s}", "arch", in->arch, "flavour", in->flavour, "name", name);
    r = content_create(site, CONTENT_BOOT_IMAGE, "site", body, &package);
    if (r > 0 && site->refusal.id == REFUSAL_DUPLICATE) {
        (void)json_object_del(body, "name"); /* it then gets one that nobody has */
        r = content_create(site, CONTENT_BOOT_IMAGE, "site", body, &package);
    }
    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_BOOT_DEFAULT_TRIED,
                         DB_ARGS(db_text(in->arch),
                                 db_text(r == 0 ? field_text(package, "id", "") : ""),
                                 db_u64(site->now_us))));
}

/* Of what can be built for one architecture: for any hardware, if there is a kernel for it. */
static int follow_arch(struct site *site, const struct inputs *in, size_t n)
{
    const struct inputs *best = &in[0];
    int r = 0;

    for (size_t i = n; i > 0; i--)
        best = is_whole(&in[i - 1]) ? &in[i - 1] : best;
    if (!is_whole(best))
        return TRACE(remember(site, &(struct inputs){best->arch, best->flavour, "", ""}));
    r = remember(site, best);
    if (r == 0)
        r = make_default(site, best);
    if (r == 0 && strcmp(best->flavour, "generic") == 0)
        r = db_run(site->db, SQL_BOOT_DEFAULT_WIDEN, DB_ARGS(db_text(best->arch)), NULL);
    for (size_t i = 0; r == 0 && i < n; i++) {
        bool is_more = is_whole(&in[i]);

        while (r == 0 && is_more)
            r = rebuild_one(site, &in[i], &is_more);
    }
    return TRACE(r);
}

int boot_image_follow(struct site *site, const json_t *body)
{
    static const struct field fields[] = {
        {"kernels", FIELD_OBJECT, false, 0, 0, NULL},
        {"agent_version", FIELD_TEXT, false, 0, VERSION_MAX_BYTES, NULL},
        {"x86_agent_version", FIELD_TEXT, false, 0, VERSION_MAX_BYTES, NULL},
        {0},
    };
    const json_t *kernels = json_object_get(body, "kernels");
    const json_t *x64 = json_object_get(kernels, "x64");
    const json_t *x86 = json_object_get(kernels, "x86");
    const char *agent = field_text(body, "agent_version", "");
    const struct inputs of_x64[] = {
        {"x64", "generic", field_text(x64, "generic", ""), agent},
        {"x64", "virtual", field_text(x64, "virtual", ""), agent},
    };
    const struct inputs of_x86 = {"x86",
                                  "generic",
                                  field_text(x86, "generic", ""),
                                  field_text(body, "x86_agent_version", "")};
    int r = body ? fields_check(site, body, fields, true, REFUSAL_INVALID) : 0;

    if (r != 0 || !kernels)
        return TRACE(r);
    r = follow_arch(site, of_x64, sizeof(of_x64) / sizeof(of_x64[0]));
    return TRACE(r == 0 ? follow_arch(site, &of_x86, 1) : r);
}

int boot_image_check_arch(struct site *site, const char *arch, const char *flavour)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r;

    if (strcmp(arch, "x86") != 0)
        return 0;
    if (strcmp(flavour, "generic") != 0)
        return refuse(site, REFUSAL_INVALID, "For x86 there is the flavour \"generic\" only.");
    r = db_first(site->db, SQL_BOOT_DEFAULT_INPUTS, DB_ARGS(db_text(arch)), &rows);
    if (r != DB_ROW)
        return TRACE(r);
    if (db_get_u64(&rows, 0) == 0 || db_get_text(&rows, 1)[0])
        return 0;
    return refuse(
        site,
        REFUSAL_ARCH,
        "A boot image for x86 needs a 32-bit kernel and agent, which are not on the server: run "
        "\"make x86-root\" in Slipway's source folder there; the boot image is then built "
        "by itself.");
}

int boot_image_deleted(struct site *site, const char *arch)
{
    return TRACE(db_run(site->db, SQL_BOOT_DEFAULT_DELETED, DB_ARGS(db_text(arch)), NULL));
}

static const char *what_to_do(const char *state, const char *arch)
{
    bool is_x86 = strcmp(arch, "x86") == 0;

    if (strcmp(state, "deleted") == 0)
        return is_x86 ? "It was deleted. \"slipway boot-image build --arch x86\" makes one again."
                      : "It was deleted. \"slipway boot-image build --arch x64\" makes one again.";
    if (strcmp(state, "missing") == 0)
        return is_x86
                   ? "For 32-bit computers: run \"make x86-root\" in Slipway's source folder on the "
                     "server. It is then built by itself."
                   : "The server has no kernel to build it from: install the package "
                     "linux-image-amd64 there. It is then built by itself.";
    return "";
}

int boot_image_defaults(struct site *site, json_t **ret)
{
    OWN(json_freep) json_t *list = NULL;
    int r = rows_array(site->db, SQL_BOOT_DEFAULT_LIST, DB_NO_ARGS, &list);

    for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
        json_t *row = json_array_get(list, i);
        const char *text = what_to_do(field_text(row, "state", ""), field_text(row, "arch", ""));

        if (text[0] && json_object_set_new(row, "text", json_string(text)) < 0)
            return ERR(-ENOMEM);
    }
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(list);
    return 0;
}
