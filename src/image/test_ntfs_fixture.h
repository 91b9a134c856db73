/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * For tests: a small NTFS volume in a file, with one of everything that only NTFS has
 *
 *     /Long name of a file.txt   short name LONGNA~1.TXT, hidden; streams "note" and "Zone.Identifier"
 *     /folder/second name        the same file again
 *     /folder/link               a reparse point: a symbolic link to "Long name of a file.txt"
 *     /folder/other security     another security descriptor than the rest
 *
 * Its times lie in the year 2001.
 */

#include <stdint.h>

/* @path: made; needs mkntfs and no rights */
void ntfs_fixture_make(const char *path);

void ntfs_fixture_make_empty(const char *path, uint64_t size_bytes);
