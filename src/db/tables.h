/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What tools/gen_sql.py makes of src/db/sql/ and src/db/migrations/; for the engine only
 */

#include "db/statements.h"

struct db_statement {
    const char *name;
    const char *text;
};

struct db_migration {
    int number;         /* from 1 */
    const char *name;   /* "0001_first"; NULL ends the list */
    const char *sha256; /* of the text without comments and blank lines, 64 hex digits */
    const char *text;
};

extern const struct db_statement db_statements[SQL_COUNT];
extern const struct db_migration db_migrations[];
