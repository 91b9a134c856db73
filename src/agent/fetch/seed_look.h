/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Looking for chunks in the files of a folder: what agent/fetch/seed.c is made of
 */

#include <stdbool.h>
#include <stdint.h>

#include "agent/fetch/seed.h"
#include "agent/fetch/seed_places.h"
#include "base/buf.h"

/**
 * seed_open() - something below a folder, through no link and no mount point
 * @flags: of open()
 *
 * Return: a descriptor, or -1 with errno.
 */
int seed_open(int root, const char *path, int flags);

/* Contents of a symbolic link's unit, as an image has them. Return: whether there are any. */
bool seed_read_link(int folder, const char *name, struct buf *ret);

/**
 * seed_look() - go through all files and links, and note where wanted chunks are
 * @root: descriptor of options->root
 *
 * Return: 0, SEED_E_CANCELLED, or -errno.
 */
int seed_look(const struct seed_options *options,
              int root,
              struct seed_places *places,
              struct seed_report *report);
