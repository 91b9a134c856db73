/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The content store: immutable packs and manifests as static files (docs/protocol/content.md)
 *
 * Anybody may read the files, also without this code. Several processes may add at the same time; who
 * collects is alone. Whatever a process is killed in the middle of, a name in packs/ or manifests/ is a
 * whole file: files are written to tmp/, fsynced and renamed, in batches, and a manifest comes after the
 * last batch of its packs.
 *
 * A handle belongs to one thread at a time. Packing runs on threads of its own behind it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "format/manifest/manifest.h"

struct store;

/* Outcomes beside 0 */
enum {
    STORE_E_MISSING = 1, /* no such manifest or pack */
    STORE_E_CORRUPT = 2, /* what lies there, or was handed in, is not what its name says */
    STORE_E_FULL = 3,    /* no space left (or over quota): nothing half became visible */
    STORE_E_BUSY = 4,    /* another process has the store and does not let go of it */
    STORE_E_FORMAT = 5,  /* a store of another format: nothing was touched (SLW-0306) */
    STORE_E_STOPPED = 6, /* a callback said so */
};

enum {
    STORE_PATH_MAX = 4096,
};

/**
 * store_new() - open the store at @root, making what is not there
 * @root: "dp/content" of the state folder
 *
 * Return: 0, STORE_E_FORMAT, or -errno.
 */
int store_new(const char *root, struct store **ret);

/* Ends adding. What was put and is not flushed yet is dropped. */
void store_free(struct store *store);
DEFINE_FREEP(struct store *, store_free);

/**
 * store_clean() - remove what processes that were killed left in tmp/
 *
 * Does nothing while another process adds or collects.
 */
int store_clean(struct store *store);

/*
 * Adding. After STORE_E_FULL or an error of one of these the handle adds nothing any more: it says the
 * same again, until it is freed.
 */

/**
 * store_begin() - take the lock for adding, shared with others who add; wait for a collector to end
 *
 * Makes the index good as well, if nobody else adds: packs that it does not know are read. What was put
 * before a kill is found again.
 *
 * Return: 0, STORE_E_BUSY after a minute of waiting, or -errno.
 */
int store_begin(struct store *store);

/* The same without waiting: STORE_E_BUSY at once, for who must not block. */
int store_try_begin(struct store *store);

/* Let go of the lock. What was put and is not flushed yet is dropped. */
void store_end(struct store *store);

struct store_place {
    uint32_t pack;   /* number of the pack with this handle: store_pack() */
    uint32_t offset; /* behind the pack's table */
    bool is_new;     /* it was not there */
};

/**
 * store_put_chunk() - keep @plain, unless it is there already
 * @plain: 1..PACK_CHUNK_MAX_BYTES
 * @ret:   where it lies, or will lie
 *
 * Durable after store_flush(), which comes by itself every dozen packs or so.
 *
 * Return: 0, STORE_E_FULL, or -errno.
 */
int store_put_chunk(struct store *store, struct bytes plain, struct store_place *ret);

/**
 * store_find_chunk() - where a chunk lies that was kept before
 * @ret: as of store_put_chunk()
 *
 * Packs that were put or added and are not flushed yet may be missing.
 *
 * Return: 0, STORE_E_MISSING (also if its size is another one), or -errno.
 */
int store_find_chunk(struct store *store,
                     const uint8_t sha256[static SHA256_BYTES],
                     size_t size,
                     struct store_place *ret);

/* Whether store_find_chunk() would find it, whatever its size. */
bool store_has_chunk(struct store *store, const uint8_t sha256[static SHA256_BYTES]);

/**
 * store_pack() - which pack a number of store_put_chunk() is
 * @ret_table_bytes: what has to be added to an offset to make it one in the plain pack
 *
 * Only after store_flush(), and until store_end().
 */
void store_pack(const struct store *store,
                uint32_t number,
                struct manifest_pack *ret,
                uint32_t *ret_table_bytes);

/**
 * store_add_pack() - keep a pack that comes from elsewhere
 * @pack:  what the manifest says about it
 * @frame: as it is stored; pack->stored_bytes long, or it is corrupt
 *
 * Name, table and chunks are checked. It replaces what lies under that name. Durable after store_flush(),
 * which comes by itself every dozen packs or so.
 *
 * Return: 0, STORE_E_CORRUPT (the handle stays usable), STORE_E_FULL, or -errno.
 */
int store_add_pack(struct store *store, const struct manifest_pack *pack, struct bytes frame);

/* Make every chunk and pack that was put durable and visible. Return: 0, STORE_E_FULL, or -errno. */
int store_flush(struct store *store);

/**
 * store_put_manifest() - flush, then write the manifest
 * @ret_id: the manifest's name
 *
 * Return: 0, STORE_E_MISSING (a pack it names was taken away meanwhile: a validation found it bad),
 *         STORE_E_FULL, or -errno.
 */
int store_put_manifest(struct store *store,
                       const struct manifest *manifest,
                       uint8_t ret_id[static SHA256_BYTES]);

