/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Files on their way from an administrator to the store (docs/protocol/content.md, Uploads)
 *
 * An upload is two files in dp/staging/uploads/: ID.json says what it will be, ID.data holds what has
 * arrived and was fsynced; its length is the offset. So a restart forgets nothing.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/own.h"
#include "rt/http_server.h"

enum {
    UPLOAD_PART_MAX_BYTES = 8 * 1024 * 1024,
    UPLOAD_NAME_MAX = 255,
};

#define UPLOAD_MAX_BYTES (UINT64_C(1) << 44)

struct uploads;

/* @state_folder: of the server; the folders are made */
int uploads_new(const char *state_folder, struct uploads **ret);
void uploads_free(struct uploads *uploads);
DEFINE_FREEP(struct uploads *, uploads_free);

/* Remove what was not used within 24 hours. Cheap: looks once a minute. */
void uploads_expire(struct uploads *uploads);

/* Handlers; ctx is a struct uploads *. */
http_handler uploads_create;
http_handler
    uploads_create_named; /* PUT: of an id that the site has given; what it had is dropped */
http_handler uploads_add_part;
http_handler uploads_get_offset;
http_handler uploads_drop;

/* Outcomes of uploads_find() beside 0 */
enum {
    UPLOADS_E_MISSING = 1,
    UPLOADS_E_INCOMPLETE = 2,
};

/**
 * uploads_find() - where a complete upload lies; for the worker
 * @ret: path, appended
 */
int uploads_find(const char *state_folder, const char *id, struct buf *ret);

/* The file's name as it was uploaded, appended; after uploads_find(). Return: 0, UPLOADS_E_MISSING, or -errno. */
int uploads_read_name(const char *state_folder, const char *id, struct buf *ret);

/* It was used: remove it. */
void uploads_remove(const char *state_folder, const char *id);
