/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the commands for content have in common
 */

#include <jansson.h>

#include "cli/session.h"

/* Where content comes from. Both NULL: from where it came before. */
struct content_source {
    const char *file; /* of this machine, to be sent */
    const char *path; /* on the server */
};

/* "/os-images" and the like, by the command's noun. */
const char *content_place(const char *noun);

/**
 * content_open() - open the session, and send the file if there is one
 * @body: gets "upload_id" or "source_path"
 */
bool content_open(struct session *s, const struct content_source *source, json_t *body);

/* Print one, with what it is made of. @place: of content_place() */
bool content_print(struct session *s, const char *place, const char *id);
