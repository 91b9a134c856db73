/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * For the tests of metadata: resources as no program, or as each of them, would write them
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    METADATA_FIXTURE_MAX = 64 * 1024,
    METADATA_FIXTURE_STREAMS = 4,
};

struct stream_fixture {
    const char *name; /* ASCII, "" for none, as below */
    uint8_t sha1;     /* its first byte; the others are 0 */
};

struct dentry_fixture {
    uint32_t attributes;
    uint32_t security;
    uint64_t folder_at;
    uint64_t last; /* hard link group, or tag, reserved field and flags of a reparse point */
    uint8_t sha1;
    const char *name; /* NULL: "" */
    const char *short_name;
    struct bytes items; /* after padding to 8 */
    struct stream_fixture streams[METADATA_FIXTURE_STREAMS];
    size_t n_streams;
};

/* The table of security descriptors, with padding. */
void metadata_fixture_security(struct buf *dst, const char *const *descriptors, size_t n);

/* Return: where it begins. */
size_t metadata_fixture_dentry(struct buf *dst, const struct dentry_fixture *d);
void metadata_fixture_end(struct buf *dst);

/* Set a dentry's folder_at. */
void metadata_fixture_set_folder(struct buf *b, size_t dentry, size_t folder_at);

/* A number, little-endian; @n bytes of it */
void metadata_fixture_number(struct buf *dst, uint64_t number, size_t n);
