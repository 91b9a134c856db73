/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Content: OS images, OS upgrade packages, boot images, driver packages and packages, and their content versions
 *
 * A content version has a number from 1, is made by a job of the site's own distribution point, and is one manifest, or for
 * an OS image one for each index. The package's current version is what orders get and what is distributed. An update makes
 * the next version; the old one stays current until the new one is ready, and for ever if it fails. A package whose first
 * version fails is gone with it, unless a task sequence names it already.
 */

#include "site/rows.h"
#include "site/site.h"

enum {
    CONTENT_NAME_MAX = 50, /* characters, as the next two */
    CONTENT_VERSION_MAX = 32,
    CONTENT_COMMENT_MAX = 127,
    CONTENT_PATH_MAX_BYTES = 4095,
    CONTENT_KEEP = 2,
    CONTENT_KEEP_MAX = 100,
    CONTENT_HISTORY_MAX = 100, /* versions that are listed when they have failed or are removed */
    CONTENT_INDEXES_MAX = 256,
    CONTENT_PARTS_MAX = 255, /* of a split image that is uploaded, beside the first */
    CONTENT_FILES_MAX = 64,
    CONTENT_NAMESAKES_MAX = 1000, /* boot images that nobody has given a name */
    CONTENT_KERNEL_MAX_BYTES = 256,
    CONTENT_UNNAMED_MAX = 512, /* manifests that are asked about at once */
};

enum content_kind {
    CONTENT_OS_IMAGE,
    CONTENT_OS_UPGRADE_PACKAGE,
    CONTENT_BOOT_IMAGE,
    CONTENT_DRIVER_PACKAGE,
    CONTENT_PACKAGE,
    N_CONTENT_KINDS,
};

/* "os-image" ... */
const char *content_kind_name(enum content_kind kind);

/**
 * content_create() - POST /os-images and its like
 * @body: {"name", "version", "comment", "priority", "keep_versions", and "source_path" or "upload_id" (of a split image with
 *        "part_upload_ids")}; of a boot image {"arch",
 *        "flavour", "is_custom"} instead of a source
 * @ret:  the package, with the "operation_id" of what makes its first version; owned by the caller, as everywhere here
 */
int content_create(
    struct site *site, enum content_kind kind, const char *who, const json_t *body, json_t **ret);

/* Among what content_find() looks, beside a kind. */
enum {
    CONTENT_FIND_ANY = N_CONTENT_KINDS,
    CONTENT_FIND_ALL, /* any content, and a task sequence in place of what it refers to */
    CONTENT_FIND_TASK_SEQUENCES, /* nothing else */
};

/**
 * content_find() - what an administrator calls by its id or its name, in whatever case
 * @among: a content_kind, or one of the above
 *
 * Return: 0; refused if there is none, or if several have this name; -errno.
 */
int content_find(struct site *site,
                 unsigned among,
                 const char *id_or_name,
                 char ret_id[static SITE_ID_MAX]);

/* What a name is to be looked for with. */
struct content_wish {
    unsigned among; /* as of content_find() */
    const char *name;
    const char *
        version; /* of several that have the name, the one with this version; "" if it is not known */
};

/**
 * content_find_named() - what has a name here
 *
 * Return: 0; refused if there is none, or if several have this name and not just one of them that version: the refusal names
 *         them; -errno.
 */
int content_find_named(struct site *site,
                       const struct content_wish *wish,
                       char ret_id[static SITE_ID_MAX]);

/* One of this kind, with "indexes" (OS image) or "files" (boot image) of its current version; N_CONTENT_KINDS: any. */
int content_get(struct site *site, enum content_kind kind, const char *id, json_t **ret);
int content_list(struct site *site, enum content_kind kind, const struct page *page, json_t **ret);

/* PATCH /content/{id}: {"name", "version", "comment", "source_path", "priority", "keep_versions"}. */
int content_set(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret);

/* Refused with the names of the task sequences and deployments that use it. */
int content_delete(struct site *site, const char *who, const char *id);

/**
 * content_update() - POST /content/{id}/versions: a new version from the source, an upload, or a new build
 * @body: {"source_path" or "upload_id"}, which may both be missing: then from where the package is
 * @ret:  {"operation_id", "version"}
 */
int content_update(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret);

int content_versions(struct site *site, const char *id, const struct page *page, json_t **ret);

/* POST /content/{id}/rollback: {"version"}, a ready one, becomes the current one. */
int content_rollback(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret);

/* POST /content/{id}/exports: {"indexes", "compress", "is_solid", "version"} of an OS image. */
int content_export(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret);

/* POST /prestaged-contents: {"contents": [ids or names]}: their current versions in one file; @ret: {"operation_id"} */
int content_prestage(struct site *site, const char *who, const json_t *body, json_t **ret);

/**
 * content_manifests() - what a version is made of
 * @ret: ["<sha256>", …], each once; empty for one that is not ready
 */
int content_manifests(struct site *site, const char *package_id, uint64_t version, json_t **ret);

/**
 * content_drop_used() - take out of @manifests what any content version still has
 *
 * Asked again when a job `remove` is handed out: two versions, or two packages, may share a manifest.
 */
int content_drop_used(struct site *site, json_t *manifests);

/* What a distribution point asks: {"manifests": [sha256]} → @ret: {"unnamed": those that no content version has}. */
int content_unnamed(struct site *site, const json_t *body, json_t **ret);

/* The current version, 0 if there is none; refused if there is no such package. */
int content_current_version(struct site *site, const char *package_id, uint64_t *ret);

struct content_making;

/* Order a version from what @making says. @ret: {"operation_id", "version"} */
int content_update_begin(struct site *site,
                         const char *who,
                         const json_t *package,
                         const struct content_making *making,
                         json_t **ret);

/* Remove old versions that nobody needs any more; part of site_tick(). */
int content_prune(struct site *site);
