/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Administrators whose passwords and groups an LDAP directory or Active Directory has: docs/security-roles.md
 *
 * Every connection is TLS with a certificate that the configured authority has signed, or there is none. Nothing here knows
 * the database: what is asked and what is answered are given by value, so that a thread of its own can wait for the directory.
 */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

enum {
    DIRECTORY_NAME_MAX = 64, /* of an account, with its NUL */
    DIRECTORY_DN_MAX = 1024,
    DIRECTORY_ID_MAX = 80,
    DIRECTORY_WHY_MAX = 256,
    DIRECTORY_GROUPS_MAX = 1000, /* of an account, where we follow groups in groups ourselves */
    DIRECTORY_DEPTH_MAX = 8,     /* the same */
    DIRECTORY_WAIT_S = 5,        /* for one answer */
    DIRECTORY_WAIT_ALL_S = 15,   /* for all that one question takes */
    DIRECTORY_REST_S = 5,
};

/* So long it is not asked again after it has not answered. */
#define DIRECTORY_REST_US ((uint64_t)DIRECTORY_REST_S * 1000000)

/* All borrowed; .urls is "" or NULL if there is no directory. */
struct directory_settings {
    const char *
        urls; /* ldaps://HOST[:PORT], or ldap://HOST[:PORT], which becomes TLS by StartTLS; separated by spaces */
    const char *ca_file;
    const char *bind_dn;       /* "": anonymous */
    const char *password_file; /* of .bind_dn */
    const char *user_base;
    const char *user_attribute; /* that holds the name with which one signs in */
    const char *group_base;     /* .is_active_directory: not used */
    bool is_active_directory;
    uint64_t check_us; /* after which it is asked again about who has signed in */
    uint64_t trust_us; /* for how long what it said is good while it does not answer */
};

/* Whether there is one. */
bool directory_is_on(const struct directory_settings *settings);

enum directory_outcome {
    DIRECTORY_DOWN,       /* nobody can say, about anybody */
    DIRECTORY_CANNOT_SAY, /* about this account; about others it may */
    DIRECTORY_WRONG,      /* no such account, one that may not sign in, or another password */
    DIRECTORY_RIGHT,
};

struct directory_question {
    char name[DIRECTORY_NAME_MAX]; /* in lower case */
    const char *password; /* borrowed; NULL: only look whether the account is there and good */
    json_t *
        groups; /* owned; {id of an administrator: distinguished name of a group, as directory_dn() makes it} */
    uint64_t now_us;
};

struct directory_answer {
    enum directory_outcome outcome;
    char account_id
        [DIRECTORY_ID_MAX]; /* which no other account gets, ever; "" if the directory has none */
    json_t *groups; /* owned; those of the question that he is in: their ids; NULL unless RIGHT */
    char why
        [DIRECTORY_WHY_MAX]; /* for the log; RIGHT: about a group that cannot be looked at, or "" */
};

void directory_question_fini(struct directory_question *question);
void directory_answer_fini(struct directory_answer *answer);

/**
 * directory_ask() - is this his password, may he sign in, and in which groups is he, also by other groups
 * @ret: directory_answer_fini() releases it
 *
 * Waits for the directory, DIRECTORY_WAIT_ALL_S at most: for a thread that nobody waits for.
 */
void directory_ask(const struct directory_settings *settings,
                   const struct directory_question *question,
                   struct directory_answer *ret);
