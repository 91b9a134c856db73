/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content_source.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/content.h"
#include "site/fields.h"
#include "site/site.h"

const char *content_source_job_kind(const char *package_kind)
{
    if (strcmp(package_kind, "os-image") == 0)
        return "import-os-image";
    return strcmp(package_kind, "boot-image") == 0 ? "build-boot-image" : "import-tree";
}

/* "/a/b": whoever reads the audit log and whoever opens it must mean the same. */
static bool is_plain_path(const char *path)
{
    if (path[0] != '/' || path[1] == '\0')
        return false;
    for (const char *at = path; *at;) {
        size_t n = strcspn(++at, "/");

        if (n == 0 || (n <= 2 && strspn(at, ".") >= n))
            return n == 0 && at[0] == '\0'; /* a '/' at the end is let be */
        at += n;
    }
    return true;
}

int content_source_check_path(struct site *site, const char *package_kind, const char *path)
{
    if (path[0] == '\0')
        return 0;
    if (strcmp(package_kind, "boot-image") == 0)
        return refuse(
            site, REFUSAL_KIND, "A boot image is built on the server; it has no source path.");
    if (strlen(path) > CONTENT_PATH_MAX_BYTES || !is_plain_path(path))
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"source_path\" must be an absolute path on the server, without \".\" and "
                      "\"..\", of at most %d bytes.",
                      CONTENT_PATH_MAX_BYTES);
    return 0;
}

static int take_upload(struct site *site, const char *kind, const char *id, json_t **ret)
{
    bool is_upload_good = strcmp(kind, "os-image") == 0 || strcmp(kind, "os-upgrade-package") == 0;

    if (!is_upload_good)
        return refuse(site,
                      REFUSAL_KIND,
                      "A %s is a folder: it is made from a source path on the server, not from an "
                      "uploaded file.",
                      kind);
    *ret = json_pack("{s:s}", "upload_id", id);
    return *ret ? 0 : ERR(-ENOMEM);
}

int content_source_check_indexes(struct site *site, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *number = json_array_get(list, i);

        if (!json_is_integer(number) || json_integer_value(number) < 1)
            return refuse(site, REFUSAL_INVALID, "\"indexes\" must be a list of numbers from 1.");
        for (size_t k = 0; k < i; k++)
            if (json_equal(json_array_get(list, k), number))
                return refuse(site, REFUSAL_INVALID, "An index is there twice in \"indexes\".");
    }
    return 0;
}

/* Those of a split image, or NULL. */
static int check_parts(struct site *site, const char *package_kind, const json_t *body)
{
    const json_t *parts = json_object_get(body, "part_upload_ids");

    if (json_array_size(parts) == 0)
        return 0;
    if (strcmp(package_kind, "os-image") != 0)
        return refuse(site, REFUSAL_KIND, "Only an OS image can be a split file.");
    if (!field_text(body, "upload_id", NULL))
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"part_upload_ids\" go with the \"upload_id\" of the first part.");
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *id = json_array_get(parts, i);

        if (!json_is_string(id) || json_string_length(id) < 1 || json_string_length(id) > 64)
            return refuse(site, REFUSAL_INVALID, "\"part_upload_ids\" must be a list of ids.");
    }
    return 0;
}

static int choose_source(struct site *site,
                         const char *package_kind,
                         const json_t *body,
                         const char *source_path,
                         json_t **ret)
{
    const char *upload_id = field_text(body, "upload_id", NULL);
    const char *path = field_text(body, "source_path", NULL);
    int r;

    if (upload_id && path)
        return refuse(
            site, REFUSAL_INVALID, "Only one of \"source_path\" and \"upload_id\" can be given.");
    if (upload_id)
        return TRACE(take_upload(site, package_kind, upload_id, ret));
    path = path ? path : source_path;
    if (path[0] == '\0')
        return refuse(site,
                      REFUSAL_NO_SOURCE,
                      "Give \"source_path\"%s: there is nothing to make the content from.",
                      strcmp(package_kind, "os-image") == 0 ||
                              strcmp(package_kind, "os-upgrade-package") == 0
                          ? " or \"upload_id\""
                          : "");
    r = content_source_check_path(site, package_kind, path);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:s}", "source_path", path);
    return *ret ? 0 : ERR(-ENOMEM);
}

int content_source_import(struct site *site,
                          const char *package_kind,
                          const json_t *body,
                          const char *source_path,
                          json_t **ret)
{
    OWN(json_freep) json_t *args = NULL;
    json_t *indexes = json_object_get(body, "indexes");
    json_t *parts = json_object_get(body, "part_upload_ids");
    int r = content_source_check_indexes(site, indexes);

    if (r == 0 && indexes && strcmp(package_kind, "os-image") != 0)
        return refuse(site, REFUSAL_KIND, "Only an OS image has indexes to choose from.");
    if (r == 0)
        r = check_parts(site, package_kind, body);
    if (r == 0)
        r = choose_source(site, package_kind, body, source_path, &args);
    if (r != 0)
        return TRACE(r);
    if (indexes && json_object_set(args, "indexes", indexes) < 0)
        return ERR(-ENOMEM);
    if (json_array_size(parts) > 0 && json_object_set(args, "part_upload_ids", parts) < 0)
        return ERR(-ENOMEM);
    *ret = TAKE(args);
    return 0;
}

int content_source_build(struct site *site, const char *arch, const char *flavour, json_t **ret)
{
    OWN(json_freep) json_t *urls = json_array();
    const char *at = site->settings.addresses;

    while (*at) {
        size_t n = strcspn(at, " ");

        (void)json_array_append_new(
            urls, json_sprintf("https://%.*s:%u", (int)n, at, site->settings.https_port));
        at += n + (at[n] == ' ' ? 1 : 0);
    }
    *ret = json_pack("{s:s,s:s,s:O,s:s}",
                     "arch",
                     arch,
                     "flavour",
                     flavour,
                     "site_urls",
                     urls,
                     "pin",
                     site->settings.pin);
    return *ret ? 0 : ERR(-ENOMEM);
}
