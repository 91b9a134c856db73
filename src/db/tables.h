/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What tools/gen_sql.py makes of src/db/sql/ and src/db/migrations/; for the engines only
 */

#include <stdbool.h>

#include "db/statements.h"

enum db_engine {
    DB_SQLITE,
    DB_POSTGRESQL,
    DB_N_ENGINES,
};

struct db_statement {
    const char *name;
    const char *text[DB_N_ENGINES];
    bool is_read;       /* it changes nothing */
    bool has_principal; /* its last parameter is in whose name it runs; see db_set_principal() */
};

struct db_migration {
    int number;       /* from 1 */
    const char *name; /* "0001_first"; NULL ends the list */
    const char *sha256
        [DB_N_ENGINES]; /* of what was written, without comments and blank lines; 64 hex digits */
    const char *text[DB_N_ENGINES];
};

extern const struct db_statement db_statements[SQL_COUNT];
extern const struct db_migration db_migrations[];

/* What PostgreSQL lacks and our statements use; before the migrations, and again when it has changed. */
extern const struct db_migration db_postgresql_prelude;
