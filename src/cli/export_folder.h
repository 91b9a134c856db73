/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The folder of slipway export-site: docs/site-as-files.md
 *
 * A file per document, KIND/NAME.yaml, and the list of those files, EXPORT_FOLDER_LIST, by which the next export knows
 * which of them it may remove.
 */

#include <jansson.h>
#include <stdbool.h>

#include "cli/session.h"

#define EXPORT_FOLDER_LIST ".slipway-export.json"

/**
 * export_folder_write() - make a folder say what documents say, and no more
 * @folder: made if it is not there
 *
 * Files of a former export that are none of this one are removed. A folder with other documents, which slipway apply
 * would read as well, is refused before anything is written (SLW-0719). Whenever it is ended in between, the list has
 * every file that was written, so that the next export can finish it.
 */
bool export_folder_write(struct session *s, const char *folder, const json_t *documents);
