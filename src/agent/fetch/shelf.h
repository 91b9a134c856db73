/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Content that was downloaded and is not used yet: the packs as they are stored, in a folder
 *
 *     <pack>             the frame, of the length that the manifest says
 *     <pack>.plain       its plain bytes, put together from what was on the disk (agent/seed)
 *     <id>.manifest      a manifest, as it came
 *     <id>.whole         empty: all packs of it were there, and durable
 *     sources            a line "<pack> <source>" for each pack that was downloaded
 *
 * What came off the wire was compared with the checksums of the manifest, which find damage. That a pack is what its
 * name says is found out when it is used: then one that is not is removed, its source is reported, and it is fetched
 * again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"
#include "format/manifest/manifest.h"
#include "rt/transfer/transfer.h"

struct shelf;

/**
 * shelf_open() - open the folder
 * @path: made if it is not there (0700), like its parents; copied
 */
int shelf_open(const char *path, struct shelf **ret);
void shelf_free(struct shelf *shelf);
DEFINE_FREEP(struct shelf *, shelf_free);

/**
 * shelf_get_manifest() - of the shelf, or else downloaded
 * @id: its name; of what is here it is checked too
 * @ret: owned by the caller, manifest_fini()
 *
 * Return: as transfer_get_manifest(), or FETCH_E_FULL.
 */
int shelf_get_manifest(struct shelf *shelf,
                       struct transfer *transfer,
                       const uint8_t id[static SHA256_BYTES],
                       struct manifest *ret);

/* The manifest that is here. Return: 0; 1: none, or not what its name says; or -errno. */
int shelf_read_manifest(const struct shelf *shelf,
                        const uint8_t id[static SHA256_BYTES],
                        struct manifest *ret);

/* So many bytes must stay free beside what shelf_download() gets. */
void shelf_set_reserve(struct shelf *shelf, uint64_t bytes);

/**
 * shelf_download() - make all packs of a content be here
 * @report: always set; its network.bytes are what had to be downloaded
 *
 * What is here is not downloaded again, whatever interrupted it. Nothing is downloaded if there is not enough
 * room for all of it. Progress is told in stored bytes.
 *
 * Return: 0 when all is durable; FETCH_E_FULL, the outcomes of transfer_keep(), or -errno.
 */
int shelf_download(struct shelf *shelf,
                   const struct transfer_options *options,
                   const uint8_t id[static SHA256_BYTES],
                   struct transfer_report *report);

/* Whether a pack is here, by its length. */
bool shelf_has_pack(const struct shelf *shelf, const struct manifest_pack *pack);

/**
 * shelf_put_plain() - a pack that was put together here
 * @plain: all of it; checked against the pack's name
 *
 * Return: 0 when it is durable; SHELF_E_WRONG, FETCH_E_FULL, or -errno.
 */
int shelf_put_plain(const struct shelf *shelf,
                    const struct manifest_pack *pack,
                    struct bytes plain);

/* Bytes that are free where the shelf is, the reserve taken off. */
uint64_t shelf_free_bytes(const struct shelf *shelf);

/* Outcome of shelf_put_plain() and shelf_verify() beside others */
enum {
    SHELF_E_WRONG = 32,
};

/* shelf_has() says no from now on, until shelf_download() has looked at each pack again. */
int shelf_unseal(const struct shelf *shelf, const uint8_t id[static SHA256_BYTES]);

/**
 * shelf_verify() - read all packs of a content, and compare each with its name
 * @tell: called for each; false ends it
 *
 * What is wrong is removed, and the shelf unsealed.
 *
 * Return: 0, SHELF_E_WRONG, TRANSFER_E_CANCELLED, or -errno.
 */
int shelf_verify(struct shelf *shelf,
                 const uint8_t id[static SHA256_BYTES],
                 const struct manifest *manifest,
                 bool (*tell)(void *ctx, uint64_t done_bytes),
                 void *ctx);

/* Whether shelf_download() has said 0 about it, now or before a restart. */
bool shelf_has(const struct shelf *shelf, const uint8_t id[static SHA256_BYTES]);

/**
 * shelf_copy() - all packs of a content that @from has in full
 *
 * Return: 0 when all is durable, or -errno.
 */
int shelf_copy(const struct shelf *from,
               const struct shelf *to,
               const uint8_t id[static SHA256_BYTES]);

/* What @options are used for takes manifests and packs from here first. */
void shelf_offer(struct shelf *shelf, struct transfer_options *options);

/* For transfer_options.local, with the shelf as its context; any thread. */
bool shelf_find(void *ctx, const struct manifest_pack *pack, uint8_t *ret);

/* For transfer_options.local_bad: what shelf_find() gave was wrong. It is removed. */
void shelf_drop(void *ctx, const struct manifest_pack *pack);

/* Bytes that shelf_find() has read, as they are stored. */
uint64_t shelf_read_bytes(const struct shelf *shelf);

/* Report the sources of packs that shelf_find() has found bad, in the caller's thread, once. */
void shelf_tell_bad(struct shelf *shelf, const struct transfer_options *options);
