/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * For tests: a database of one's own, of the engine that the tests are run with
 *
 * SQLite, or, when SLIPWAY_TEST_POSTGRESQL says where a server is (tools/with_postgresql), PostgreSQL.
 */

#include <stdbool.h>

enum {
    DB_FIXTURE_MAX = 256,
};

bool db_fixture_is_postgresql(void);

/**
 * db_fixture_new() - an address for db_open()
 * @path: for SQLite, a file or ":memory:"
 */
void db_fixture_new(const char *path, char ret[static DB_FIXTURE_MAX]);

/* The same, where nobody has made our tables yet. */
void db_fixture_new_empty(const char *path, char ret[static DB_FIXTURE_MAX]);

/* Nobody has it open any more. */
void db_fixture_drop(const char *address);

/* Run statements beside whatever db.h does. Return: whether they could be run. */
bool db_fixture_exec(const char *address, const char *text);
