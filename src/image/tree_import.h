/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Reading a folder of this machine: what is in it, in the order of its paths, and the bytes of the files
 *
 * Links are kept and not followed. What cannot be read, devices, pipes and sockets end it: a package that lacks
 * a file fails later, on another machine. A file is compared with what was known about it when it was listed,
 * before and after it is read, so none that changes meanwhile is kept half old and half new.
 */

#include "base/buf.h"
#include "image/tree_list.h"

/**
 * tree_import() - read a folder
 * @path: of the folder itself, which gets no entry; may be a link to it
 * @why:  on an outcome but TREE_E_CANCELLED: the path and what is wrong with it
 *
 * Return: 0, TREE_E_REFUSED, TREE_E_CHANGED, TREE_E_CANCELLED, or -errno.
 */
int tree_import(const char *path, const struct tree_sink *sink, struct buf *why);

/**
 * tree_import_file() - a tree of one file
 * @name: that it has in the tree
 */
int tree_import_file(const char *path,
                     const char *name,
                     const struct tree_sink *sink,
                     struct buf *why);
