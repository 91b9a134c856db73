/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the kernel tells in small files, below a root that is "" for this computer
 *
 * Nothing here fails: what cannot be read is empty, 0 or not there.
 */

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    SYS_FILE_MAX = 64 * 1024,
};

/* A file, into @ret, which is emptied first. One that is too large for it counts as missing. */
void sys_read(const char *root, const char *path, struct buf *ret);

/* A line of text, trimmed; bytes that are not printable ASCII become '?'. */
void sys_copy_line(char *dst, size_t cap, struct bytes src);

/* The first line, or the number, of a file "@folder/@name/@file". */
void sys_line(const char *root,
              const char *folder,
              const char *name,
              const char *file,
              char *dst,
              size_t cap);
uint64_t sys_number(const char *root, const char *folder, const char *name, const char *file);

bool sys_exists(const char *root, const char *folder, const char *name, const char *file);

/* The names in a folder, in order, to be freed with sys_free_names(). Return: how many. */
int sys_list(const char *root, const char *folder, struct dirent ***ret);
void sys_free_names(struct dirent ***names, int n);
