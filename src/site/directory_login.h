/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Administrators of a directory, as the site knows them: who they are here, and what they may by their groups
 */

#include <jansson.h>

#include "site/directory.h"
#include "site/named.h"

enum {
    DIRECTORY_WANTED_MAX = 200, /* groups that may be granted something */
    DIRECTORY_DUE_MAX = 20,     /* that are looked at one after the other */
};

/**
 * directory_is_asked() - whose password is it
 * @name: in lower case
 * @ret:  whether the directory is to be asked: there is one, and nobody of the site itself is called so
 */
int directory_is_asked(struct site *site, const char *name, bool *ret);

/* It has not answered: it is not asked for a while. */
void directory_rest(struct site *site);

/* Refuse if it has not answered a moment ago. */
int directory_check_rest(struct site *site);

/* @ret: with everything but the password; directory_question_fini() releases it */
int directory_prepare(struct site *site, const char *name, struct directory_question *ret);

/**
 * directory_sign_in() - somebody whose password was right; within the caller's transaction
 * @ret:     his id here; "" if he may nothing, or is kept out
 * @ret_why: then, for the log
 */
int directory_sign_in(struct site *site,
                      const char *name,
                      const struct directory_answer *answer,
                      char ret[static NAMED_ID_MAX],
                      char ret_why[static DIRECTORY_WHY_MAX]);

/* Refuse what is about a password, for who has none here. @id: of an administrator */
int directory_check_own_password(struct site *site, const char *id);

/* Somebody to ask about again. */
struct directory_due {
    char id[NAMED_ID_MAX];
    struct directory_question question; /* owned */
    struct directory_answer answer;     /* owned */
};

/* @ret_n: how many of @ret, all of which directory_due_fini() releases */
int directory_find_due(struct site *site,
                       struct directory_due ret[static DIRECTORY_DUE_MAX],
                       size_t *ret_n);
void directory_due_fini(struct directory_due *due);

/*
 * What it has said about him: his groups, or that he is out. If it cannot say, nothing changes, and others are asked about
 * first for a while.
 */
int directory_apply_due(struct site *site, const struct directory_due *due);
