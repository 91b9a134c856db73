/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/blob_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "format/wim/metadata_put.h"
#include "plat/clock.h"
#include "plat/digest.h"

enum {
    FIRST_BLOBS = 1024,
    XML_MAX_BYTES = 64 * 1024,
    TICKS_PER_US = 10,
};

#define US_FROM_1601_TO_1970 UINT64_C(11644473600000000)

void blob_stream_fini(struct blob_stream *stream)
{
    names_fini(&stream->known);
    free(stream->blobs);
    stream->blobs = NULL;
}

/* The table is one of SHA-256: the rest is zero. */
static void make_key(const uint8_t sha1[static SHA1_BYTES], uint8_t ret[static SHA256_BYTES])
{
    memset(ret, 0, SHA256_BYTES);
    memcpy(ret, sha1, SHA1_BYTES);
}

struct blob *blob_stream_find(const struct blob_stream *stream,
                              const uint8_t sha1[static SHA1_BYTES])
{
    uint8_t key[SHA256_BYTES];
    uint64_t number;

    make_key(sha1, key);
    return names_get(&stream->known, key, &number) ? &stream->blobs[number] : NULL;
}

int blob_stream_note(struct blob_stream *stream,
                     const uint8_t sha1[static SHA1_BYTES],
                     uint64_t size_bytes)
{
    size_t cap = stream->cap_blobs > 0 ? 2 * stream->cap_blobs : FIRST_BLOBS;
    uint8_t key[SHA256_BYTES];
    struct blob *blob;
    int r;

    if (stream->n_blobs == stream->cap_blobs) {
        struct blob *grown = realloc(stream->blobs, cap * sizeof(*grown));

        if (!grown)
            return ERR(-ENOMEM);
        stream->blobs = grown;
        stream->cap_blobs = cap;
    }
    make_key(sha1, key);
    r = names_put(&stream->known, key, stream->n_blobs);
    if (r < 0)
        return TRACE(r);
    blob = &stream->blobs[stream->n_blobs++];
    *blob = (struct blob){.size_bytes = size_bytes,
                          .offset = stream->size_bytes + WIM_RESOURCE_HEADER_BYTES};
    memcpy(blob->sha1, sha1, SHA1_BYTES);
    stream->size_bytes += WIM_RESOURCE_HEADER_BYTES + size_bytes;
    return 0;
}

/* Return: 0 or BLOB_STREAM_E_STOPPED. */
static int put_bytes(const struct blob_sink *sink, struct bytes src)
{
    while (src.len > 0) {
        struct bytes piece;
        uint8_t *room;

        (void)bytes_take(&src, src.len < sink->room_max ? src.len : sink->room_max, &piece);
        if (sink->room(sink->ctx, piece.len, &room) != 0)
            return BLOB_STREAM_E_STOPPED;
        memcpy(room, piece.ptr, piece.len);
        if (sink->put(sink->ctx, piece.len) != 0)
            return BLOB_STREAM_E_STOPPED;
    }
    return 0;
}

static int end_unit(const struct blob_sink *sink)
{
    return sink->end_unit(sink->ctx) == 0 ? 0 : BLOB_STREAM_E_STOPPED;
}

/* Return: 0 or BLOB_STREAM_E_STOPPED. */
static int put_resource(const struct blob_sink *sink,
                        struct bytes src,
                        const uint8_t sha1[static SHA1_BYTES],
                        unsigned flags)
{
    uint8_t room[WIM_RESOURCE_HEADER_BYTES];
    struct sink head = {.ptr = room, .cap = sizeof(room)};
    int r;

    wim_put_resource_header(&head, src.len, sha1, flags);
    r = put_bytes(sink, (struct bytes){room, sizeof(room)});
    if (r == 0)
        r = put_bytes(sink, src);
    return r == 0 ? end_unit(sink) : r;
}

int blob_stream_add(struct blob_stream *stream, struct bytes blob, uint8_t ret[static SHA1_BYTES])
{
    int r = digest_sha1(blob, ret);

    if (r < 0)
        return TRACE(r);
    if (blob_stream_find(stream, ret))
        return 0;
    r = blob_stream_note(stream, ret, blob.len);
    return r < 0 ? TRACE(r) : put_resource(stream->sink, blob, ret, WIM_RESOURCE_BLOB);
}

static int
put_header(const struct blob_sink *sink, const struct wim_place *table, const struct wim_place *xml)
{
    uint8_t room[WIM_HEADER_BYTES];
    struct sink head = {.ptr = room, .cap = sizeof(room)};
    int r;

    wim_put_header(&head, table, xml);
    r = put_bytes(sink, (struct bytes){room, sizeof(room)});
    return r == 0 ? end_unit(sink) : r;
}

/* What the names of the tree lead to: how often, and how much it is. */
static void count(struct blob_stream *stream, const struct metadata *image, struct wim_info *ret)
{
    for (size_t i = 0; i < image->n_inodes; i++) {
        const struct metadata_inode *inode = &image->inodes[i];
        bool is_folder =
            (inode->attributes & (METADATA_FOLDER | METADATA_REPARSE)) == METADATA_FOLDER;
        uint64_t size = 0;

        for (uint32_t j = 0; j < inode->n_streams; j++) {
            struct blob *blob =
                blob_stream_find(stream, image->streams[inode->first_stream + j].sha1);

            if (blob) {
                blob->n_refs += inode->n_names;
                size += blob->size_bytes;
            }
        }
        ret->n_folders += is_folder ? 1 : 0;
        ret->n_files += is_folder ? 0 : inode->n_names;
        ret->total_bytes += size * inode->n_names;
        ret->hard_link_bytes += size * (inode->n_names - 1);
    }
}

