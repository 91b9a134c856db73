/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the commands about task sequences share
 */

#include "base/buf.h"
#include "cli/session.h"

/* Print a task sequence with its diagnostics. */
bool sequence_print(struct session *s, json_t *sequence);

/* The bytes of a file that may hold task sequences, "-" for standard input; @ret_is_there as of sequence_read(). */
/* Whether @text can only be meant as the path of a file: it begins as one or ends as files of task sequences do. */
bool sequence_names_file(const char *text);

bool sequence_read_content(struct session *s,
                           const char *file,
                           struct buf *content,
                           bool *ret_is_there);

/**
 * sequence_read() - a file as a member of a request: "xml" if it is text, else "file" in Base64
 * @ret_is_there: false if there is no such file; NULL: that is an error
 */
bool sequence_read(struct session *s, const char *file, json_t *body, bool *ret_is_there);

/* The --map OLD=NEW of the command as an object into @body's "map"; nothing if there is none. */
bool sequence_read_map(struct session *s, const struct args *args, json_t *body);

/* ts step types [TYPE]: all types of steps, or the properties of one; needs no site. */
bool sequence_step_types(struct session *s, const struct args *args);

/* "/task-sequences/ID" and @behind. */
void sequence_path(struct buf *dst, const char *id_or_name, const char *behind);
