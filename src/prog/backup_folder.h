/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The folder that a backup is: slipway.db, keys/, slipway.conf, and SHA256SUMS as sha256sum(1) writes it
 *
 * Functions that return int give an exit status of the program; a failure has been printed.
 */

#include <limits.h>

#include "server/parent/users.h"

struct backup_folder {
    char path[PATH_MAX];     /* what it will be called */
    char part[PATH_MAX];     /* until it is whole */
    char database[PATH_MAX]; /* the file to be made */
};

/* Make the folder, which must not be there. */
int backup_begin(const char *path, struct backup_folder *ret);

/* Keys, and the configuration if there is one. */
int backup_add_files(const struct backup_folder *backup, const char *state, const char *config);

/* Sums, and the name. */
int backup_end(const struct backup_folder *backup);

/* It did not become whole. */
void backup_drop(const struct backup_folder *backup);

/* Have the running site write its database into the new file @path. */
int backup_ask_site(const char *state, const struct users *users, const char *path);

/* Every file is there as it was. */
int backup_check(const char *path);

/**
 * backup_free_name() - PATH.SUFFIX, or PATH.SUFFIX-2 and so on, the first that is not there
 *
 * Return: 0 or -errno; -EEXIST: there are ten thousand of them.
 */
int backup_free_name(const char *path, const char *suffix, char ret[static PATH_MAX]);

int backup_take_database(const char *path, const char *to);
int backup_take_keys(const char *path, const char *state);
