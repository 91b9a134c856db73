/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What is told of a task sequence, as the site's answers have it (docs/api/openapi.yaml)
 *
 * The command line tells it of files too.
 */

#include <jansson.h>

struct ts_changes;
struct ts_document;

/* All steps, in their order: index, name, path, type, is_enabled. @ret: an array, owned by the caller. Return: 0 or -ENOMEM. */
int ts_steps_json(const struct ts_document *doc, json_t **ret);

/* What all groups and steps are set to (ts/show.h). The same. */
int ts_properties_json(const struct ts_document *doc, json_t **ret);

/* TaskSequenceChanges. The same. */
int ts_changes_json(const struct ts_changes *changes, json_t **ret);
