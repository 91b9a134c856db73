/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * slipwayd migrate-database, backup, restore: the site's data as a whole
 *
 * Each is given the state folder and the configuration's file (NULL: the default one, which need not exist), and returns an
 * exit status of the program; a failure has been printed.
 */

/* From SQLite in the state folder to the PostgreSQL that the configuration names; the server is stopped. */
int database_migrate(const char *state, const char *config_file);

/* Database, keys and configuration into a new folder; the server may run. */
int database_backup(const char *state, const char *config_file, const char *folder);

/* The reverse; the server is stopped. What was there stays beside it. */
int database_restore(const char *state, const char *config_file, const char *folder);
