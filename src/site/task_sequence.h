/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Task sequences: documents of src/ts in versions, and what they refer to at this site
 *
 * One that refers to what the site lacks, or has other errors, is kept, but cannot be deployed.
 * A document comes as "xml" (text) or as "file" (Base64 of any file that docs/protocol/task-sequence.md names).
 */

#include "site/rows.h"
#include "site/site.h"

enum {
    TASK_SEQUENCE_XML_MAX_BYTES = 4 * 1024 * 1024,
    TASK_SEQUENCE_FILE_MAX_BYTES = 6 * 1024 * 1024,
    TASK_SEQUENCE_EXPORT_MAX_BYTES = 8 * 1024 * 1024,
};

/**
 * task_sequence_create() - POST /task-sequences: {"xml" or "file", "name", "boot_image_id", "map", "into"}
 * @ret: the task sequence, with "diagnostics"; of a file with several, the one that runs the others,
 *       with the ids of all in "imported"
 *
 * "map" is an object of references and what takes their place; "into" an existing task sequence, of which the
 * document becomes the next version. What is malformed is refused with "diagnostics".
 */
int task_sequence_create(struct site *site, const char *who, const json_t *body, json_t **ret);

/* POST /task-sequences:validate: {"xml" or "file"}. @ret: {"is_valid", "diagnostics"} */
int task_sequence_validate(struct site *site, const json_t *body, json_t **ret);

/* GET /task-sequences/{id}/validation, of the newest version. */
int task_sequence_validation(struct site *site, const char *id, json_t **ret);

/* With "is_deployable" as it is now, and "diagnostics". */
int task_sequence_get(struct site *site, const char *id, json_t **ret);
int task_sequence_list(struct site *site, const struct page *page, json_t **ret);

enum task_sequence_spelling {
    TASK_SEQUENCE_XML,
    TASK_SEQUENCE_YAML,
    TASK_SEQUENCE_ZIP, /* with those that it runs, and the names of what it refers to */
};

/* The document without secrets. @version: 0: the newest. @ret: appended to. */
struct buf;
int task_sequence_export(struct site *site,
                         const char *id,
                         uint64_t version,
                         enum task_sequence_spelling spelling,
                         struct buf *ret);

/* PATCH /task-sequences/{id}: {"name", "description", "boot_image_id", "map", "is_disabled"}: a new version. */
int task_sequence_set(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret);

/* GET /task-sequences/{id}/versions: {"items": [{"version", "author", "note", "created_at"}]}, the newest first. */
int task_sequence_versions(struct site *site, const char *id, json_t **ret);

/* POST /task-sequences/{id}/edits: {"operation", "path", "where", "target", "type", "name", "settings"}: a new version. */
int task_sequence_edit(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret);

/**
 * task_sequence_diff() - POST /task-sequences/{id}/diff: {"from", "to", "xml", "file"}
 * @ret: {"changes": [...]}, from the version "from" (the one before "to", if missing) to the version "to" (the newest, if missing);
 *       with a document, to that one from the version "from" (the newest, if missing)
 */
int task_sequence_diff(struct site *site, const char *id, const json_t *body, json_t **ret);

/* POST /task-sequences/{id}/copies: {"name"}. @ret: the new one */
int task_sequence_copy(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret);

/**
 * task_sequence_delete() - DELETE /task-sequences/{id}
 *
 * Refused with "users" while a deployment, a device or another task sequence needs it; those that were deleted do not
 * count. Its versions go, with the secrets in them; what it has done stays in the history.
 */
int task_sequence_delete(struct site *site, const char *who, const char *id);

/* Refused if it is disabled. */
int task_sequence_check_enabled(struct site *site, const char *id);

/* Refused with the findings if it cannot be deployed now. */
int task_sequence_check_deployable(struct site *site, const char *id);
