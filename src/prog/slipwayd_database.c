/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "prog/slipwayd_database.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "db/copy.h"
#include "db/restore.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "prog/backup_folder.h"
#include "server/config.h"
#include "server/parent/failure.h"
#include "server/parent/state.h"

DEFINE_FREEP(struct db *, db_free);

#define EVENT_SKIP (UINT64_C(1) << 40) /* more than a site gives out before its next restore */

/* What each command begins with. */
struct place {
    const char *state;
    const char *config_file;
    struct server_config config;
    struct users users;
    int lock_fd; /* -1: a server has the state folder */
    char database[PATH_MAX];
};

static void place_fini(struct place *place)
{
    fd_closep(&place->lock_fd);
    server_config_fini(&place->config);
}

/* Return: an exit status. */
static int open_place(const char *state, const char *config_file, struct place *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    pid_t owner;
    int r;

    ret->lock_fd = -1;
    ret->state = state;
    ret->config_file = config_file ? config_file : SERVER_CONFIG_FILE;
    (void)snprintf(ret->database, sizeof(ret->database), "%s/site/slipway.db", state);
    r = server_config_load(ret->config_file, !config_file, &ret->config, &why);
    if (r != 0)
        return r > 0 ? parent_fail(PARENT_EXIT_BAD_CONFIG, "%s", buf_str(&why))
                     : parent_fail_errno(r, "cannot read", ret->config_file);
    r = users_find(&ret->users);
    if (r < 0)
        return parent_fail_errno(r, "cannot find the users of", "the roles");
    r = dir_make(state, 0755);
    if (r == 0)
        r = state_lock(state, &ret->lock_fd, &owner);
    if (r < 0)
        return parent_fail_errno(r, "cannot lock", state);
    return PARENT_EXIT_OK;
}

static int want_stopped(const struct place *place)
{
    if (place->lock_fd >= 0)
        return PARENT_EXIT_OK;
    return parent_fail(
        PARENT_EXIT_ALREADY_RUNNING, "the server of %s runs: stop it first", place->state);
}

static int say_why(int r, const char *what)
{
    switch (r) {
    case DB_E_NEWER:
    case DB_E_CHANGED:
        return parent_fail(
            PARENT_EXIT_NEWER_SCHEMA, "%s was made by another version of slipwayd", what);
    case DB_E_IN_USE:
        return parent_fail(PARENT_EXIT_DATABASE, "%s is in use: %s", what, db_why(NULL));
    case DB_E_NOT_EMPTY:
        return parent_fail(PARENT_EXIT_DATABASE, "%s is not empty", what);
    case DB_E_DIFFERS:
        return parent_fail(
            PARENT_EXIT_DATABASE, "%s does not give back what was written into it", what);
    default:
        return parent_fail(
            PARENT_EXIT_DATABASE, "%s: %s: %s", what, strerrordesc_np(-r), db_why(NULL));
    }
}

struct totals {
    uint64_t n_tables;
    uint64_t n_rows;
};

static void say_table(void *ctx, const struct db_copied *table)
{
    struct totals *totals = ctx;

    totals->n_tables++;
    totals->n_rows += table->n_rows;
    (void)printf("%s: %llu rows, checksum %s\n",
                 table->table,
                 (unsigned long long)table->n_rows,
                 table->sum);
}

/* Return: an exit status. */
static int copy_database(const char *from_address,
                         const char *from_name,
                         const char *to_address,
                         const char *to_name)
{
    OWN(db_freep) struct db *from = NULL;
    OWN(db_freep) struct db *to = NULL;
    struct totals totals = {.n_rows = 0};
    int r = db_open(from_address, &from);

    if (r != 0)
        return say_why(r, from_name);
    r = db_open_target(to_address, &to);
    if (r != 0)
        return say_why(r, to_name);
    r = db_copy(from, to, say_table, &totals);
    if (r < 0)
        return parent_fail(PARENT_EXIT_DATABASE,
                           "the copy has failed and nothing of it is kept: %s: %s %s",
                           strerrordesc_np(-r),
                           db_why(from),
                           db_why(to));
    if (r > 0)
        return say_why(r, to_name);
    (void)printf("%llu tables with %llu rows are in %s, and each gives back what was written\n",
                 (unsigned long long)totals.n_tables,
                 (unsigned long long)totals.n_rows,
                 to_name);
    return PARENT_EXIT_OK;
}

static int move(const char *from, const char *to)
{
    if (rename(from, to) != 0 && errno != ENOENT)
        return parent_fail_errno(-errno, "cannot rename", from);
    return PARENT_EXIT_OK;
}

/* Nobody goes on with the old one by mistake, and none that was put aside before is lost. With its log, so that it can be opened. */
static int put_aside(const char *path, const char *suffix)
{
    char aside[PATH_MAX];
    char log[PATH_MAX];
    char aside_log[PATH_MAX];
    int status;
    int r;

    if (access(path, F_OK) != 0)
        return errno == ENOENT ? PARENT_EXIT_OK : parent_fail_errno(-errno, "cannot see", path);
    r = backup_free_name(path, suffix, aside);
    if (r < 0)
        return parent_fail_errno(r, "cannot put aside", path);
    (void)snprintf(log, sizeof(log), "%.*s-wal", PATH_MAX - 8, path);
    (void)snprintf(aside_log, sizeof(aside_log), "%.*s-wal", PATH_MAX - 8, aside);
    status = move(log, aside_log);
    if (status == PARENT_EXIT_OK)
        status = move(path, aside);
    if (status == PARENT_EXIT_OK)
        (void)printf("the database that was there is %s\n", aside);
    return status;
}

