/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Files that a job has made for an administrator to fetch: dp/exports/ID, which nginx serves as
 * /api/v1/exports/ID to whoever has an administrator's token (docs/protocol/content.md)
 */

#include "base/buf.h"
#include "base/text.h"

#define EXPORTS_FOLDER \
    "dp/exports" /* below the state folder; its files get nginx's group from it */

enum {
    EXPORTS_FILE_MODE = 0640,
};

/**
 * exports_new() - an id for a file that is about to be made
 * @ret_path: appended: where to write it; the file appears under its id when exports_publish() says so
 */
int exports_new(const char *state_folder, char ret_id[static UUID_TEXT_MAX], struct buf *ret_path);

/* The file is whole: make it durable and let it be fetched. */
int exports_publish(const char *state_folder, const char *id);

/* Drop a file that will not be whole. */
void exports_drop(const char *state_folder, const char *id);

/* Remove what is older than 24 hours. */
void exports_expire(const char *state_folder);

/* Remove what was never published; for when nobody makes anything. */
void exports_drop_unfinished(const char *state_folder);
