/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * In which of the groups that are granted something an account is, also by way of other groups
 */

#include <jansson.h>

#include "site/directory_connection.h"

struct directory_member {
    const char *dn;
    const char *name; /* for groups that list names; NULL for a group */
};

/**
 * directory_find_groups() - those of @wanted
 * @wanted: {id: distinguished name}
 * @ret:    its groups are set, ids that are owned by the caller; and its why, if one of @wanted cannot be looked at
 *
 * Return: a result of libldap.
 */
int directory_find_groups(struct directory_connection *connection,
                          const struct directory_settings *settings,
                          const struct directory_member *member,
                          json_t *wanted,
                          struct directory_answer *ret);
