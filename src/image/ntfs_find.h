/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Whether an NTFS volume that is not mounted has certain files
 */

#include <stdbool.h>

/**
 * ntfs_has_files() - read-only
 * @path: of a device or a file
 * @names: "Windows/System32/ntoskrnl.exe"; letters' case does not matter; ends with NULL
 *
 * Return: false also if it is no NTFS volume, or is damaged.
 */
bool ntfs_has_files(const char *path, const char *const *names);
