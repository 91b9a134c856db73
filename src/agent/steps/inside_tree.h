/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Many files at once inside the volume, as inside.h: nothing leads out of it, and no link is followed within a tree
 */

/**
 * inside_remove_matching() - remove what a folder has of this name, folders with all that they hold
 * @folder:  may be missing
 * @pattern: with * and ?, of one name; "*": all of it, and the folder stays
 *
 * What another file system is mounted on stays, and so does what it is in.
 *
 * Return: 0 or -errno.
 */
int inside_remove_matching(int root, const char *folder, const char *pattern);

/**
 * inside_empty_files() - make every plain file below a folder empty
 * @folder: may be missing
 *
 * Owner and mode stay, so that who writes to it still can.
 *
 * Return: 0 or -errno.
 */
int inside_empty_files(int root, const char *folder);