static int fail(int r, struct buf *why)
{
    if (r < 0)
        return TRACE(r);
    buf_adds(why, "the tree is larger than an image may be");
    return BLOB_STREAM_E_INFO;
}

static int make_xml(const struct wim_info *info, struct buf *why, struct buf *ret)
{
    int r;

    buf_clear(ret);
    r = wim_put_xml(info, ret);
    if (r <= 0)
        return TRACE(r);
    buf_adds(why, "the name of the image is not UTF-8, or too long");
    return BLOB_STREAM_E_INFO;
}

/* A resource behind others. @at: where its header begins; moved behind it. @ret: where its bytes lie */
static int put_described(const struct blob_sink *sink,
                         struct bytes src,
                         uint64_t *at,
                         uint8_t ret_sha1[static SHA1_BYTES],
                         struct wim_place *ret)
{
    int r = digest_sha1(src, ret_sha1);

    if (r < 0)
        return TRACE(r);
    *ret = (struct wim_place){*at + WIM_RESOURCE_HEADER_BYTES, src.len};
    *at = ret->offset + src.len;
    return put_resource(sink, src, ret_sha1, WIM_RESOURCE_METADATA);
}

static int make_table(const struct blob_stream *stream,
                      const struct wim_place *metadata,
                      const uint8_t sha1[static SHA1_BYTES],
                      uint64_t blobs_at,
                      struct buf *ret)
{
    uint8_t room[WIM_TABLE_ROW_BYTES];
    struct sink row = {.ptr = room, .cap = sizeof(room)};

    wim_put_table_row(&row, metadata, sha1, WIM_RESOURCE_METADATA, 1);
    buf_add(ret, (struct bytes){room, row.len});
    for (size_t i = 0; i < stream->n_blobs; i++) {
        const struct blob *blob = &stream->blobs[i];
        struct wim_place place = {blobs_at + blob->offset, blob->size_bytes};

        row.len = 0;
        wim_put_table_row(&row, &place, blob->sha1, WIM_RESOURCE_BLOB, blob->n_refs);
        buf_add(ret, (struct bytes){room, row.len});
    }
    return ret->failed ? ERR(-ENOMEM) : 0;
}

/* Behind the blobs. @at: where they end */
static int put_tail(struct blob_stream *stream,
                    struct bytes table,
                    uint64_t at,
                    struct wim_info *info,
                    struct buf *why)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(XML_MAX_BYTES);
    uint8_t sha1[SHA1_BYTES];
    struct wim_place table_place;
    struct wim_place xml_place;
    int r;

    stream->sink->turn(stream->sink->ctx, BLOB_STREAM_TAIL);
    r = put_described(stream->sink, table, &at, sha1, &table_place);
    info->wim_bytes = at;
    if (r == 0)
        r = make_xml(info, why, &xml);
    if (r == 0)
        r = put_described(stream->sink, buf_bytes(&xml), &at, sha1, &xml_place);
    if (r == 0)
        r = put_header(stream->sink, &table_place, &xml_place);
    return r < 0 ? TRACE(r) : r;
}

int blob_stream_end(struct blob_stream *stream,
                    const struct metadata *image,
                    const char *name,
                    struct buf *why,
                    struct wim_info *ret_info)
{
    OWN(buf_fini) struct buf metadata = BUF_INIT(METADATA_MAX_BYTES);
    OWN(buf_fini) struct buf xml = BUF_INIT(XML_MAX_BYTES);
    OWN(buf_fini)
    struct buf table = BUF_INIT((stream->n_blobs + 1) * WIM_TABLE_ROW_BYTES);
    struct wim_info info = {
        .name = name,
        .created = (clock_wall_us() + US_FROM_1601_TO_1970) * TICKS_PER_US,
    };
    uint8_t sha1[SHA1_BYTES];
    struct wim_place place;
    uint64_t at = WIM_HEADER_BYTES;
    int r;

    count(stream, image, &info);
    r = metadata_put(image, &metadata);
    if (r != 0)
        return fail(r, why);
    r = make_xml(&info, why, &xml);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    stream->sink->turn(stream->sink->ctx, BLOB_STREAM_HEAD);
    r = put_header(stream->sink, NULL, NULL);
    if (r == 0)
        r = put_described(stream->sink, buf_bytes(&xml), &at, sha1, &place);
    if (r == 0)
        r = put_described(stream->sink, buf_bytes(&metadata), &at, sha1, &place);
    if (r == 0)
        r = make_table(stream, &place, sha1, at, &table);
    if (r == 0)
        r = put_tail(stream, buf_bytes(&table), at + stream->size_bytes, &info, why);
    *ret_info = info;
    ret_info->name = NULL;
    return r < 0 ? TRACE(r) : r;
}
