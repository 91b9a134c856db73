/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "image/apply_ntfs_own.h"
#include "image/wim_apply.h"

enum {
    DIRECT_BYTES = 64 * 1024, /* pieces that are worth a write of their own */
    HOLE_BYTES =
        64 *
        1024, /* holes are of as much each, as Windows makes them: some readers know no others */
};

static const struct metadata_stream *stream_of(const struct apply_ntfs *ntfs,
                                               const struct apply_use *use)
{
    return &ntfs->image->streams[use->stream];
}

static bool is_sparse(const struct apply_ntfs *ntfs, uint32_t inode)
{
    return (ntfs->image->inodes[inode].attributes & METADATA_SPARSE) != 0;
}

static bool is_compressed(const ntfs_attr *stream)
{
    return (stream->data_flags & ATTR_COMPRESSION_MASK) != 0;
}

/* Contents that have a place in NTFS. */
static bool is_kept(const struct apply_ntfs *ntfs, const struct apply_use *use)
{
    const struct metadata_stream *stream = stream_of(ntfs, use);
    bool is_folder = (ntfs->image->inodes[use->inode].attributes & METADATA_FOLDER) != 0;

    return stream->kind == METADATA_DATA && (!is_folder || stream->name[0] != '\0');
}

/* Room for all of it, in one piece if there is such: or none, if it may have holes. */
static int reserve(struct apply_ntfs *ntfs, uint32_t inode, ntfs_attr *stream)
{
    s64 size = (s64)ntfs->blob.blob.size_bytes;

    if (is_compressed(stream))
        return 0;
    if (is_sparse(ntfs, inode) ? ntfs_attr_truncate(stream, size) != 0
                               : ntfs_attr_truncate_solid(stream, size) != 0)
        return ntfs_fail(ntfs, inode, "get room for its contents");
    return 0;
}

static int
open_stream(struct apply_ntfs *ntfs, const struct apply_use *use, ntfs_inode *ni, ntfs_attr **ret)
{
    const char *text = stream_of(ntfs, use)->name;
    struct ntfs_name name = {.n_units = 0};
    int r = ntfs_name_of(ntfs, text, &name);

    if (r < 0)
        return TRACE(r);

    ntfschar *units = text[0] == '\0' ? AT_UNNAMED : name.units;

    *ret = ntfs_attr_open(ni, AT_DATA, units, name.n_units);
    if (!*ret && errno == ENOENT && ntfs_attr_add(ni, AT_DATA, units, name.n_units, NULL, 0) == 0)
        *ret = ntfs_attr_open(ni, AT_DATA, units, name.n_units);
    if (!*ret)
        return ntfs_fail(ntfs, use->inode, "get a stream");
    return ntfs->blob.done == 0 ? reserve(ntfs, use->inode, *ret) : 0;
}

static int close_stream(struct apply_ntfs *ntfs, uint32_t inode, ntfs_attr *stream)
{
    int r = 0;

    if (is_compressed(stream) && ntfs_attr_pclose(stream) != 0)
        r = ntfs_fail(ntfs, inode, "be written");
    ntfs_attr_close(stream);
    return r;
}

