/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A stream on its way into the store: cut, kept, listed in a manifest
 */

#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "format/manifest/manifest.h"
#include "store/store.h"

struct intake;

struct intake_counts {
    uint64_t size_bytes;
    uint64_t new_bytes; /* plain; the rest was in the store already */
    uint64_t n_chunks;
};

/* @store: borrowed until intake_free() */
int intake_new(struct store *store, enum manifest_kind kind, struct intake **ret);
void intake_free(struct intake *intake);
DEFINE_FREEP(struct intake *, intake_free);

/* Outcome of both below, beside 0 and STORE_E_FULL */
enum {
    INTAKE_E_TOO_LARGE = 16, /* beyond what a manifest can describe */
};

/* The next bytes of the stream. Return: 0, STORE_E_FULL, INTAKE_E_TOO_LARGE, or -errno. */
int intake_feed(struct intake *intake, struct bytes src);

/**
 * intake_end() - there are no more bytes: everything becomes durable, the manifest last
 * @ret_id: the manifest's name
 */
int intake_end(struct intake *intake, uint8_t ret_id[static SHA256_BYTES]);

struct intake_counts intake_counts(const struct intake *intake);
