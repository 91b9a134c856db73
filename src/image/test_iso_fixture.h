/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * For the tests of disc images: a small tree, and a disc made of it by genisoimage
 */

#include "image/test_tree_fixture.h"

/* Fill tree/: a folder, files with and without content, a name that is not ASCII, one file with two names. */
void iso_fixture_put_tree(const struct tree_fixture *f);

/* Make disc.iso of tree/. @options: of genisoimage; ends with NULL */
void iso_fixture_make(const struct tree_fixture *f, const char *const *options);

/* What reads disc.iso; with the fixture's sink. */
typedef int iso_fixture_reader(struct tree_fixture *f, struct buf *why);

/* Cut disc.iso off at many places: an error each time, or all of it (there is padding at the end), never a part. */
void iso_fixture_check_prefixes(struct tree_fixture *f, iso_fixture_reader *read);
