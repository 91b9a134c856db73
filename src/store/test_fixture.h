/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the tests of this layer share: a folder for a store, content, and claims about both
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "store/store.h"

enum {
    FIXTURE_BYTES = 4600000, /* two packs */
};

struct store_fixture {
    char root[64];
    uint8_t *content;         /* owned; FIXTURE_BYTES of noise */
    struct store *store;      /* owned; open; may be freed and set to NULL */
    uint8_t id[SHA256_BYTES]; /* of the content's manifest, */
    struct manifest manifest; /* owned, and this, */
    size_t len;               /* and how much of the content it is: after store_fixture_learn() */
};

/* For cmocka: makes a struct store_fixture in a new folder, in memory if there is such a file system. */
int store_fixture_set_up(void **state);
int store_fixture_tear_down(void **state);

/* Store the first @len bytes of the content, and remember what they are. Return: 0, or -1. */
int store_fixture_learn(struct store_fixture *f, size_t len);

/* Every pack of what was learnt is whole or not there; a manifest that is there has all of them. */
void store_fixture_assert_nothing_is_half(const struct store_fixture *f);

/* The folder is as new. The handle that is open is of no use any more. */
void store_fixture_empty(const struct store_fixture *f);

/* Noise, the same in every run for one @seed. */
void store_fixture_fill(uint8_t *dst, size_t len, uint32_t seed);

/* Store the first @len bytes of the content with the fixture's handle. @ret_new_bytes: may be NULL */
void store_fixture_take_in(struct store_fixture *f,
                           size_t len,
                           uint8_t ret_id[static SHA256_BYTES],
                           uint64_t *ret_new_bytes);

/* ROOT/NAME */
void store_fixture_path(const struct store_fixture *f, const char *name, char ret[static 256]);

/* Change a bit of a file. */
void store_fixture_flip(const char *path, off_t at);

/* A pack of one short chunk, as from another store. @ret_frame: emptied first */
void store_fixture_make_pack(struct bytes chunk, struct manifest_pack *ret, struct buf *ret_frame);

/* What is tried with a fault at every place. Return: 0, an outcome, or -errno. */
typedef int store_fixture_try(const struct store_fixture *f);

/* Run @attempt in a process of its own that is killed at its call number @nth. Return: whether it was. */
bool store_fixture_is_killed(const struct store_fixture *f,
                             store_fixture_try *attempt,
                             unsigned nth);

/* Files below ROOT/FOLDER. */
size_t store_fixture_count(const char *root, const char *folder);

/* The manifest is there, and all of its packs are good. */
void store_fixture_assert_good(struct store *store, const uint8_t id[static SHA256_BYTES]);

/* Its stream is @content. */
void store_fixture_assert_stream(struct store *store,
                                 const uint8_t id[static SHA256_BYTES],
                                 struct bytes content);
