/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What an administrator calls by its id or name, of any class of docs/security-roles.md
 */

#include "site/principal.h"

/* Outcome beside 0 and SITE_E_REFUSED */
enum {
    OBJECT_E_UNSCOPED =
        50, /* things of this class are in no scope: who may do it to one may do it to all */
};

/**
 * object_find() - find it, in the name of the principal
 * @ret: its id
 *
 * What he may not see is refused in the words for what is not there.
 */
int object_find(struct site *site,
                const char *class,
                const char *which,
                char ret[static PRINCIPAL_OBJECT_MAX]);

/* The same, also of classes that are in no scope; one that has no names is found as it is. */
int object_find_any(struct site *site,
                    const char *class,
                    const char *which,
                    char ret[static PRINCIPAL_OBJECT_MAX]);
