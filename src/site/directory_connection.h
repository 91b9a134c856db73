/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A connection to a directory, over TLS or not at all, on which nothing takes longer than it may
 *
 * Results are those of libldap: LDAP_SUCCESS or another.
 */

#include <ldap.h>
#include <stdint.h>

#include "site/directory.h"

struct directory_dog;

struct directory_connection {
    LDAP *ld;                  /* owned; NULL: closed */
    struct directory_dog *dog; /* owned */
    uint64_t until_us;         /* of clock_monotonic_us() */
};

/* Nobody has signed in on it yet. @ret->until_us is set by the caller, and the same for all that belongs to one question. */
int directory_connect(const struct directory_settings *settings, struct directory_connection *ret);
void directory_disconnect(struct directory_connection *connection);

/* @password: not "", which every directory would let pass */
int directory_bind(struct directory_connection *connection, const char *dn, const char *password);

struct directory_search {
    const char *base;
    int scope;
    const char *filter;
    const char *const *attributes; /* ends with NULL */
    int limit;                     /* entries, all pages together */
};

/**
 * directory_search() - what matches, in pages
 * @each: called for each entry; the result is passed on unless it is LDAP_SUCCESS
 *
 * Return: LDAP_SIZELIMIT_EXCEEDED if there is more than .limit.
 */
int directory_search(struct directory_connection *connection,
                     const struct directory_search *search,
                     int (*each)(void *ctx, LDAP *ld, LDAPMessage *entry),
                     void *ctx);

/* What the server has said last, besides a number; for the log. */
void directory_put_why(struct directory_connection *connection,
                       const char *what,
                       int code,
                       char ret[static DIRECTORY_WHY_MAX]);
