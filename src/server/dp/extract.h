/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * slipwayd extract: prestaged content goes into the store of this host (docs/protocol/content.md)
 */

/**
 * extract() - take what is in the file and not here yet, checking every member against its name
 * @fd:   the file, at its start; borrowed
 * @name: of the file, for people
 *
 * What is damaged is left out, with the contents that need it; the rest is usable afterwards. Says on standard output
 * what was done, and on standard error, with an error id, what was wrong.
 *
 * Return: 0; 1 if something was left out or the file is none of ours; or -errno, which has been said as well.
 */
int extract(const char *state_folder, int fd, const char *name);
