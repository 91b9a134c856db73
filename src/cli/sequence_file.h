/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Task sequences in files, without a site
 */

#include "base/bytes.h"
#include "cli/session.h"

/* Whether `slipway login` has been done here, or the environment says where a site is. */
bool sequence_file_has_login(const struct session *s);

/**
 * sequence_file_validate() - what is wrong with a file, as far as it says so itself
 * @ret: as the site answers, but "missing" is empty; owned by the caller
 */
bool sequence_file_validate(struct session *s, const char *name, struct bytes file, json_t **ret);

/* Write the file in another spelling ("xml", "yaml" or "zip") to standard output, without its passwords. */
bool sequence_file_convert(struct session *s,
                           const char *name,
                           struct bytes file,
                           const char *format);
