/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Whether bytes are the pack or manifest that they should be
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "format/manifest/manifest.h"
#include "format/pack/pack.h"
#include "store/store.h"

/* All of these: 0, STORE_E_CORRUPT, or -errno; those that read files also STORE_E_MISSING. */

int check_name(struct bytes content, const uint8_t sha256[static SHA256_BYTES]);

/**
 * check_frame() - unpack a frame that is to have the lengths and the name that @pack says
 * @ret_plain: emptied, then the plain bytes
 */
int check_frame(const struct manifest_pack *pack, struct bytes frame, struct buf *ret_plain);

/**
 * check_chunks() - read a plain pack's table, and check each chunk against its name
 * @ret: owned by the caller, pack_fini(); set on 0
 */
int check_chunks(struct bytes plain, struct pack *ret);

/* Read the file of a pack, then check_frame(). @frame: for the file's bytes; emptied */
int check_pack_file(const char *root,
                    const struct manifest_pack *pack,
                    struct buf *frame,
                    struct buf *ret_plain);

/**
 * check_any_pack_file() - a file of which nothing is known but its name
 * @ret_pack: what a manifest would say about it
 * @ret:      its chunks, which were checked; owned by the caller, pack_fini()
 */
int check_any_pack_file(const char *root,
                        const uint8_t sha256[static SHA256_BYTES],
                        struct manifest_pack *ret_pack,
                        struct pack *ret);

/* Read the file of a manifest and check it against its name. */
int check_manifest_file(const char *root,
                        const uint8_t id[static SHA256_BYTES],
                        struct manifest *ret);
