/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Task sequences in files, without a site
 */

#include "base/bytes.h"
#include "cli/session.h"

struct ts_diags;

/* Whether `slipway login` has been done here, or the environment says where a site is. */
bool sequence_file_has_login(const struct session *s);

/* Fail the command: the file @name cannot be read, because of the first of @diags. Return: false. */
bool sequence_file_unreadable(struct session *s, const char *name, const struct ts_diags *diags);

/**
 * sequence_file_validate() - what is wrong with a file, as far as it says so itself
 * @ret: as the site answers, but "missing" is empty; owned by the caller
 */
bool sequence_file_validate(struct session *s, const char *name, struct bytes file, json_t **ret);

/* A task sequence of a file, as the site shows one, without what only a site knows. @wanted: as for sequence_choose().
   @ret: owned by the caller */
bool sequence_file_show(
    struct session *s, const char *name, struct bytes file, const char *wanted, json_t **ret);

struct sequence_file {
    const char *name;
    struct bytes content;
    const char *wanted; /* as for sequence_choose() */
};

/* What is different from one file to another, as the site answers. @ret: owned by the caller */
bool sequence_file_diff(struct session *s,
                        const struct sequence_file *before,
                        const struct sequence_file *after,
                        json_t **ret);

/* Write a task sequence of the file in another spelling ("xml", "yaml" or "zip") to standard output, without its passwords. */
bool sequence_file_convert(
    struct session *s, const char *name, struct bytes file, const char *wanted, const char *format);
