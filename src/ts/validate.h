/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Can this task sequence run here? Checked at import, and by `slipway ts validate`, before a machine
 * finds out the hard way.
 */

#include <stdbool.h>
#include <stddef.h>

#include "ts/step_types.h"

struct ts_diags;
struct ts_document;

/* What is known of the site; a NULL in it: nothing, and what would need it is not checked. */
struct ts_site_facts {
    /* Kind of the content with this id ("os-image", "package", ...); "" if the site has none; NULL if that cannot be
       told now. @wanted: what the reference asks for; "": any */
    const char *(*kind_of)(void *ctx, const char *id, const char *wanted);
    /* What the image is of; 0: unknown. */
    unsigned (*platform_of)(void *ctx, const char *image_id);
    /* Whether the site has this application. */
    bool (*has_application)(void *ctx, const char *name);
    /* Another task sequence; owned by the caller; NULL if the site has none. */
    struct ts_document *(*sequence)(void *ctx, const char *id);
    /* Whether the task sequence with this id, which there is, is disabled. */
    bool (*is_disabled)(void *ctx, const char *id);
    /* What the file that the sequence comes from calls it; "" if it does not say. */
    const char *(*name_of)(void *ctx, const char *id);
    void *ctx;
    bool is_partial;    /* what is not found may be there all the same: nothing is said of it */
    const char *own_id; /* of the sequence itself; NULL: it has none yet */
    const char *boot_image_id;        /* that it starts from; "": none; NULL: unknown */
    const char *wanted_boot_image_id; /* that its file names and the site lacks; NULL: none */
};

/**
 * ts_validate_at() - look for what will not work
 * @site:  NULL: the document alone is looked at
 * @diags: findings are added, each with a public id, the path of the step, and what to do. Errors are
 *         what keeps it from being deployed; warnings are legal, but hardly meant. Disabled steps are
 *         left out
 *
 * Return: 0, also when there are errors (ts_diags_has_error()), or -ENOMEM.
 */
int ts_validate_at(const struct ts_document *doc,
                   const struct ts_site_facts *site,
                   struct ts_diags *diags);

/* The same without a site. */
int ts_validate(const struct ts_document *doc, struct ts_diags *diags);

/* Whether the agent can run steps of this type. */
bool ts_type_is_supported(const char *type);

/* All of them; ends with NULL. */
const char *const *ts_supported_types(void);
