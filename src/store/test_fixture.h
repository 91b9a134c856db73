/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the tests of this layer share: a folder for a store, content, and claims about both
 */

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "store/store.h"

struct store_fixture {
    char root[64];
};

/* A new empty folder, in memory if there is such a file system. Return: 0, or -1. */
int store_fixture_init(struct store_fixture *ret);

/* Removes the folder. */
void store_fixture_fini(const struct store_fixture *f);

/* The folder is as new. */
void store_fixture_empty(const struct store_fixture *f);

/* Noise, the same in every run for one @seed. */
void store_fixture_fill(uint8_t *dst, size_t len, uint32_t seed);

/* Files below ROOT/FOLDER. */
size_t store_fixture_count(const char *root, const char *folder);

/* The manifest is there, and all of its packs are good. */
void store_fixture_assert_good(struct store *store, const uint8_t id[static SHA256_BYTES]);

/* Its stream is @content. */
void store_fixture_assert_stream(struct store *store,
                                 const uint8_t id[static SHA256_BYTES],
                                 struct bytes content);
