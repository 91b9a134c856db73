/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a WIM knows of an image's files: its metadata resource (docs/protocol/content.md, An OS image)
 *
 * The same model is read (metadata_parse), written (metadata_put.h) and made into files. It is flat: arrays
 * that refer to one another by index. An inode is a file, a folder, or anything else that has contents and
 * attributes; a name is one place where it lies. All text is UTF-8; a lone surrogate of UTF-16, which Windows
 * allows in names, is kept as the three bytes that UTF-8 would have for it.
 *
 *     OWN(metadata_fini) struct metadata image = {0};
 *     int r = metadata_parse(resource, &image);
 *
 * To make one: metadata_add_inode(), then the streams and xattrs of that inode, then its names; the root first.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
    METADATA_MAX_BYTES = 1024 * 1024 * 1024, /* of a resource */
    METADATA_MAX_NAMES = 8 * 1024 * 1024,    /* of an image; inodes are not more */
    METADATA_MAX_DEPTH = 1024,               /* of folders below the root */
    METADATA_MAX_STREAMS = 4096,             /* of an inode, each of a name of its own */
    METADATA_MAX_XATTRS = 4096,              /* of an inode */
    METADATA_NAME_MAX = 255,                 /* UTF-16 units of a name of a file or a stream */
    METADATA_XATTR_NAME_MAX = 255,
    METADATA_XATTR_VALUE_MAX = 65535,
    METADATA_OBJECT_ID_MAX = 64,
    METADATA_DESCRIPTOR_MAX = 1024 * 1024,
};

#define METADATA_NONE UINT32_MAX /* where an index is expected: there is none */

/* Outcome beside 0 */
enum {
    METADATA_E_MALFORMED =
        1, /* not a metadata resource, or one whose tree is none, or above a limit */
};

/* Of metadata_inode.attributes, as Windows has them */
enum {
    METADATA_READONLY = 0x1,
    METADATA_HIDDEN = 0x2,
    METADATA_SYSTEM = 0x4,
    METADATA_FOLDER = 0x10,
    METADATA_ARCHIVE = 0x20,
    METADATA_NORMAL = 0x80,
    METADATA_SPARSE = 0x200,
    METADATA_REPARSE = 0x400,
    METADATA_COMPRESSED = 0x800,
    METADATA_NOT_INDEXED = 0x2000,
    METADATA_ENCRYPTED = 0x4000,
};

/* Of metadata_inode.reparse_tag */
#define METADATA_TAG_JUNCTION UINT32_C(0xa0000003)
#define METADATA_TAG_SYMLINK  UINT32_C(0xa000000c)

/* Of metadata_inode.reparse_flags: the target of the link is as it was when it was captured */
enum {
    METADATA_REPARSE_NOT_FIXED = 0x1,
};

enum metadata_stream_kind {
    METADATA_DATA,      /* contents, without a name, or those of an alternate data stream */
    METADATA_LINK_DATA, /* what lies behind the reparse point's header of 8 bytes; no name */
    METADATA_EFS_DATA,  /* contents that EFS encrypted, as Windows exports them; no name */
};

struct metadata_stream {
    enum metadata_stream_kind kind;
    const char *name; /* "" for what has none; borrowed from the metadata, as all below */
    uint8_t
        sha1[SHA1_BYTES]; /* names the blob; all zero: the stream is empty, and there is no blob */
};

struct metadata_xattr {
    const char *name; /* "user.mime_type", "security.capability"; of Windows: "$KERNEL.PURGE.…" */
    struct bytes value;
    uint8_t flags; /* of Windows */
};

struct metadata_unix {
    uint32_t uid;
    uint32_t gid;
    uint32_t mode; /* with the type, as st_mode */
    uint32_t rdev; /* of a device, the low 32 bits of st_rdev */
};

