/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of an uncompressed pipable WIM with one image beside its blobs (docs/protocol/content.md, An OS image)
 *
 * Written by somebody who knows every part before it is written; format/pwm reads the borders of such a stream.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "format/wim/metadata.h"

enum {
    WIM_HEADER_BYTES = 208,
    WIM_RESOURCE_HEADER_BYTES = 40,
    WIM_TABLE_ROW_BYTES = 50,
    WIM_NAME_MAX_BYTES = 1024,
};

/* Bits of a resource */
enum {
    WIM_RESOURCE_BLOB = 0,
    WIM_RESOURCE_METADATA = 2, /* also the blob table and the XML */
};

struct wim_place { /* of a resource in the stream: its bytes, without its header */
    uint64_t offset;
    uint64_t size_bytes;
};

/* At the beginning and, with @table and @xml, at the end; at the beginning both are NULL. */
void wim_put_header(struct sink *dst, const struct wim_place *table, const struct wim_place *xml);

void wim_put_resource_header(struct sink *dst,
                             uint64_t size_bytes,
                             const uint8_t sha1[static SHA1_BYTES],
                             unsigned flags);

/* @n_refs: how many names lead to it */
void wim_put_table_row(struct sink *dst,
                       const struct wim_place *place,
                       const uint8_t sha1[static SHA1_BYTES],
                       unsigned flags,
                       uint32_t n_refs);

struct wim_info {
    const char *name; /* UTF-8 */
    uint64_t n_folders;
    uint64_t n_files;         /* names of what is no folder */
    uint64_t total_bytes;     /* of all names' contents */
    uint64_t hard_link_bytes; /* of them, those of second names */
    uint64_t created;         /* 100 ns since 1601 */
    uint64_t wim_bytes;       /* up to the end of the blob table; 0: not known yet */
};

/* Outcome beside 0 */
enum {
    WIM_PUT_E_NAME = 1, /* not UTF-8, too long, or with characters that XML does not have */
};

/* Append the XML: UTF-16 with its mark. Return: 0, WIM_PUT_E_NAME, or -ENOMEM. */
int wim_put_xml(const struct wim_info *info, struct buf *ret);