/**
 * store_add_manifest() - flush, then keep a manifest that comes from elsewhere
 * @text: as it was fetched
 * @id:   its name
 *
 * Return: 0, STORE_E_CORRUPT (not what @id says, or not a manifest; the handle stays usable),
 *         STORE_E_MISSING (not all of its packs are there; likewise), STORE_E_FULL, or -errno.
 */
int store_add_manifest(struct store *store,
                       struct bytes text,
                       const uint8_t id[static SHA256_BYTES]);

/* Reading, and what else needs no store_begin() */

/* Whether the file is there, as long as it should be. Its content is not looked at. */
bool store_has_pack(const struct store *store, const struct manifest_pack *pack);

/**
 * store_get_pack() - read a pack and check it against its name
 * @ret_plain: emptied, then the plain bytes; made with room for PACK_MAX_BYTES
 *
 * Return: 0, STORE_E_MISSING, STORE_E_CORRUPT, or -errno.
 */
int store_get_pack(struct store *store, const struct manifest_pack *pack, struct buf *ret_plain);

/**
 * store_get_manifest() - read a manifest and check it against its name
 * @ret: owned by the caller, manifest_fini()
 *
 * Return: 0, STORE_E_MISSING, STORE_E_CORRUPT, or -errno.
 */
int store_get_manifest(struct store *store,
                       const uint8_t id[static SHA256_BYTES],
                       struct manifest *ret);

/**
 * store_remove_manifest() - forget a content, durably
 *
 * Its packs stay until store_collect(). Whoever asks makes sure that nothing else has the same content:
 * equal contents have one manifest.
 *
 * Return: 0, STORE_E_MISSING, or -errno.
 */
int store_remove_manifest(struct store *store, const uint8_t id[static SHA256_BYTES]);

struct store_sink {                             /* takes the content, piece by piece */
    int (*feed)(void *ctx, struct bytes piece); /* anything but 0 ends the stream */
    void *ctx;
};

/**
 * store_read_stream() - the content of a manifest, in order, checked
 *
 * Return: 0, STORE_E_MISSING, STORE_E_CORRUPT, STORE_E_STOPPED, or -errno. Pieces that were fed are good in
 *         any case.
 */
int store_read_stream(struct store *store,
                      const uint8_t id[static SHA256_BYTES],
                      const struct store_sink *sink);

struct store_watch { /* told how far something is; NULL where nobody wants to know */
    void (*tell)(void *ctx, uint64_t done_bytes, uint64_t all_bytes);
    void *ctx;
};

struct store_validation {
    uint64_t checked_bytes;    /* stored bytes that were read */
    struct manifest_pack *bad; /* owned: packs that were missing or bad */
    size_t n_bad;
};

/* Release; may be called twice. Fits OWN(). */
void store_validation_fini(struct store_validation *validation);

/**
 * store_validate() - read every pack of a manifest and check name, table and chunks
 * @watch: may be NULL
 * @ret:   owned by the caller, store_validation_fini(); set on 0
 *
 * A bad pack is renamed into tmp/ and is missing from then on, so that repeating the replication or the
 * import brings it back.
 *
 * Return: 0, also if packs are bad; STORE_E_MISSING or STORE_E_CORRUPT for the manifest itself, which stays
 *         where it is until store_add_manifest() or store_put_manifest() replaces it; -errno.
 */
int store_validate(struct store *store,
                   const uint8_t id[static SHA256_BYTES],
                   const struct store_watch *watch,
                   struct store_validation *ret);

struct store_collection {
    uint64_t removed_packs;
    uint64_t removed_bytes; /* stored */
    uint64_t kept_packs;
    uint64_t kept_bytes;
    uint8_t bad_manifest[SHA256_BYTES]; /* on STORE_E_CORRUPT */
};

#define STORE_GRACE_US \
    (UINT64_C(24) * 3600 * 1000 * 1000) /* what store_collect() is usually told */

/**
 * store_collect() - remove packs that no manifest names
 * @grace_us: younger ones stay: an import that was killed is repeated and finds its chunks
 *
 * Not between store_begin() and store_end() of the same handle.
 *
 * Return: 0, STORE_E_BUSY (somebody adds or collects), STORE_E_CORRUPT (a manifest cannot be read: nothing is
 *         removed), or -errno.
 */
int store_collect(struct store *store, uint64_t grace_us, struct store_collection *ret);

/**
 * store_drop_manifests() - remove those of these manifests that were written longer ago than the grace time
 * @ret_n: how many that were
 *
 * For what nobody has named for long. Whoever adds a manifest writes it anew also if it is there, and nobody adds
 * meanwhile: so one that has just come to be needed stays. Not between store_begin() and store_end() of the same handle.
 *
 * Return: 0, STORE_E_BUSY (somebody adds or collects: nothing is removed), or -errno.
 */
int store_drop_manifests(
    struct store *store, uint8_t (*ids)[SHA256_BYTES], size_t n, uint64_t grace_us, size_t *ret_n);

/* Where the files are, as for a web server. */
void store_pack_path(const struct store *store,
                     const uint8_t sha256[static SHA256_BYTES],
                     char ret[static STORE_PATH_MAX]);
void store_manifest_path(const struct store *store,
                         const uint8_t id[static SHA256_BYTES],
                         char ret[static STORE_PATH_MAX]);
