/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * In whose name the request in hand is made, and what that allows: docs/security-roles.md
 *
 * The guard of the server (src/server/site/guard.h) sets it before every handler and clears it afterwards. While it is
 * empty the site acts by itself, and may everything.
 */

#include <stdbool.h>

#include "base/text.h"

struct site;
struct permission;

enum {
    PRINCIPAL_ID_MAX = 16,
    PRINCIPAL_NAME_MAX = 64,
    PRINCIPAL_ADDRESS_MAX = 64,
    PRINCIPAL_TOKEN_ID_MAX = 40,
    PRINCIPAL_PERMISSIONS_MAX = 1024,
    PRINCIPAL_OBJECT_MAX = 256,
};

struct principal {
    char id[PRINCIPAL_ID_MAX];           /* of the administrator; "": the site itself */
    char name[PRINCIPAL_NAME_MAX];       /* for the audit log */
    char address[PRINCIPAL_ADDRESS_MAX]; /* of the client, as nginx says it; "": on this machine */
    char request_id[REQUEST_ID_MAX];     /* what his request is called; "": it is none */
    char token_id[PRINCIPAL_TOKEN_ID_MAX];       /* what he signed in with */
    char permissions[PRINCIPAL_PERMISSIONS_MAX]; /* that it is good for, separated by blanks */
    const struct permission *operation;          /* what is being done; NULL: nothing of the API */
};

/* In whose name the statements of the database run from now on. */
void principal_set(struct site *site, const struct principal *principal);
void principal_clear(struct site *site);

/**
 * principal_check() - may he do this at all: to anything of the class
 *
 * Return: 0, SITE_E_REFUSED or -errno.
 */
int principal_check(struct site *site, const char *class, const char *verb);

/**
 * principal_check_object() - may he do this to one thing
 * @object_class: of which the thing is
 * @which:        its id or name, as he gave it
 *
 * Return: 0; SITE_E_REFUSED, as if there were no such thing if he may not even see it; or -errno.
 */
int principal_check_object(struct site *site,
                           const char *class,
                           const char *verb,
                           const char *object_class,
                           const char *which);

/* Whether words like "device.read", "device.*" or "*", separated by blanks, have this in them. */
bool principal_words_allow(const char *words, const char *class, const char *verb);

/* Whether these are such words, and not too many. */
bool principal_words_are_fit(const char *words);

/* Whether any operation wants "class.verb", '*' being all; "content" is each of the kinds of content, and not granted by itself. */
bool principal_permission_is_known(const char *text);

/* Something was made: it gets the security scopes in which its maker may make such things. */
int principal_made(struct site *site, const char *id);
int principal_made_collection(struct site *site, const char *id, const char *limiting_id);

/**
 * principal_check_fill() - may he say who is in a collection
 * @collection_id: one that he may see
 *
 * What he may do in a collection, he may do to each device that he puts there. So he needs collection.modify for it and for
 * the collection that limits it, and all that he may in the one he must be allowed in the other.
 */
int principal_check_fill(struct site *site, const char *collection_id);
