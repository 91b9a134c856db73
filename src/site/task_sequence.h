/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Task sequences: the XML as it was imported, checked with src/ts
 */

#include "site/rows.h"
#include "site/site.h"

enum {
    TASK_SEQUENCE_XML_MAX_BYTES = 4 * 1024 * 1024,
};

/**
 * task_sequence_create() - POST /task-sequences: {"name", "xml", "boot_image_id"}
 * @ret: the task sequence, with "diagnostics"
 *
 * One with errors, or that names a package the site does not have, is refused; the refusal has the "diagnostics".
 */
int task_sequence_create(struct site *site, const char *who, const json_t *body, json_t **ret);

/* POST /task-sequences:validate: {"xml"}. @ret: {"is_valid", "diagnostics"} */
int task_sequence_validate(struct site *site, const json_t *body, json_t **ret);

int task_sequence_get(struct site *site, const char *id, json_t **ret);
int task_sequence_list(struct site *site, const struct page *page, json_t **ret);

/* The document, byte for byte. @ret: appended to. */
struct buf;
int task_sequence_xml(struct site *site, const char *id, struct buf *ret);