static int write_at(
    struct apply_ntfs *ntfs, uint32_t inode, ntfs_attr *stream, uint64_t offset, struct bytes piece)
{
    while (piece.len > 0) {
        s64 n = ntfs_attr_pwrite(stream, (s64)offset, (s64)piece.len, piece.ptr);

        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return ntfs_fail(ntfs, inode, "be written");
        }
        piece.ptr += n;
        piece.len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static bool is_zero(struct bytes piece)
{
    return piece.len == 0 ||
           (piece.ptr[0] == 0 && memcmp(piece.ptr, piece.ptr + 1, piece.len - 1) == 0);
}

/* The piece that is next, without what can be a hole; it starts where a hole could. */
static int
write_piece(struct apply_ntfs *ntfs, uint32_t inode, ntfs_attr *stream, struct bytes piece)
{
    uint64_t offset = ntfs->blob.done;
    struct bytes part;

    if (!is_sparse(ntfs, inode) || is_compressed(stream))
        return write_at(ntfs, inode, stream, offset, piece);
    while (piece.len > 0) {
        (void)bytes_take(&piece, HOLE_BYTES < piece.len ? HOLE_BYTES : piece.len, &part);
        if (!is_zero(part)) {
            int r = write_at(ntfs, inode, stream, offset, part);

            if (r != 0)
                return r;
        }
        offset += part.len;
    }
    return 0;
}

static int
put_data(struct apply_ntfs *ntfs, const struct apply_use *use, ntfs_inode *ni, struct bytes piece)
{
    ntfs_attr *stream = NULL;
    int r = open_stream(ntfs, use, ni, &stream);

    if (r == 0)
        r = write_piece(ntfs, use->inode, stream, piece);

    int closed = stream ? close_stream(ntfs, use->inode, stream) : 0;

    return r != 0 ? r : closed;
}

/* One stream of an inode is there; with the last one, so is the inode, but a folder. */
static int count_down(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni)
{
    ntfs->places[inode].n_blobs--;
    if (ntfs->places[inode].n_blobs > 0 ||
        (ntfs->image->inodes[inode].attributes & METADATA_FOLDER))
        return 0;
    return ntfs_put_times(ntfs, inode, ni);
}

static int
put_into(struct apply_ntfs *ntfs, const struct apply_use *use, ntfs_inode *ni, struct bytes piece)
{
    bool is_whole = piece.len == ntfs->blob.blob.size_bytes;

    if (is_kept(ntfs, use))
        return put_data(ntfs, use, ni, piece);
    if (stream_of(ntfs, use)->kind == METADATA_LINK_DATA && is_whole)
        return ntfs_put_reparse(ntfs, use->inode, ni, piece);
    return 0;
}

static void lose(struct apply_ntfs *ntfs, const struct apply_use *use)
{
    static const enum ntfs_loss losses[] = {
        [METADATA_DATA] = NTFS_LOSS_FOLDER_DATA,
        [METADATA_LINK_DATA] = NTFS_LOSS_REPARSE,
        [METADATA_EFS_DATA] = NTFS_LOSS_ENCRYPTED,
    };
    enum metadata_stream_kind kind = stream_of(ntfs, use)->kind;
    bool is_whole = ntfs->blob.blob.size_bytes <= NTFS_PIECE_BYTES;

    if (!is_kept(ntfs, use) && (kind != METADATA_LINK_DATA || !is_whole))
        ntfs_lose(ntfs, losses[kind], use->inode);
}

/* The piece that is next, for one of those who use it. */
static int put_use(struct apply_ntfs *ntfs, const struct apply_use *use, struct bytes piece)
{
    bool is_last = ntfs->blob.done + piece.len == ntfs->blob.blob.size_bytes;
    ntfs_inode *ni = ntfs_open_inode(ntfs, use->inode);

    if (!ni)
        return ntfs_fail(ntfs, use->inode, "be opened");

    int r = put_into(ntfs, use, ni, piece);

    if (r == 0 && is_last)
        r = count_down(ntfs, use->inode, ni);
    if (r == 0 && is_last)
        lose(ntfs, use);

    int closed = ntfs_close_inode(ntfs, use->inode, ni);

    return r != 0 ? r : closed;
}

static int put(struct apply_ntfs *ntfs, struct bytes piece)
{
    struct ntfs_blob *b = &ntfs->blob;
    int r = 0;

    if (b->stream)
        r = write_piece(ntfs, b->blob.uses[0].inode, b->stream, piece);
    for (size_t i = 0; i < b->blob.n_uses && r == 0 && !b->stream; i++)
        r = put_use(ntfs, &b->blob.uses[i], piece);
    b->done += piece.len;
    return r;
}

int ntfs_begin_blob(struct apply_ntfs *ntfs, const struct apply_blob *blob)
{
    struct ntfs_blob *b = &ntfs->blob;

    b->blob = *blob;
    b->done = 0;
    buf_clear(&b->kept);
    if (blob->n_uses != 1 || blob->size_bytes <= NTFS_PIECE_BYTES || !is_kept(ntfs, blob->uses))
        return 0;
    b->inode = ntfs_open_inode(ntfs, blob->uses[0].inode);
    if (!b->inode)
        return ntfs_fail(ntfs, blob->uses[0].inode, "be opened");
    return open_stream(ntfs, blob->uses, b->inode, &b->stream);
}

/* Whether a piece can be written as it came, so that the next one may start anywhere. */
static bool is_direct(const struct apply_ntfs *ntfs, struct bytes piece)
{
    const struct ntfs_blob *b = &ntfs->blob;

    if (b->kept.len > 0 || piece.len == b->blob.size_bytes)
        return b->kept.len == 0;
    return b->stream && piece.len >= DIRECT_BYTES && !is_compressed(b->stream) &&
           !is_sparse(ntfs, b->blob.uses[0].inode);
}

int ntfs_take_piece(struct apply_ntfs *ntfs, struct bytes piece)
{
    struct ntfs_blob *b = &ntfs->blob;
    struct bytes part;

    while (piece.len > 0) {
        if (is_direct(ntfs, piece))
            return put(ntfs, piece);

        size_t room = NTFS_PIECE_BYTES - b->kept.len;

        (void)bytes_take(&piece, room < piece.len ? room : piece.len, &part);
        buf_add(&b->kept, part);
        if (b->kept.failed)
            return ERR(-ENOMEM);
        if (b->kept.len == NTFS_PIECE_BYTES) {
            int r = put(ntfs, buf_bytes(&b->kept));

            buf_clear(&b->kept);
            if (r != 0)
                return r;
        }
    }
    return 0;
}

/* The stream and its inode were open all the time. */
static int close_blob(struct apply_ntfs *ntfs)
{
    struct ntfs_blob *b = &ntfs->blob;
    uint32_t inode = b->blob.uses[0].inode;
    int r = close_stream(ntfs, inode, b->stream);

    b->stream = NULL;
    if (r == 0)
        r = count_down(ntfs, inode, b->inode);

    int closed = ntfs_close_inode(ntfs, inode, b->inode);

    b->inode = NULL;
    return r != 0 ? r : closed;
}

int ntfs_end_blob(struct apply_ntfs *ntfs)
{
    struct ntfs_blob *b = &ntfs->blob;
    int r = 0;

    if (b->kept.len > 0 || b->blob.size_bytes == 0)
        r = put(ntfs, buf_bytes(&b->kept));
    if (r == 0 && b->stream)
        r = close_blob(ntfs);
    return r;
}

void ntfs_drop_blob(struct apply_ntfs *ntfs)
{
    struct ntfs_blob *b = &ntfs->blob;

    if (b->stream)
        ntfs_attr_close(b->stream);
    if (b->inode)
        (void)ntfs_inode_close(b->inode);
    b->stream = NULL;
    b->inode = NULL;
}
