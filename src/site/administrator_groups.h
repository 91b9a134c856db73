/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The groups that an administrator is in, as somebody else says: a directory, or an OpenID provider
 */

#include "db/statements.h" /* generated: enum db_sql */
#include "site/site.h"

/**
 * administrator_put_groups() - those of now, and no other; noted in the audit log if they are others than before
 * @who:    who says it, for the audit log
 * @id:     of the administrator
 * @add:    puts him (?1) into a group (?2), which may be none here
 * @groups: texts for ?2; NULL: none
 */
int administrator_put_groups(
    struct site *site, const char *who, const char *id, enum db_sql add, const json_t *groups);