/* Before anything is made in a folder that is none of a site. */
static int want_site(const char *state)
{
    char folder[PATH_MAX];

    (void)snprintf(folder, sizeof(folder), "%s/site", state);
    if (file_exists(folder))
        return PARENT_EXIT_OK;
    return parent_fail(
        PARENT_EXIT_DATABASE, "there is no site in %s: say with --state where it is", state);
}

int database_migrate(const char *state, const char *config_file)
{
    OWN(place_fini) struct place place = {.lock_fd = -1};
    int status = want_site(state);

    if (status == PARENT_EXIT_OK)
        status = open_place(state, config_file, &place);
    if (status == PARENT_EXIT_OK)
        status = want_stopped(&place);
    if (status != PARENT_EXIT_OK)
        return status;
    if (place.config.database[0] == '\0')
        return parent_fail(PARENT_EXIT_BAD_CONFIG,
                           "%s: [site] database does not say where PostgreSQL is",
                           place.config_file);
    if (!file_exists(place.database))
        return parent_fail(PARENT_EXIT_DATABASE, "there is no %s to be moved", place.database);
    status = copy_database(
        place.database, place.database, place.config.database, "the PostgreSQL database");
    return status == PARENT_EXIT_OK ? put_aside(place.database, "migrated") : status;
}

/* @path: of the new file in the backup */
static int backup_database(const struct place *place, const char *path)
{
    if (place->config.database[0] != '\0')
        return copy_database(place->config.database, "the PostgreSQL database", path, "the backup");
    if (place->lock_fd >= 0)
        return copy_database(place->database, place->database, path, "the backup");
    return backup_ask_site(place->state, &place->users, path);
}

int database_backup(const char *state, const char *config_file, const char *folder)
{
    OWN(place_fini) struct place place = {.lock_fd = -1};
    struct backup_folder backup;
    int status = want_site(state);

    if (status == PARENT_EXIT_OK)
        status = open_place(state, config_file, &place);
    if (status == PARENT_EXIT_OK)
        status = backup_begin(folder, &backup);
    if (status != PARENT_EXIT_OK)
        return status;
    status = backup_database(&place, backup.database);
    if (status == PARENT_EXIT_OK)
        status = backup_add_files(&backup, state, place.config_file);
    if (status == PARENT_EXIT_OK)
        status = backup_end(&backup);
    if (status == PARENT_EXIT_OK)
        (void)printf("%s has the site's database, keys and configuration\n", folder);
    else
        backup_drop(&backup);
    return status;
}

/*
 * A copy of the backup is brought up to date. Who followed the site that is lost may know numbers of events that the backup does not:
 * they must not come again for something else. Nor does it know which computers have run what since.
 */
static int prepare_restored(const char *part, uint64_t *ret_n_held)
{
    OWN(db_freep) struct db *db = NULL;
    int r = db_open(part, &db);

    if (r == 0)
        r = db_must(db, SQL_EVENT_SKIP, DB_ARGS(db_u64(EVENT_SKIP)));
    if (r == 0)
        r = db_hold(db, clock_wall_us(), ret_n_held);
    return r == 0 ? PARENT_EXIT_OK : say_why(r, "the backup");
}

static int restore_postgresql(const struct place *place, const char *part)
{
    int status =
        copy_database(part, "the backup", place->config.database, "the PostgreSQL database");

    (void)unlink(part);
    return status;
}

static int restore_sqlite(const struct place *place, const char *part)
{
    int status;

    if (place->users.is_root &&
        chown(part, place->users.uids[CHILD_SITE], place->users.gids[CHILD_SITE]) != 0)
        return parent_fail_errno(-errno, "cannot give away", part);
    status = put_aside(place->database, "replaced");
    if (status != PARENT_EXIT_OK)
        return status;
    if (rename(part, place->database) != 0)
        return parent_fail_errno(-errno, "cannot put in place", place->database);
    return PARENT_EXIT_OK;
}

int database_restore(const char *state, const char *config_file, const char *folder)
{
    OWN(place_fini) struct place place = {.lock_fd = -1};
    char part[PATH_MAX];
    const char *failed = "";
    uint64_t n_held = 0;
    int status = open_place(state, config_file, &place);
    int r;

    if (status == PARENT_EXIT_OK)
        status = want_stopped(&place);
    if (status == PARENT_EXIT_OK)
        status = backup_check(folder);
    if (status != PARENT_EXIT_OK)
        return status;
    r = state_make(state, &place.users, false, &failed);
    if (r < 0)
        return parent_fail_errno(r, "cannot make", failed);
    (void)snprintf(part, sizeof(part), "%.*s.part", PATH_MAX - 8, place.database);
    status = backup_take_database(folder, part);
    if (status == PARENT_EXIT_OK)
        status = prepare_restored(part, &n_held);
    if (status == PARENT_EXIT_OK)
        status = place.config.database[0] != '\0' ? restore_postgresql(&place, part)
                                                  : restore_sqlite(&place, part);
    if (status == PARENT_EXIT_OK)
        status = backup_take_keys(folder, state);
    if (status != PARENT_EXIT_OK)
        return status;
    r = state_make(state, &place.users, false, &failed);
    if (r < 0)
        return parent_fail_errno(r, "cannot give to its owner", failed);
    (void)printf(
        "the site of %s is restored; its configuration is %s/slipway.conf\n", folder, folder);
    if (n_held > 0)
        (void)printf(
            "%" PRIu64
            " required deployments are held, for the backup does not know which computers "
            "have run them since; look at each, and let it begin by \"slipway deployment enable\"\n",
            n_held);
    return PARENT_EXIT_OK;
}
