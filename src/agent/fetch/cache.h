/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The client cache: folders of packages, downloaded once, within a limit of size
 *
 *     NAME/            the content; NAME is that of its manifest
 *     NAME.manifest    the manifest: says what must be there; its time is that of the last use
 *     NAME.part, NAME.progress    a download that is not complete
 *     lock             who adds or removes is alone
 *
 * Content is there if its manifest is, and if every file has the kind, size, mode and time that the
 * manifest says; then nothing is downloaded. What is in use is never removed: its manifest is locked by the
 * process that uses it, and let go of when that ends, whatever way it ends.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "rt/transfer/transfer.h"

struct cache;
struct cache_use; /* content that is in use */

#define CACHE_DEFAULT_BYTES (UINT64_C(5120) * 1024 * 1024)

/* Outcomes beside those of fetch_tree(); the report says why */
enum {
    CACHE_E_TOO_LARGE = 32, /* more than the cache may hold beside what is in use */
    CACHE_E_CHANGED = 33,   /* it is there, but not as it was, and in use */
};

/**
 * cache_new() - open the cache
 * @root: made if it is not there (0700); copied
 * @max_bytes: of content; 0: CACHE_DEFAULT_BYTES
 */
int cache_new(const char *root, uint64_t max_bytes, struct cache **ret);
void cache_free(struct cache *cache);
DEFINE_FREEP(struct cache *, cache_free);

/**
 * cache_get() - a folder with the content, downloaded if it is not there
 * @manifest: its name; of kind tree
 * @report: always set; its network.bytes are 0 if it was there
 * @ret: owned by the caller, cache_release()
 *
 * The content used longest ago makes room. One caller at a time, of all processes; others wait.
 *
 * Return: 0, CACHE_E_TOO_LARGE, CACHE_E_CHANGED, the outcomes of fetch_tree(), or -errno.
 */
int cache_get(struct cache *cache,
              const struct transfer_options *options,
              const uint8_t manifest[static SHA256_BYTES],
              struct transfer_report *report,
              struct cache_use **ret);

/**
 * cache_drop() - remove content, unless somebody uses it
 * @manifest: its name; one that is not there is no error
 *
 * Return: 0 or -errno.
 */
int cache_drop(struct cache *cache, const uint8_t manifest[static SHA256_BYTES]);

/* The folder; borrowed until cache_release(). */
const char *cache_path(const struct cache_use *use);

/* It is not used any more; it stays until its room is needed. */
void cache_release(struct cache_use *use);
DEFINE_FREEP(struct cache_use *, cache_release);
