/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The stream of an image that is captured: blobs as they are found, each once, then what is made of them
 *
 * A pipable WIM begins with what is known last: the XML and the metadata. So its parts are made in another order
 * than they have in it: the blobs; then, after turn(BLOB_STREAM_HEAD), what lies before them; then, after
 * turn(BLOB_STREAM_TAIL), what lies behind them. Who keeps the stream puts the parts where they belong.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"
#include "format/pack/names.h"
#include "format/wim/metadata.h"
#include "format/wim/wim_put.h"

enum blob_stream_part {
    BLOB_STREAM_BLOBS,
    BLOB_STREAM_HEAD,
    BLOB_STREAM_TAIL,
};

/* Where the bytes go. Return of each: 0; another value ends it. */
struct blob_sink {
    /* Room for the next @n bytes of the unit, in one piece, n up to room_max; borrowed until the next call */
    int (*room)(void *ctx, size_t n, uint8_t **ret);
    int (*put)(void *ctx, size_t n); /* the first @n bytes of the room are the next ones */
    int (*end_unit)(void *ctx);
    void (*turn)(void *ctx, enum blob_stream_part part); /* to the units that come now */
    size_t room_max;
    void *ctx;
};

/* Outcome beside 0 */
enum {
    BLOB_STREAM_E_STOPPED = 1, /* the sink said so */
    BLOB_STREAM_E_INFO =
        2, /* a name that a WIM cannot have, or too much of something; @why is set */
};

struct blob { /* of the blob table */
    uint8_t sha1[SHA1_BYTES];
    uint64_t size_bytes;
    uint64_t offset; /* of its bytes, from the first blob's header */
    uint32_t n_refs;
};

struct blob_stream { /* made with the sink; the rest all zero */
    const struct blob_sink *sink;
    struct names known; /* which blob has this SHA-1 */
    struct blob *blobs; /* owned */
    size_t n_blobs;
    size_t cap_blobs;
    uint64_t size_bytes; /* of all units of blobs */
};

void blob_stream_fini(struct blob_stream *stream);

/* NULL if it is not in the stream; borrowed until the next one is added. */
struct blob *blob_stream_find(const struct blob_stream *stream,
                              const uint8_t sha1[static SHA1_BYTES]);

/* It is put now, by the caller: header, bytes, end of the unit. Return: 0 or -errno. */
int blob_stream_note(struct blob_stream *stream,
                     const uint8_t sha1[static SHA1_BYTES],
                     uint64_t size_bytes);

/* A blob that is in memory, unless it is there already. Return: 0, BLOB_STREAM_E_STOPPED, or -errno. */
int blob_stream_add(struct blob_stream *stream, struct bytes blob, uint8_t ret[static SHA1_BYTES]);

/**
 * blob_stream_end() - all blobs are there: the rest of the stream
 * @image: what the blobs are; its files are counted
 * @name:  of the image
 *
 * Return: 0 with @ret_info set but for its name, an outcome, or -errno.
 */
int blob_stream_end(struct blob_stream *stream,
                    const struct metadata *image,
                    const char *name,
                    struct buf *why,
                    struct wim_info *ret_info);
