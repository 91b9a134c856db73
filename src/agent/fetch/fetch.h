/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Getting content from distribution points: streams, folders and files
 *
 * The work is done by rt/transfer, which checks every byte; here it gets where it belongs. Options,
 * outcomes and reports are those of a transfer.
 */

#include <stdint.h>

#include "base/text.h"
#include "rt/transfer/transfer.h"

struct shelf;

struct fetch_content {
    const uint8_t *manifest; /* SHA256_BYTES; its name */
    uint64_t size_bytes;     /* from the order; a manifest that says otherwise is refused */
};

struct fetch_reader {
    int fd; /* a connected stream socket, whose other end is read by somebody who does not wait for us */
    size_t
        n_runs; /* of the manifest, that are in it; 0 at first. What broke off goes on behind them */
};

/**
 * fetch_stream() - deliver a content in order, stored nowhere on the way
 * @ret: always set
 *
 * After TRANSFER_E_CONTENT and TRANSFER_E_UNREACHABLE it can be called again with the same @reader, and goes on where it was.
 *
 * Return: 0 when the last byte is in @reader; TRANSFER_E_CONSUMER if nobody reads it any more, and the
 *         other outcomes of transfer_packs(); or -errno.
 */
int fetch_stream(const struct transfer_options *options,
                 const struct fetch_content *content,
                 struct fetch_reader *reader,
                 struct transfer_report *ret);

/**
 * fetch_stream_from() - the same, of a content that shelf_download() has got
 * @shelf: what is not on it any more, or is not what it should be, is fetched from the sources, and whence it was is
 *         reported
 */
int fetch_stream_from(struct shelf *shelf,
                      const struct transfer_options *options,
                      const struct fetch_content *content,
                      struct fetch_reader *reader,
                      struct transfer_report *ret);

/* Outcome beside those of a transfer; the report says why */
enum {
    FETCH_E_FULL = 16, /* not enough room on the disk */
};

/**
 * fetch_tree() - download a folder
 * @manifest: its name; of kind tree
 * @target: appears, durable, when all of it is there; must not exist before, its parent must
 * @ret: always set
 *
 * Modes and times are those of the source; the owner is whoever calls. Until then it is built as
 * TARGET.part; what is complete of that is not downloaded again after an interruption. Nothing is
 * written if there is not enough room.
 *
 * Return: 0, FETCH_E_FULL, the outcomes of transfer_packs() but TRANSFER_E_CONSUMER, or -errno.
 */
int fetch_tree(const struct transfer_options *options,
               const uint8_t manifest[static SHA256_BYTES],
               const char *target,
               struct transfer_report *ret);

/**
 * fetch_image_file() - download one image of an operating system image as a file: a WIM, as the library keeps it
 * @manifest: its name
 * @target: replaced atomically and durably once all of it is there and checked; its parent must exist
 * @ret: always set
 *
 * Return: 0, FETCH_E_FULL, the outcomes of transfer_packs() but TRANSFER_E_CONSUMER, or -errno.
 */
int fetch_image_file(const struct transfer_options *options,
                     const uint8_t manifest[static SHA256_BYTES],
                     const char *target,
                     struct transfer_report *ret);

struct fetch_file {
    const char *path; /* at the source: "/boot/SLP00001/x64/vmlinuz" */
    uint64_t size_bytes;
    const uint8_t *sha256; /* SHA256_BYTES */
};

/**
 * fetch_file() - download a plain file
 * @target: replaced atomically and durably once size and hash are right; mode 0644
 * @ret: always set
 *
 * Return: 0, TRANSFER_E_CONTENT, TRANSFER_E_UNREACHABLE, TRANSFER_E_CANCELLED, or -errno.
 */
int fetch_file(const struct transfer_options *options,
               const struct fetch_file *file,
               const char *target,
               struct transfer_report *ret);

/* What held it up most, as a sentence for people; borrowed for ever. */
const char *fetch_bound_by(const struct transfer_report *report);
