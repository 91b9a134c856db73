/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Where content comes from: an upload, a path on the server, or a build; as arguments of the job that makes it
 */

#include <jansson.h>

struct site;

/* For the table of a request's members. */
#define CONTENT_SOURCE_FIELDS \
    {"source_path", FIELD_LINE, false, 1, CONTENT_PATH_MAX_BYTES, NULL}, \
        {"indexes", FIELD_ARRAY, false, 0, CONTENT_INDEXES_MAX, NULL}, \
        {"part_upload_ids", FIELD_ARRAY, false, 0, CONTENT_PARTS_MAX, NULL}, \
    { \
        "upload_id", FIELD_TEXT, false, 1, 64, NULL \
    }

/* "import-os-image", "import-tree" or "build-boot-image". */
const char *content_source_job_kind(const char *package_kind);

/**
 * content_source_import() - arguments of an import
 * @body:        checked by CONTENT_SOURCE_FIELDS; of "source_path" and "upload_id" one at most; "indexes": of the
 *               file's images only these; "part_upload_ids": of a split image, the parts behind the one of "upload_id"
 * @source_path: where the package came from before, for a body with neither; "" if from an upload
 * @ret:         owned by the caller
 */
int content_source_import(struct site *site,
                          const char *package_kind,
                          const json_t *body,
                          const char *source_path,
                          json_t **ret);

/* Refused unless it is a list of numbers from 1, none of them twice. @list: NULL is good */
int content_source_check_indexes(struct site *site, const json_t *list);

/* Arguments of a boot image's build. */
int content_source_build(struct site *site, const char *arch, const char *flavour, json_t **ret);

/* Refused unless it is an absolute path, without "." and "..", that this kind of package can have; "" is none. */
int content_source_check_path(struct site *site, const char *package_kind, const char *path);
