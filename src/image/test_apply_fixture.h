/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * For the tests of applying: an empty folder, and the model of an image that is made by hand
 */

#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "format/wim/metadata.h"

enum {
    APPLY_FIXTURE_PATH_MAX = 256,
};

struct apply_fixture {
    char root[64];         /* holds out/ and what a test puts beside it */
    int out;               /* out/, open */
    struct metadata image; /* a root, at first */
    struct buf why;
};

/* For cmocka; *state is a struct apply_fixture *. */
int apply_fixture_set_up(void **state);
int apply_fixture_tear_down(void **state);

/* "out/NAME"; a path in a buffer that the next call uses again */
const char *apply_fixture_path(const struct apply_fixture *f, const char *name);

/* Add something with UNIX data, the caller's owner and old times. @mode: with the type. Return: its inode. */
uint32_t apply_fixture_add(struct apply_fixture *f, uint32_t parent, const char *name, mode_t mode);

/* To the inode added last: a stream without a name. @sha1: its first byte */
void apply_fixture_stream(struct apply_fixture *f, enum metadata_stream_kind kind, uint8_t sha1);

/* Another name of an inode. */
void apply_fixture_name(struct apply_fixture *f, uint32_t parent, const char *name, uint32_t inode);
