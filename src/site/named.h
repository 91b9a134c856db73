/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Things that an administrator makes under a name of his own, and that get an id like BG00001
 */

#include <stdbool.h>

#include "site/rows.h"
#include "site/site.h"

enum {
    NAMED_ID_MAX = 16,
    NAMED_NAME_MAX = 50, /* characters, as the next one */
    NAMED_COMMENT_MAX = 127,
    NAMED_IDS_MAX = 0x100000,
};

struct named {
    const char *noun;   /* "boundary group" */
    const char *action; /* of the audit log, and the name of the counter: "boundary-group" */
    const char *prefix; /* "BG" */
    enum db_sql
        find; /* by id or name: the id; and whether it is the one that is always there, if there is such a one */
    enum db_sql add;  /* id, name, comment, time */
    enum db_sql drop; /* id */
};

int named_take_id(struct site *site, const struct named *kind, char ret[static NAMED_ID_MAX]);

/* By id or name; refused if there is none. @ret_is_lasting: whether it is the one that is always there; may be NULL */
int named_find(struct site *site,
               const struct named *kind,
               const char *which,
               char ret[static NAMED_ID_MAX],
               bool *ret_is_lasting);

/* Refuse: there is one of this name. Return: SITE_E_REFUSED. */
int named_refuse_same(struct site *site, const struct named *kind, const char *name);

/**
 * named_create() - make one that is nothing but a name and a comment yet
 * @body: {"name", "comment"}
 */
int named_create(struct site *site,
                 const struct named *kind,
                 const char *who,
                 const json_t *body,
                 char ret[static NAMED_ID_MAX]);

int named_delete(struct site *site, const struct named *kind, const char *who, const char *which);
