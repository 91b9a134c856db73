/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the distribution point made of a job, checked and written into the package's rows
 */

#include <jansson.h>

struct site;

/**
 * content_result_save() - within the caller's transaction
 * @kind:   of the job
 * @result: as in docs/protocol/content.md
 *
 * Return: 0, SITE_E_REFUSED if it is malformed, -errno.
 */
int content_result_save(struct site *site,
                        const char *kind,
                        const char *package_id,
                        const json_t *result);
