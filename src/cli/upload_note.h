/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which upload of a file (or which export) has begun at a site, for the next run of the program to go on with
 *
 * One small file per upload in $XDG_CACHE_HOME/slipway/uploads (or ~/.cache/...), named by a hash of the
 * site's address and the file's identity, size and time of change. It only saves time: without it, or without a
 * folder to keep it in, the upload begins anew.
 */

#include <stdbool.h>

enum {
    UPLOAD_NOTE_ID_MAX = 256,
    UPLOAD_NOTE_PATH_MAX = 4096,
};

struct stat;

struct upload_note {
    char path[UPLOAD_NOTE_PATH_MAX]; /* "": nowhere */
    char id[UPLOAD_NOTE_ID_MAX];     /* of the upload; "": none */
};

void upload_note_init(struct upload_note *note, const char *url, const struct stat *file);

/* The same for something else that is begun at a site: a note by this key, which names the site too. */
void upload_note_init_key(struct upload_note *note, const char *key);

/* Whether there is one; note->id is set then. */
bool upload_note_load(struct upload_note *note);

/* Keep @id. */
void upload_note_set(struct upload_note *note, const char *id);

/* Forget it on the disk; note->id stays. */
void upload_note_remove(const struct upload_note *note);
