/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/test_metadata_fixture.h"

#include <string.h>

#include "base/text.h"

enum {
    FOLDER_AT_OFFSET = 16, /* in a dentry */
};

void metadata_fixture_number(struct buf *dst, uint64_t number, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)(number >> (8 * i));

        buf_add(dst, (struct bytes){&byte, 1});
    }
}

static void pad(struct buf *dst)
{
    while (dst->len % 8 != 0)
        metadata_fixture_number(dst, 0, 1);
}

static void put_name(struct buf *dst, const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        metadata_fixture_number(dst, (uint8_t)*p, 2);
    if (name[0] != '\0')
        metadata_fixture_number(dst, 0, 2);
}

static void set_u64(struct buf *b, size_t at, uint64_t number)
{
    for (size_t i = 0; i < sizeof(number); i++)
        b->ptr[at + i] = (char)(uint8_t)(number >> (8 * i));
}

static void put_sha1(struct buf *dst, uint8_t first)
{
    metadata_fixture_number(dst, first, 1);
    for (size_t i = 1; i < SHA1_BYTES; i++)
        metadata_fixture_number(dst, 0, 1);
}

void metadata_fixture_security(struct buf *dst, const char *const *descriptors, size_t n)
{
    size_t at = dst->len;

    metadata_fixture_number(dst, 0, 4);
    metadata_fixture_number(dst, n, 4);
    for (size_t i = 0; i < n; i++)
        metadata_fixture_number(dst, strlen(descriptors[i]), 8);
    for (size_t i = 0; i < n; i++)
        buf_adds(dst, descriptors[i]);
    set_u64(dst, at, (dst->len - at) | (uint64_t)n << 32);
    pad(dst);
}

static void put_stream(struct buf *dst, const struct stream_fixture *stream)
{
    size_t at = dst->len;

    metadata_fixture_number(dst, 0, 8);
    metadata_fixture_number(dst, 0, 8);
    put_sha1(dst, stream->sha1);
    metadata_fixture_number(dst, 2 * strlen(stream->name), 2);
    put_name(dst, stream->name);
    set_u64(dst, at, dst->len - at);
    pad(dst);
}

size_t metadata_fixture_dentry(struct buf *dst, const struct dentry_fixture *d)
{
    const char *name = d->name ? d->name : "";
    const char *short_name = d->short_name ? d->short_name : "";
    size_t at = dst->len;

    metadata_fixture_number(dst, 0, 8);
    metadata_fixture_number(dst, d->attributes, 4);
    metadata_fixture_number(dst, d->security, 4);
    metadata_fixture_number(dst, d->folder_at, 8);
    metadata_fixture_number(dst, 0, 8);
    metadata_fixture_number(dst, 0, 8);
    for (uint64_t time = 1; time <= 3; time++)
        metadata_fixture_number(dst, time << 40, 8);
    put_sha1(dst, d->sha1);
    metadata_fixture_number(dst, 0, 4);
    metadata_fixture_number(dst, d->last, 8);
    metadata_fixture_number(dst, d->n_streams, 2);
    metadata_fixture_number(dst, 2 * strlen(short_name), 2);
    metadata_fixture_number(dst, 2 * strlen(name), 2);
    put_name(dst, name);
    put_name(dst, short_name);
    pad(dst);
    buf_add(dst, d->items);
    set_u64(dst, at, dst->len - at);
    pad(dst);
    for (size_t i = 0; i < d->n_streams; i++)
        put_stream(dst, &d->streams[i]);
    return at;
}

void metadata_fixture_end(struct buf *dst)
{
    metadata_fixture_number(dst, 0, 8);
}

void metadata_fixture_set_folder(struct buf *b, size_t dentry, size_t folder_at)
{
    set_u64(b, dentry + FOLDER_AT_OFFSET, folder_at);
}
