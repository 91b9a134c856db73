/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Passwords as Argon2id; what takes long is apart, so that a thread of its own can do it
 */

#include <stdbool.h>

#include "site/directory.h"

enum {
    PASSWORD_MIN = 12, /* characters */
    PASSWORD_MAX = 256,
    PASSWORD_MAX_BYTES = PASSWORD_MAX * 4,
    PASSWORD_HASH_MAX = 128,
};

/* Whoever made one wipes and frees it with password_work_free(). */
struct password_work {
    char given[PASSWORD_MAX_BYTES + 1]; /* to be compared with .hash; "": nothing */
    char hash[PASSWORD_HASH_MAX];
    char wanted[PASSWORD_MAX_BYTES + 1]; /* to be hashed; "": nothing */
    bool is_good;                        /* result of the first */
    const struct directory_settings *
        directory; /* to be asked about .given instead; NULL: no. Borrowed for as long as it takes */
    struct directory_question question; /* then; owned */
    struct directory_answer answer;     /* what it said; owned */
    char made[PASSWORD_HASH_MAX];       /* of the second; "": there was no memory for it */
};

struct password_work *password_work_new(void);

/* Both fit http_defer(); it waits for another machine if a directory is to be asked. */
void password_work_run(void *arg);
void password_work_free(void *arg);

/* A hash that no password fits, and that takes as long to find out. */
const char *password_nobody(void);
