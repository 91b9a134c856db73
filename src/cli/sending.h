/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A file of this machine, sent to the site as an upload, with progress on standard error
 */

#include "cli/session.h"
#include "cli/upload_note.h"

/* Whether it is a file that can be read; if not, that is reported. */
bool sending_can(struct session *s, const char *file);

/**
 * sending_file() - open the session and send; a run that was stopped is gone on with
 * @ret_id: of the upload, complete
 *
 * Until sending_forget() the same file is not sent again.
 */
bool sending_file(struct session *s, const char *file, char ret_id[static UPLOAD_NOTE_ID_MAX]);

/* The upload has been put to use. */
void sending_forget(const struct session *s, const char *file);
