/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How much room an NTFS volume has that is not mounted
 */

#include <stdint.h>

/**
 * ntfs_free_bytes() - read-only
 * @path: of a device or a file
 *
 * Return: 0 if it is no NTFS volume, or is damaged.
 */
uint64_t ntfs_free_bytes(const char *path);