struct metadata_inode {
    uint32_t attributes;    /* METADATA_READONLY | ... */
    uint32_t security;      /* index in descriptors, or METADATA_NONE */
    uint32_t reparse_tag;   /* with METADATA_REPARSE, else 0, as the two below */
    uint16_t reparse_extra; /* the reserved field of the reparse point */
    uint16_t reparse_flags; /* METADATA_REPARSE_NOT_FIXED */
    uint64_t created;       /* 100 ns since 1601-01-01 UTC, as the two below */
    uint64_t accessed;
    uint64_t written;
    bool has_unix;
    struct metadata_unix unix_data; /* if has_unix */
    struct bytes object_id;         /* empty if there is none */
    uint32_t first_stream;          /* n_streams of them in streams; no unnamed one that is empty */
    uint32_t n_streams;
    uint32_t first_xattr; /* n_xattrs of them in xattrs */
    uint32_t n_xattrs;
    uint32_t first_name; /* in names; the others by metadata_name.next; a folder has one */
    uint32_t n_names;
};

struct metadata_name {
    const char *name;       /* no "/", never "." or ".."; "" for the root and for nothing else */
    const char *short_name; /* of DOS; "" if there is none */
    uint32_t parent;        /* inode of the folder it lies in; METADATA_NONE for the root */
    uint32_t inode;
    uint32_t next; /* name of the same inode, or METADATA_NONE */
};

struct metadata_block; /* of text and bytes */

struct metadata {                  /* all zero: empty */
    struct metadata_inode *inodes; /* owned, as all here; [0] is the root, a folder */
    size_t n_inodes;
    struct metadata_name *names; /* [0] is the root's; a folder's own comes before those in it */
    size_t n_names;
    struct metadata_stream *streams;
    size_t n_streams;
    struct metadata_xattr *xattrs;
    size_t n_xattrs;
    struct bytes *
        descriptors; /* of security: self-relative SECURITY_DESCRIPTORs, as they are, perhaps empty */
    size_t n_descriptors;

    struct metadata_block *blocks;
    size_t cap_inodes;
    size_t cap_names;
    size_t cap_streams;
    size_t cap_xattrs;
    size_t cap_descriptors;
};

/* Release, and empty it; may be called twice. Fits OWN(). */
void metadata_fini(struct metadata *m);

/**
 * metadata_parse() - read a metadata resource
 * @src: not needed afterwards
 * @ret: replaced; owned by the caller, metadata_fini(); empty unless 0 is returned
 *
 * Names in one folder are different, every folder is in one place and not below itself, each number is in
 * range, so that who uses the result need not look again. What a descriptor, link data or an xattr
 * says inside is not looked at. Memory is a few times the resource. Names of a hard link group that differ in
 * their contents are inodes of their own, as Windows treats them.
 *
 * Return: 0, METADATA_E_MALFORMED, or -ENOMEM.
 */
int metadata_parse(struct bytes src, struct metadata *ret);

/*
 * Adding: each copies what the argument points to. Indexes are given out from 0 in the order of adding. What
 * was borrowed stays where it is; the arrays may move.
 *
 * Return: 0, METADATA_E_MALFORMED if it is above a limit, or -ENOMEM.
 */

/* @inode: its streams, xattrs and names are none at first, whatever it says */
int metadata_add_inode(struct metadata *m, const struct metadata_inode *inode);

/* To the last inode added */
int metadata_add_stream(struct metadata *m, const struct metadata_stream *stream);
int metadata_add_xattr(struct metadata *m, const struct metadata_xattr *xattr);

/* @name: parent and inode were added before; next is set */
int metadata_add_name(struct metadata *m, const struct metadata_name *name);

int metadata_add_descriptor(struct metadata *m, struct bytes descriptor);

/* Whether the stream has a blob: its SHA-1 is not all zero. */
bool metadata_has_blob(const struct metadata_stream *stream);

/* The unnamed stream of that kind, or NULL; borrowed. */
const struct metadata_stream *metadata_unnamed(const struct metadata *m,
                                               const struct metadata_inode *inode,
                                               enum metadata_stream_kind kind);
